"""The process beside pytest that ends what a dead pytest has left running; started on first use."""

import subprocess
import sys
import threading
from contextlib import suppress

from cluster.testing.guard_process import START, STOPPED

MODULE = "cluster.testing.guard_process"
END_SECONDS = 60.0


class Guard:
    """Is told of every cluster that starts and stops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def starting(self, name: str) -> None:
        """From now on a cluster of this name may be there."""
        self._tell(START, name)

    def stopped(self, name: str) -> None:
        """It is gone."""
        self._tell(STOPPED, name)

    def _tell(self, verb: str, name: str) -> None:
        with self._lock:
            self._process = self._process or _start()
            assert self._process.stdin is not None
            self._process.stdin.write(f"{verb} {name}\n".encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Let it end what is left, and end."""
        with self._lock:
            if self._process is None:
                return
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):  # somebody killed it
                self._process.stdin.close()
            self._process.wait(END_SECONDS)
            self._process = None


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and a closed terminal are not for it
    )
