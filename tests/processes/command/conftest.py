"""The installed command `kubehop`, run as people run it, in directories of the tests' own."""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).parent / "kubehop"
ROOT = Path(__file__).resolve().parents[3]
SECONDS_MAX = 90.0


class Kubehop:
    """The command, and what it has left running and lying about."""

    def __init__(self, directory: Path) -> None:
        self.run_root = directory / "r"
        self.state_root = directory / "s"
        self._unique = uuid.uuid4().hex[:8]
        self.environ = {
            **os.environ,
            "KUBEHOP_RUN_DIR": str(self.run_root),
            "KUBEHOP_STATE_DIR": str(self.state_root),
        }

    def named(self, name: str) -> str:
        """A cluster's name that no other test of the machine has."""
        return f"{name}-{self._unique}"

    def __call__(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(words),
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    def done(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """The same where nothing else than success will do."""
        result = self(*words)
        assert result.returncode == 0, result.stderr
        return result

    def begin(self, *words: str | Path) -> "subprocess.Popen[str]":
        """Start it and go on."""
        return subprocess.Popen(
            self.command(words),
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, words: tuple[str | Path, ...]) -> list[str]:
        return [str(COMMAND), *map(str, words)]

    def ask(self, name: str, path: str) -> Any:
        """GET a document of a cluster's API."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.run_root / name / "control.sock"))
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    # -- what is left

    def processes(self, name: str) -> dict[int, str]:
        """Every process of a cluster, by its title or command line; zombies have none."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                with suppress(OSError):
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if name in line:
                        found[int(entry.name)] = line.strip()
        return found

    def left(self, name: str) -> list[str]:
        """Processes and files of a cluster."""
        files = [self.run_root / name, self.state_root / name]
        return [*self.processes(name).values(), *(str(each) for each in files if each.exists())]


def ends(pids: list[int]) -> bool:
    """Wait until processes have ended; False when one does not."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([descriptor], [], [], SECONDS_MAX)[0]:
                return False
        finally:
            os.close(descriptor)
    return True


@pytest.fixture(scope="module")
def kubehop() -> Iterator[Kubehop]:
    """The command; at the end no cluster of it is left, whatever a test did."""
    directory = Path(tempfile.mkdtemp(prefix="kh", dir="/tmp"))  # short: it is for sockets
    command = Kubehop(directory)
    try:
        yield command
    finally:
        for pid in command.processes(command.named("")):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(directory)


@pytest.fixture(name="ends", scope="session")
def ends_fixture():
    return ends
