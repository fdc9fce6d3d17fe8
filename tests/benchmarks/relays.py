"""Benchmark: bare relays in a row, beside as many of HAProxy, nginx and Envoy.

A relay here is a process that accepts, connects and joins (`bare_relay`): no Services, no policies,
no trace. So this is what relaying itself costs; `paths` has the same with all of that.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks import comparison, pods
from tests.benchmarks.bench_cluster import ROOT
from tests.benchmarks.direct import direct
from tests.benchmarks.paths import Size, loaded, moved
from tests.benchmarks.peers.chains import LARGE_BUFFERS, TCP_KINDS, TCP_LENGTH, available, chain
from tests.benchmarks.peers.ports import LOOPBACK, Address, free_port
from tests.benchmarks.peers.process import serving
from tests.benchmarks.runs import Way, alternate
from tests.benchmarks.stage import DIRECT
from tests.benchmarks.table import Table

OURS = f"kubehop's relay x{TCP_LENGTH}"
PROGRAM = "tests.benchmarks.bare_relay"
TITLE = f"Bare relays, {TCP_LENGTH} in a row"


def measure(directory: Path, size: Size) -> Iterator[Table]:
    """Requests, connections, and bulk both ways."""
    with direct("server", len(pods.PORTS) + 1, directory) as (ports, pid):
        targets = {port: (LOOPBACK, at) for port, at in zip(pods.PORTS, ports, strict=False)}
        for close in (False, True):
            yield _requests(directory, size, targets[pods.MINIMAL], pid, close)
        yield _bulk(directory, size, targets[pods.SINK], pid, "up")
        yield _bulk(directory, size, targets[pods.SOURCE], pid, "down")


def _requests(directory: Path, size: Size, target: Address, pid: int, close: bool) -> Table:
    clients = size.clients[0]
    with _ways(directory, target, pid, size.peers) as ways:
        results = alternate(
            ways, size.rounds, lambda way: loaded(way, clients, size.seconds, close)
        )
    what = "new connections" if close else "keep-alive requests"
    return comparison.requests(
        f"{TITLE}: {what}, {clients} clients",
        f"bare relays, {'connections' if close else 'keep-alive'}",
        results,
        f"{size.seconds} s a run; processes that relay and do nothing else.",
    )


def _bulk(directory: Path, size: Size, target: Address, pid: int, direction: str) -> Table:
    with _ways(directory, target, pid, (*size.peers, LARGE_BUFFERS)) as ways:
        results = alternate(
            ways, size.rounds, lambda way: moved(way, direction, 1, size.bulk_seconds)
        )
    return comparison.bulk(
        f"{TITLE}: bulk {direction}load, 1 connection",
        f"bare relays, bulk {direction}",
        results,
        f"{size.bulk_seconds:g} s a run, written in pieces of 256 KiB, by a process of its own.",
    )


@contextmanager
def _ways(
    directory: Path, target: Address, pid: int, kinds: tuple[str, ...]
) -> Iterator[list[Way]]:
    with ExitStack() as stack:
        pod = [pid]
        found = [Way(DIRECT, target, list, lambda: pod)]
        found.append(stack.enter_context(_ours(directory, target, pod)))
        for kind in kinds:
            if kind in available(TCP_KINDS):
                relays = stack.enter_context(chain(kind, target, directory))
                found.append(Way(relays.name, relays.address, relays.pids, lambda: pod))
        yield found


@contextmanager
def _ours(directory: Path, target: Address, pod: list[int]) -> Iterator[Way]:
    """A chain of them."""
    pids: list[int] = []
    with ExitStack() as stack:
        for _ in range(TCP_LENGTH):
            listen = (LOOPBACK, free_port())
            words = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", PROGRAM]
            words += [str(listen[1]), str(target[1])]
            pids.append(stack.enter_context(serving(words, listen[1], "tcp", directory)).pid)
            target = listen
        yield Way(OURS, target, lambda: pids, lambda: pod)
