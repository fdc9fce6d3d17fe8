"""Real processes, real ports, real kubectl: the control plane as it is started on a machine."""

import contextlib
import http.client
import itertools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KUBECTL_DIR = "KUBEHOP_KUBECTL_DIR"
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
KUBECTL_SECONDS_MAX = 60.0
ROOT = Path(__file__).resolve().parents[2]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=READY_SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class ControlProcess:
    """`python -m control` over a directory of its own; may be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "run" / "control.sock"
        self.kubeconfig = directory / "kubeconfig"
        self.log = directory / "control.log"
        self.bind = "127.0.0.1:0"  # any port at first, the same one ever after
        self.more: dict[str, Any] = {}  # options
        self.process: subprocess.Popen[bytes] | None = None
        self.socket.parent.mkdir(mode=0o700)

    def start(self) -> dict[str, Any]:
        """Start it; what it says once it serves."""
        reader, writer = os.pipe()
        options = {
            "--bind": self.bind,
            "--socket": self.socket,
            "--data": self.directory / "store",
            "--pki": self.directory / "pki",
            "--kubeconfig": self.kubeconfig,
            "--log-file": self.log,
            "--ready-fd": writer,
            **self.more,
        }
        given = [str(each) for pair in options.items() for each in pair]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "control", *given], cwd=ROOT, pass_fds=[writer]
        )
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as ready:
            readable, _, _ = select.select([ready], [], [], READY_SECONDS_MAX)
            line = ready.read(65536) if readable else b""
        assert line, f"control did not get ready:\n{self._logged()}"
        told: dict[str, Any] = json.loads(line)
        self.bind = told["api"].removeprefix("https://")
        return told

    def kill(self) -> None:
        """End it as a power cut of the process would: no signal handler, no last write."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)

    def connect(self) -> http.client.HTTPConnection:
        """A connection to its Unix socket, where whoever asks is the administrator."""
        return _UnixConnection(self.socket)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; the answer's document, which must not be a refusal."""
        connection = self.connect()
        try:
            content = None if body is None else json.dumps(body)
            connection.request(
                method, path, content, {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode()}"
            return json.loads(text)
        finally:
            connection.close()

    def faults(self) -> list[str]:
        """What its log says went wrong."""
        words = (" ERROR ", " CRITICAL ", "Traceback")
        return [each for each in self._logged().splitlines() if any(word in each for word in words)]

    def _logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def control_process() -> Iterator[ControlProcess]:
    """A control plane that the test starts, kills and starts again."""
    directory = Path(tempfile.mkdtemp(prefix="kh-", dir="/tmp"))  # short: it holds sockets
    made = ControlProcess(directory)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def control() -> Iterator[ControlProcess]:
    """A control plane for many tests; it must end well and have nothing to complain of."""
    directory = Path(tempfile.mkdtemp(prefix="kh-", dir="/tmp"))
    made = ControlProcess(directory)
    made.start()
    yield made
    status = made.stop()
    faults = made.faults()
    shutil.rmtree(directory)
    assert status == 0
    assert faults == []


# -- kubectl


@dataclass(frozen=True, slots=True)
class Ran:
    """What a kubectl said, and how it ended."""

    out: str
    err: str
    status: int


class Kubectl:
    """One kubectl with a home directory and a namespace of its own."""

    def __init__(self, path: Path, control: ControlProcess, home: Path, namespace: str) -> None:
        self.path = path
        self.minor = int(path.parent.name.partition(".")[2])
        self.control = control
        self.home = home
        self.namespace = namespace

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        """Run it to its end, in the test's namespace, which a later --namespace overrides."""
        done = subprocess.run(
            self._command(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=self._environment(environment),
            timeout=KUBECTL_SECONDS_MAX,
        )
        return Ran(done.stdout, done.stderr, done.returncode)

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """Run it; its output, for it must succeed."""
        ran = self.run(*arguments, stdin=stdin, **environment)
        assert ran.status == 0, f"kubectl {' '.join(arguments)}: {ran.status}\n{ran.out}{ran.err}"
        return ran.out

    def fails(self, *arguments: str, stdin: str = "", status: int = 1) -> str:
        """Run what must fail; what it says of that."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.status == status, f"kubectl {' '.join(arguments)}: {ran}"
        return ran.err

    @contextlib.contextmanager
    def watching(self, *arguments: str) -> Iterator[Iterator[str]]:
        """Its lines as it writes them; it ends with the block, or when nothing comes for long."""
        process = subprocess.Popen(
            self._command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            env=self._environment({}),
        )
        assert process.stdout is not None
        guard = threading.Timer(KUBECTL_SECONDS_MAX, process.kill)
        guard.start()
        try:
            yield iter(process.stdout)
        finally:
            guard.cancel()
            process.kill()
            process.wait()
            process.stdout.close()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(self.path), f"--namespace={self.namespace}", *arguments]

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECACHEDIR": str(self.home / "cache"),
            "KUBECONFIG": str(self.control.kubeconfig),
            **more,
        }


def kubectls() -> list[Path]:
    """Those that are installed, from the oldest to the newest."""
    given = os.environ.get(KUBECTL_DIR, "")
    found = Path(given).glob("*/kubectl") if given else ()
    return sorted(found, key=lambda path: int(path.parent.name.partition(".")[2]))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `kubectl` runs with each that is there, from the oldest to the newest.

    With the two ends alone in a module that says `KUBECTLS = "ends"`: what it observes is the
    server's, and the same for all that lie between.
    """
    if "kubectl" not in metafunc.fixturenames:
        return
    found = kubectls()
    if getattr(metafunc.module, "KUBECTLS", "all") == "ends":
        found = sorted({*found[:1], *found[-1:]}, key=found.index)
    if not found:
        reason = f"no kubectl: {KUBECTL_DIR} names no directory of them (.ci/install-kubectl)"
        found = [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    metafunc.parametrize("kubectl", found, indirect=True, ids=lambda p: p and p.parent.name)


_numbers = itertools.count(1)


@pytest.fixture
def kubectl(request: pytest.FixtureRequest, control: ControlProcess, tmp_path: Path) -> Kubectl:
    """A kubectl in a fresh namespace."""
    namespace = f"test-{next(_numbers)}"
    control.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    return Kubectl(request.param, control, tmp_path, namespace)
