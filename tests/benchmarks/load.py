"""One run of load: by wrk, or by our own client where wrk is not installed, or counts too coarsely:
it knows whole seconds alone."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.peers import programs, wrk
from tests.benchmarks.peers.ports import Address


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it, and what it cost the one who asked."""

    requests: int
    per_second: float
    p50: float  # seconds
    p99: float
    lost: int  # not connected, reset, closed before the answer, or answered wrongly
    cpu: float  # the generator's, seconds


def load(address: Address, clients: int, seconds: float, *, close: bool = False) -> Load:
    """So many clients for so long; with `close`, a connection for each request."""
    if programs.found("wrk") is None or not float(seconds).is_integer():
        return _own(address, clients, seconds, close)
    ran = wrk.wrk(address, clients, int(seconds), close=close)
    return Load(ran.requests, ran.per_second, ran.p50, ran.p99, ran.lost, ran.cpu)


def generator() -> str:
    """Who asks, for the document."""
    if programs.found("wrk") is None:
        return "our own client, tests/benchmarks/client.py: wrk is not installed"
    return "wrk, on one thread"


def _own(address: Address, clients: int, seconds: float, close: bool) -> Load:
    how = "close" if close else "keep"
    words = [address[0], str(address[1]), str(clients), str(seconds), how]
    said, cpu = finished([sys.executable, "-m", "tests.benchmarks.client", *words])
    return Load(**json.loads(said), cpu=cpu)


def finished(command: Sequence[str]) -> tuple[str, float]:
    """What a command printed, and its CPU time."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}")
    return said, usage.ru_utime + usage.ru_stime
