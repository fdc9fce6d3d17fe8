"""Benchmark: what connections that nobody uses cost, in private memory and descriptors."""

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import pods
from tests.benchmarks.bench_cluster import proportional_kib
from tests.benchmarks.load import load
from tests.benchmarks.runs import Way
from tests.benchmarks.stage import DIRECT, KUBEHOP_WAY, Stage
from tests.benchmarks.table import Table

ANSWER_SECONDS = 10.0
CLOSED_SECONDS = 3.0
LOOK_SECONDS = 0.1
FEW = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: server\r\n\r\n"


def measure(up: Stage, peers: Sequence[str], connections: int, seconds: float) -> Table:
    """So many opened through each way and asked once; before any other load, or the memory for them
    would be there already."""
    table = Table(
        f"Memory of 1,000 idle connections, MiB, measured with {connections:,}",
        ("way", "relays", "the pod's process", "once closed", "before", "descriptors, each"),
        note="Growth of private memory from before to when all are open, each asked once; what of "
        "it is left when they are closed, for allocators keep some. Before: "
        f"{seconds:g} s of new connections, {FEW} at a time, which fill what is bounded, such as "
        "records for traces; their growth is not for each 1,000, it ends. Relays, whose "
        "descriptors are counted, are for kubehop every process but the node that the pod is in; "
        "that is the pod's process, with what its program holds. Measured once.",
    )
    with up.ways(pods.MINIMAL, peers) as ways:
        for way in ways:
            _row(table, way, connections, seconds)
    own = table.figures.get(f"{KUBEHOP_WAY}, in all")
    if own is not None:
        table.figures["idle: kubehop without the pod"] = own - table.figures[f"{DIRECT}, in all"]
    return table


def _row(table: Table, way: Way, connections: int, seconds: float) -> None:
    _opened(way).close()
    fresh = _Held.by(way)
    load(way.address, FEW, seconds, close=True)
    before = _Held.by(way)
    with ExitStack() as stack:
        for _ in range(connections):
            stack.enter_context(_opened(way))
        after = _Held.by(way)
    _wait_closed(way, before)
    left = _Held.by(way)
    thousands = connections / 1000
    relays, pod = ((to - since) / thousands for to, since in zip(after, before, strict=True))
    kept, filled = (sum(left) - sum(before)) / thousands, sum(before) - sum(fresh)
    table.figures[f"{way.name}, in all"] = relays + pod
    each = (after.descriptors - before.descriptors) / connections
    table.add(
        way.name, *(f"{at:.2f}" for at in (relays, pod, kept, filled)), f"{abs(each):.1f} each"
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """Private memory, MiB, and open descriptors of relays."""

    relays: float
    pod: float
    descriptors: int

    def __iter__(self) -> Iterator[float]:
        """The memory."""
        return iter((self.relays, self.pod))

    @classmethod
    def by(cls, way: Way) -> "_Held":
        """What is held now."""
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


def _private(pids: Iterable[int]) -> float:
    """MiB that nobody else shares."""
    held = [proportional_kib(pid) for pid in pids]
    return sum(each["Private_Clean"] + each["Private_Dirty"] for each in held) / 1024


def _descriptors(pids: Iterable[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
