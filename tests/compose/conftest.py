"""The compose file brought up for real, with an image, ports and a directory of its own.

`make compose` runs these tests; a run of all tests leaves them out, for they build an image and
need a container engine. Nothing of them stays.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from cluster.errors import ConfigError
from cluster.testing.kubectl import find_kubectl

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PORTS = {
    "KUBEHOP_API_PORT": socket.SOCK_STREAM,
    "KUBEHOP_HTTP_PORT": socket.SOCK_STREAM,
    "KUBEHOP_DNS_PORT": socket.SOCK_STREAM,
    "KUBEHOP_CLOCK_PORT": socket.SOCK_DGRAM,
}
COMMAND_SECONDS = 300.0
HOLDS_SECONDS = 90.0
LOOK_SECONDS = 0.2
LOG_LINES = 30  # of each container, when something does not come to hold
NOBODY = 65534
Found = TypeVar("Found")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only who asks for these tests gets them."""
    asked = [Path(str(each).partition("::")[0]).resolve() for each in config.args]
    return None if any(HERE in (path, *path.parents) for path in asked) else True


class Project:
    """One run of the compose file."""

    def __init__(self, compose: list[str], kubectl: Path, directory: Path) -> None:
        self.name = f"kubehop-test-{secrets.token_hex(4)}"
        self.directory = directory
        self.kubeconfig = directory / "kubeconfig"
        self.owner = directory.stat().st_uid
        self._compose = compose
        self._kubectl = kubectl
        self.ports = {name: _free_port(kind) for name, kind in PORTS.items()}
        self._environment = {
            **os.environ,
            **{name: str(port) for name, port in self.ports.items()},
            "KUBEHOP_IMAGE": self.name,
            "KUBEHOP_DIR": str(directory),
            "KUBEHOP_TIME_SCALE": "0.2",
            "KUBECONFIG": str(self.kubeconfig),
        }

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run compose on this project; what it said."""
        file = str(ROOT / "docker-compose.yml")
        return self._run([*self._compose, "-p", self.name, "-f", file, *arguments], check=check)

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Run docker; what it said."""
        return self._run(["docker", *arguments], check=check)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl on the host with the kubeconfig of the volume; what it said."""
        return self._run([str(self._kubectl), *arguments])

    def logs(self, service: str = "") -> str:
        """What the containers wrote."""
        return self.compose("logs", "--no-color", *([service] if service else []))

    def until(self, holds: Callable[[], Found], what: str) -> Found:
        """Try until something holds (an engine tells of nothing); what it gave then."""
        last: object = None
        ends = time.monotonic() + HOLDS_SECONDS
        while time.monotonic() < ends:
            try:
                if found := holds():
                    return found
                last = found
            except (OSError, AssertionError) as error:
                last = error
            time.sleep(LOOK_SECONDS)
        print(self.compose("ps", check=False))
        print(self.compose("logs", "--no-color", f"--tail={LOG_LINES}", check=False))
        pytest.fail(f"{what}: not in {HOLDS_SECONDS:g} s; last: {last!r}")

    def containers(self) -> list[str]:
        """The ids of the project's containers, ended ones too."""
        label = f"label=com.docker.compose.project={self.name}"
        return self.docker("ps", "-a", "-q", "--filter", label).split()

    def container(self, service: str) -> str:
        """A service's container."""
        return self.compose("ps", "-q", service).strip()

    def down(self) -> None:
        """Take everything away, the image too."""
        self.compose("down", "--volumes", "--timeout", "5", check=False)
        self.docker("rmi", self.name, check=False)

    def _run(self, command: list[str], *, check: bool = True) -> str:
        ran = subprocess.run(
            command,
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        if check and ran.returncode:
            raise AssertionError(f"{' '.join(command)}: {ran.returncode}: {ran.stderr[-4000:]}")
        return ran.stdout


def _free_port(kind: int) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _compose_command() -> list[str]:
    """`docker compose`, or the docker-compose of its own that came before; skips without any."""
    if shutil.which("docker") is None or _fails(["docker", "info"]):
        pytest.skip("no container engine is reachable: `docker info` fails")
    if not _fails(["docker", "compose", "version"]):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("neither `docker compose` nor docker-compose is installed")


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60).returncode != 0


def _a_kubectl() -> Path:
    installed = {"KUBEHOP_KUBECTL_DIR": str(ROOT / ".venv" / "kubectl")}
    try:
        return find_kubectl(environment={**installed, **os.environ})
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Up with the control plane started last: nothing depends on the order."""
    compose, kubectl = _compose_command(), _a_kubectl()
    directory = tmp_path_factory.mktemp("kubehop")
    if os.geteuid() == 0:  # the volume of an ordinary user, as one who cloned has it
        os.chown(directory, NOBODY, NOBODY)
    made = Project(compose, kubectl, directory)
    try:
        made.compose("build")
        made.compose("up", "-d", "--no-deps", "node-1", "gateway", "dns", "shop")
        early = ("node-1", "gateway", "dns")
        made.until(lambda: all(_waits(made, each) for each in early), "waiting for control")
        made.compose("up", "-d")
        yield made
    finally:
        made.down()


def _waits(project: Project, service: str) -> bool:
    return "waiting for the control plane to make files=" in project.logs(service)
