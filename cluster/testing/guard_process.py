"""Starts the clusters of a test run and ends those that it leaves behind: `python -m` this.

Standard input is a Unix socket of the test run. An order is a line of JSON, with the descriptor of
the pipe that the launcher reports to:

    {"arguments": [...], "environment": {...}, "directory": "..."}

Each launcher is forked from this process, which has imported everything once: a cluster is up in a
third of the time that a launcher with an interpreter of its own takes. At the end of the input the
launchers that still run are ended. So no cluster outlives the pytest that wanted it, not even after
`kill -9`: the kernel closes the socket.

Like the zygote it has no event loop and no threads, so that a fork is safe.
"""

import gc
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from cluster.dataclass import compile_one

ORDER_BYTES_MAX = 4 << 20  # an environment is the most of it
CHUNK_BYTES = 64 * 1024
END_SECONDS = 30.0  # for launchers to end their clusters, before they are killed
POLL_SECONDS = 0.02
CRASHED = 70  # EX_SOFTWARE
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Main = Callable[[Sequence[str]], int]
Launchers = dict[int, str]  # pid -> its command line, for messages


def serve(orders: socket.socket, main: Main) -> Launchers:
    """Fork a launcher for each order until the input ends; those that still run then."""
    running: Launchers = {}
    while (received := receive(orders)) is not None:
        order, report = received
        reap(running)
        try:
            running[_fork(orders, order, report, main)] = " ".join(order["arguments"])
        finally:
            os.close(report)
    reap(running)
    return running


def receive(orders: socket.socket) -> tuple[dict[str, Any], int] | None:
    """The next order and its descriptor; None at the end of the input, in the middle too."""
    data, descriptors, _, _ = socket.recv_fds(orders, CHUNK_BYTES, 1)
    while data and not data.endswith(b"\n") and len(data) < ORDER_BYTES_MAX:
        more = orders.recv(CHUNK_BYTES)
        data = data + more if more else b""
    if data.endswith(b"\n") and descriptors:
        return json.loads(data), descriptors[0]
    for descriptor in descriptors:
        os.close(descriptor)
    return None


def _fork(orders: socket.socket, order: Mapping[str, Any], report: int, main: Main) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = CRASHED
    try:
        orders.close()
        _become(order)
        status = main([*order["arguments"], "--report-fd", str(report)])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become(order: Mapping[str, Any]) -> None:
    """Be as if started by whoever ordered: session, environment, directory, no input.

    SIGTERM stays ignored until the launcher handles it: it would die half started and leave files.
    """
    os.setsid()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])


def reap(running: Launchers) -> None:
    """Forget those that have ended."""
    for pid in list(running):
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended:
            del running[pid]


def end(running: Launchers, seconds: float = END_SECONDS) -> None:
    """End launchers, which end their clusters; return when all are gone.

    They are told again and again: one that has just begun does not listen yet.
    """
    deadline = time.monotonic() + seconds
    while running and time.monotonic() < deadline:
        _signal(running, signal.SIGTERM)
        time.sleep(POLL_SECONDS)
        reap(running)
    for command in running.values():
        print(f"killed, it did not end in {seconds:g} s: {command}", file=sys.stderr)
    _signal(running, signal.SIGKILL)
    while running:
        time.sleep(POLL_SECONDS)
        reap(running)


def _signal(running: Launchers, number: int) -> None:
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def run() -> None:
    """Serve the standard input to its end, and end what it has left."""
    from setproctitle import setproctitle

    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)  # this has to outlive its pytest
    setproctitle(f"kubehop guard of process {os.getppid()}")  # launchers could not begin with it
    with socket.socket(fileno=os.dup(0)) as orders:
        from cluster.launcher import daemon  # noqa: F401  what the launcher would import
        from cluster.launcher.__main__ import main
        from cluster.launcher.zygote import import_all

        import_all()
        while compile_one():  # once for all clusters
            pass
        gc.collect()
        gc.freeze()  # what is shared with the launchers is not touched by their collections
        left = serve(orders, main)
    end(left)


if __name__ == "__main__":
    run()
