"""A zygote without a launcher around it, and small processes for it to fork."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.launcher.places import Places

CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parents[3]
END_SECONDS_MAX = 20.0
_ZYGOTE = """
import socket, sys
from cluster.launcher.zygote import serve
sock, ahead = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
raise SystemExit(serve(sock, "test", ahead=ahead, stop_seconds=0.2))
"""


def python(*arguments: str, pass_fds: tuple[int, ...] = ()) -> "subprocess.Popen[str]":
    """An interpreter that finds kubehop and the tests' children."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        pass_fds=pass_fds,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{CHILDREN}"},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def launcher() -> Iterator["subprocess.Popen[str]"]:
    """`children/launcher.py`, running."""
    with python(str(CHILDREN / "launcher.py"), "0.2") as process:
        yield process
        process.kill()


@pytest.fixture
def zygote_process(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[socket.socket, "subprocess.Popen[str]"]]:
    """A zygote of a process of its own, and the launcher's end of its socket.

    The parameter is the module that it imports ahead; none without.
    """
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ahead = getattr(request, "param", "")
    with python("-c", _ZYGOTE, str(far.fileno()), ahead, pass_fds=(far.fileno(),)) as process:
        far.close()
        near.setblocking(False)
        yield near, process
        near.close()
        process.wait(END_SECONDS_MAX)


@pytest.fixture
def zygote(zygote_process: tuple[socket.socket, object]) -> socket.socket:
    return zygote_process[0]


@pytest.fixture
def ended() -> Callable[[int], bool]:
    """Wait for the end of a process; False when it does not come."""

    def wait(pid: int) -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], END_SECONDS_MAX)[0])
        finally:
            os.close(descriptor)

    return wait


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Whether a process is in the kernel's table: zombies are."""
    return lambda pid: Path(f"/proc/{pid}").exists()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A cluster's directories, made, in a place of the test's own."""
    monkeypatch.setenv("KUBEHOP_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("KUBEHOP_STATE_DIR", str(tmp_path / "state"))
    found = Places.of("demo")
    found.make()
    return found
