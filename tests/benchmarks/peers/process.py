"""One process of a peer: started, awaited, ended by its pid."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.peers.ports import is_served

READY_SECONDS = 15.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.02


@contextmanager
def serving(
    command: list[str],
    port: int,
    protocol: str,
    directory: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, once somebody serves the port; ended and reaped after."""
    log = directory / f"{Path(command[0]).name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env=env,
        )
    try:
        _wait(process, port, protocol, log)
        yield process
    finally:
        stop(process)


def _wait(process: "subprocess.Popen[bytes]", port: int, protocol: str, log: Path) -> None:
    ends = time.monotonic() + READY_SECONDS
    while not is_served(port, protocol):
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"{process.args!r} does not serve: {log.read_text()[-2000:]}")
        time.sleep(LOOK_SECONDS)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Asked to end, then made to."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def family(pid: int) -> list[int]:
    """The process and those that it started, as nginx and socat do."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]
