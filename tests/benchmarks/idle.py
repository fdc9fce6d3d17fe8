"""Benchmark: what connections that nobody uses cost, in private memory and descriptors."""

import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import pods
from tests.benchmarks.bench_cluster import proportional_kib
from tests.benchmarks.runs import Way
from tests.benchmarks.stage import DIRECT, KUBEHOP_WAY, Stage
from tests.benchmarks.table import Table

ANSWER_SECONDS = 10.0
CLOSED_SECONDS = 3.0
LOOK_SECONDS = 0.1
WARM = 200
REQUEST = b"GET / HTTP/1.1\r\nHost: server\r\n\r\n"


def measure(up: Stage, peers: Sequence[str], connections: int) -> Table:
    """So many opened through each way and asked once; before any load, or the memory for them
    would be there already."""
    table = Table(
        f"Memory of 1,000 idle connections, MiB, measured with {connections:,}",
        ("way", "relays", "the pod's process", "all, once closed", "descriptors of relays, each"),
        note="Growth of private memory from after a few requests to all connections open, each "
        "asked once; then what of it is left when they are closed: records of them, and what "
        "allocators keep. Relays: for kubehop every process but the node that the pod is in; that "
        "is the pod's process, with what its program holds. Measured once, before any load.",
    )
    with up.ways(pods.MINIMAL, peers) as ways:
        for way in ways:
            _row(table, way, connections)
    own = table.figures.get(f"{KUBEHOP_WAY}, in all")
    if own is not None:
        table.figures["idle: kubehop without the pod"] = own - table.figures[f"{DIRECT}, in all"]
    return table


def _row(table: Table, way: Way, connections: int) -> None:
    for _ in range(min(WARM, connections)):
        _opened(way).close()
    before = _Held.by(way)
    with ExitStack() as stack:
        for _ in range(connections):
            stack.enter_context(_opened(way))
        after = _Held.by(way)
    _wait_closed(way, before)
    left = _Held.by(way)
    relays, pod = after.relays - before.relays, after.pod - before.pod
    kept = left.relays + left.pod - before.relays - before.pod
    mebibytes = [kib / 1024 / (connections / 1000) for kib in (relays, pod, kept)]
    table.figures[f"{way.name}, in all"] = mebibytes[0] + mebibytes[1]
    each = (after.descriptors - before.descriptors) / connections
    table.add(way.name, *(f"{each:.2f}" for each in mebibytes), f"{each:.1f}")


@dataclass(frozen=True, slots=True)
class _Held:
    """Private memory, KiB, and open descriptors of relays."""

    relays: int
    pod: int
    descriptors: int

    @classmethod
    def by(cls, way: Way) -> "_Held":
        return cls(_private(way.relays()), _private(way.pod()), _descriptors(way.relays()))


def _wait_closed(way: Way, before: _Held) -> None:
    """Until the relays have as few descriptors as before, but not for long."""
    ends = time.monotonic() + CLOSED_SECONDS
    while _descriptors(way.relays()) > before.descriptors and time.monotonic() < ends:
        time.sleep(LOOK_SECONDS)


def _opened(way: Way) -> socket.socket:
    sock = socket.create_connection(way.address, ANSWER_SECONDS)
    sock.sendall(REQUEST)
    if sock.recv(4096) != pods.KEPT:
        sock.close()
        raise RuntimeError(f"{way.name}: a wrong answer on an idle connection")
    return sock


def _private(pids: Iterable[int]) -> int:
    """KiB that nobody else shares."""
    held = [proportional_kib(pid) for pid in pids]
    return sum(each["Private_Clean"] + each["Private_Dirty"] for each in held)


def _descriptors(pids: Iterable[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
