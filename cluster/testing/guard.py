"""The process beside pytest that starts clusters and outlives pytest to end them; see its module.

It is started with the first cluster, and anew should somebody have killed it.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from cluster.errors import ClusterError
from cluster.launcher.spawn import environment, read_report

MODULE = "cluster.testing.guard_process"
END_SECONDS = 60.0  # it gives its clusters half of that
LINES_SHOWN_MAX = 10


class Guard:
    """Starts launchers that do not outlive this process."""

    def __init__(self, module: str = MODULE) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def launch(self, spec: str) -> int:
        """Order a launcher for a cluster (a ClusterSpec's JSON); the descriptor it reports to."""
        order = {
            "arguments": ["--spec", spec, "--detach"],
            "environment": dict(os.environ),
            "directory": os.getcwd(),  # noqa: PTH109  a text
        }
        reading, writing = os.pipe()
        try:
            self._send(json.dumps(order).encode() + b"\n", writing)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return reading

    def _send(self, data: bytes, descriptor: int) -> None:
        """Send an order with a descriptor, to a new process if the last one is gone."""
        try:
            orders = self._orders or self._start()
            sent = socket.send_fds(orders, [data], [descriptor])
        except (BrokenPipeError, ConnectionResetError):
            self.close()
            orders = self._start()
            sent = socket.send_fds(orders, [data], [descriptor])
        orders.sendall(data[sent:])

    def _start(self) -> socket.socket:
        near, far = socket.socketpair()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],  # -P: not from the tests' directory
                stdin=far.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C and a closed terminal are not for it
                env=environment(),
            )
        self._orders = near
        return near

    def close(self) -> None:
        """Let it end what still runs, and end."""
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            self._process.wait(END_SECONDS)
            self._process = None


def awaited(reports: Iterable[str], name: str, log: Path) -> None:
    """Read a launcher's reports until its cluster serves; the error says why it does not."""
    for line in reports:
        if read_report(line).get("done"):
            return
    raise ClusterError(f"the launcher of {name} ended without a word; {_last_lines(log)}")


def _last_lines(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-LINES_SHOWN_MAX:]
    except OSError:
        return f"it wrote no log {log}"
    return "\n  ".join((f"the end of {log}:", *lines))
