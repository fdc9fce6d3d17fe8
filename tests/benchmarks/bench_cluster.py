"""A cluster brought up by the command itself, as a user would, and timed from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MANIFEST = Path(__file__).parent / "web.yaml"
KUBEHOP = [sys.executable, "-m", "cluster"]
SHOP = ("--app-dir", str(ROOT / "examples"), "-f", str(MANIFEST))
PORT = 8080
NAME = "bench"
REQUEST = b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"
DOWN_SECONDS = 120.0  # of hundreds of nodes
_NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE"}
_STEP = re.compile(r"^\S+ (?P<what>\S+)\s+(?P<took>[\d.]+) (?P<unit>ms|s)\b")


@dataclass(slots=True)
class Start:
    """One start: when each part was ready, and what it cost, seconds since the command began."""

    ready: dict[str, float] = field(default_factory=dict)  # as `kubehop up` tells
    forked: float = 0.0  # control was asked for: what all share is imported
    first_answer: float = 0.0
    returned: float = 0.0  # the command has ended
    cpu: dict[str, float] = field(default_factory=dict)  # CPU seconds, by process

    def phases(self) -> dict[str, float]:
        """When each phase was over."""
        nodes = [when for what, when in self.ready.items() if what.startswith("node-")]
        return {
            "interpreters and shared imports": self.forked,
            "API ready": self.ready["control"],
            "nodes ready": max(nodes),
            "DNS answering": self.ready["dns"],
            "app ready, everything settled": self.ready["cluster"],
            "first 200": self.first_answer,
            "the command returns": self.returned,
        }


class BenchCluster:
    """One cluster in a directory of its own; `up`, then `down`."""

    def __init__(self, directory: Path, nodes: int, options: Sequence[str] = SHOP) -> None:
        self._nodes = nodes
        self._options = options
        self._environment = {
            **environment(directory),
            "KUBEHOP_RUN_DIR": str(directory / "run"),
            "KUBEHOP_STATE_DIR": str(directory / "state"),
            "NO_COLOR": "1",
        }
        self._record = directory / "run" / NAME / "cluster.json"

    def up(self) -> Start:
        """Start it; return after the first answer through the gateway."""
        start = Start()
        began = time.monotonic()
        process = subprocess.Popen(
            [*KUBEHOP, "up", "--name", NAME, "--nodes", str(self._nodes), *self._options],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        said = self._follow(process, start, began)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        start.returned = time.monotonic() - began
        if process.returncode:
            raise RuntimeError(f"kubehop up: status {process.returncode}: {said}")
        start.cpu["kubehop up"] = usage.ru_utime + usage.ru_stime
        return start

    def _follow(self, process: "subprocess.Popen[bytes]", start: Start, began: float) -> str:
        said = []
        assert process.stderr is not None
        for line in process.stderr:
            now = time.monotonic() - began
            said.append(line.decode(errors="replace"))
            step = _STEP.match(said[-1])
            if step is None:
                continue
            start.ready[step["what"]] = now
            if step["what"] == "control":
                start.forked = now - float(step["took"]) / (1000 if step["unit"] == "ms" else 1)
            if step["what"] == "cluster":
                self.ask()
                start.first_answer = time.monotonic() - began
                start.cpu.update({name: cpu_seconds(pid) for name, pid in self.pids().items()})
        process.stderr.close()
        return "".join(said)

    def ask(self) -> None:
        """One request through the gateway; anything but a 200 is an error."""
        with socket.create_connection((self.balancer, PORT), timeout=10) as sock:
            sock.sendall(REQUEST)
            answer = sock.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the first answer was {answer[:200]!r}")

    @property
    def balancer(self) -> str:
        """The load balancer's address: the first of the slot, for there is one Service."""
        return f"127.65.{self.record()['slot']}.1"

    def node(self, number: int) -> str:
        """A node's real address."""
        return f"127.64.{self.record()['slot']}.{number}"

    def record(self) -> dict[str, object]:
        """cluster.json."""
        found: dict[str, object] = json.loads(self._record.read_text())
        return found

    def pids(self) -> dict[str, int]:
        """Every process of the cluster; the zygote is the parent of the others."""
        record = self.record()
        found = {each["name"]: each["pid"] for each in record["processes"]}  # type: ignore[attr-defined]
        launcher = record["launcher"]["pid"]  # type: ignore[index]
        return {"launcher": launcher, "zygote": _parent(found["control"]), **found}

    def api(self, path: str) -> object:
        """GET from the API over its socket, without a client to be measured."""
        import http.client

        class OverUnix(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(self.host)

        connection = OverUnix(str(self._record.parent / "control.sock"))
        connection.request("GET", path, headers={"Host": "control"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def down(self) -> None:
        """End it; whoever is left after a while is killed, by pid."""
        pids = self.pids() if self._record.exists() else {}
        subprocess.run(
            [*KUBEHOP, "down", "--name", NAME],
            env=self._environment,
            capture_output=True,
            timeout=DOWN_SECONDS,
            check=False,
        )
        for pid in pids.values():
            if _alive(pid):
                os.kill(pid, signal.SIGKILL)


def environment(directory: Path) -> dict[str, str]:
    """That of an installed kubehop: its modules are compiled once and then read, wherever that is
    switched off for working on them."""
    kept = {name: text for name, text in os.environ.items() if name not in _NO_BYTECODE}
    path = os.pathsep.join([str(ROOT), str(ROOT / "examples")])
    return {**kept, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far; what its parent had used does not count."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def proportional_kib(pid: int) -> Mapping[str, int]:
    """Pss and Rss of a process in KiB: pages shared by n processes count 1/n in Pss."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    pairs = (line.split() for line in lines)
    return {name.rstrip(":"): int(number) for name, number, *_ in pairs}


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _alive(pid: int) -> bool:
    try:
        return "kubehop" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
