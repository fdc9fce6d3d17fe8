"""Benchmark: datagrams over two hops, against the same program direct and behind two relays.

sender -> node port on one node -> encapsulated -> the pod's node -> pod
sender -> load balancer         -> encapsulated -> the pod's node -> pod
sender -> Envoy or socat or nginx -> another of them -> the program, outside the cluster
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from subprocess import PIPE, Popen
from typing import Any

from tests.benchmarks import datagram_sink
from tests.benchmarks.affinity import pinned
from tests.benchmarks.bench_cluster import ROOT, BenchCluster, environment
from tests.benchmarks.datagram_load import half_and_99, round_trips
from tests.benchmarks.load import finished
from tests.benchmarks.peers.chains import UDP_KINDS, UDP_LENGTH, available, udp_chain
from tests.benchmarks.peers.ports import LOOPBACK, Address, free_port
from tests.benchmarks.runs import Results, Sample, Way, alternate
from tests.benchmarks.table import Table

MANIFEST = Path(__file__).parent / "datagrams.yaml"
SERVICES = "/api/v1/namespaces/default/services"
DIRECT, NODE_PORT, BALANCER = "direct", "kubehop", "kubehop, load balancer"
WINDOW = 128
STOP_SECONDS = 10
LARGE_BYTES = 1200


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    rounds: int
    seconds: float = 1.0
    sizes: tuple[int, ...] = (64, LARGE_BYTES)
    trips: int = 500
    peers: tuple[str, ...] = tuple(UDP_KINDS)

    @classmethod
    def smoke(cls) -> "Size":
        """Only that it runs."""
        return cls(1, 0.1, (64,), 5, ())


def measure(directory: Path, size: Size) -> Iterator[Table]:
    """One table for each size of datagrams, then one for round trips."""
    with _ways(directory, size.peers) as ways:
        for data_bytes in size.sizes:
            yield _one_way(ways, size, data_bytes)
        yield _there_and_back(ways, size)


def _one_way(ways: list[Way], size: Size, data_bytes: int) -> Table:
    ports = {way.name: free_port() for way in ways}  # each relay serves one sender, always the same
    for way in ways:
        _sent(way, ports[way.name], data_bytes, 0.0)
    results = alternate(
        ways,
        size.rounds,
        lambda way: _sent(way, ports[way.name], data_bytes, size.seconds),
    )
    small = "" if data_bytes == size.sizes[0] else f" {data_bytes}"
    table = Table(
        f"Datagrams of {data_bytes:,} bytes, {WINDOW} in flight, one way over two hops",
        ("way", "a second", "min..max", *_heads(ways), "CPU each", "lost"),
        note=f"{size.seconds:g} s a run, one sender, until all that was sent is counted. Ours is "
        "encapsulated between the hops and looked up at both, the others only pass it on. "
        f"Medians of {results.rounds} rounds. {results.disturbance()}",
        figures=_figures(f"datagrams{small}", results),
    )
    for way in results.runs:
        table.add(
            way,
            f"{results.median(way):,.0f}",
            "..".join(f"{end:,.0f}" for end in _ends(results, way)),
            *_ratios(results, way),
            f"{results.cpu(way) * 1e6:.1f} us",
            str(results.lost(way)),
        )
    return table


def _there_and_back(ways: list[Way], size: Size) -> Table:
    results = alternate(ways, size.rounds, lambda way: _trips(way, size.trips))
    table = Table(
        "A datagram there and back, one after the other, every process on one processor",
        ("way", "p50", "min..max", *_heads(ways), "p99", "CPU each", "lost"),
        note=f"{size.trips} of 64 bytes a run. The ratios are of times: less is better. "
        f"Medians of {results.rounds} rounds. {results.disturbance()}",
        figures=_figures("datagram there and back", results),
    )
    for way in results.runs:
        table.add(
            way,
            f"{results.median(way) * 1e6:.0f} us",
            "..".join(f"{end * 1e6:.0f}" for end in _ends(results, way)),
            *_ratios(results, way),
            f"{results.quantiles(way)[1] * 1e6:.0f} us",
            f"{results.cpu(way) * 1e6:.0f} us",
            str(results.lost(way)),
        )
    return table


def _sent(way: Way, from_port: int, data_bytes: int, seconds: float) -> Sample:
    words = map(str, (from_port, *way.address, data_bytes, WINDOW, seconds))
    said, cpu = finished([sys.executable, "-m", "tests.benchmarks.datagram_load", *words])
    sent = json.loads(said)
    return Sample(sent["delivered"] / sent["seconds"], sent["delivered"], sent["lost"], cpu)


def _trips(way: Way, count: int) -> Sample:
    with pinned([*way.pids(), os.getpid()]):
        round_trips(way.address, 64, count // 10 + 1)
        took = round_trips(way.address, 64, count)
    half, most = half_and_99(took)
    return Sample(half, count, took.count(float("inf")), 0.0, half, most)


# -- figures


def _peers(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("kubehop")]


def _heads(ways: list[Way]) -> list[str]:
    return [f"to {each}" for each in _peers([way.name for way in ways])]


def _ratios(results: Results, way: str) -> list[str]:
    found = [results.ratio(way, to) for to in _peers(list(results.runs))]
    return ["" if ratio is None else f"{ratio:.2f}" for ratio in found]


def _figures(key: str, results: Results) -> dict[str, float]:
    """Ratios by "key: way / to", and what our own ways lost."""
    found: dict[str, float] = {}
    for way in results.runs:
        if not way.startswith("kubehop"):
            continue
        for to in _peers(list(results.runs)):
            ratio = results.ratio(way, to)
            if ratio is not None:
                found[f"{key}: {way} / {to.removesuffix(f' x{UDP_LENGTH}')}"] = ratio
        found[f"{key}: {way}, lost"] = results.lost(way)
    return found


def _ends(results: Results, way: str) -> tuple[float, float]:
    values = results.values(way)
    return min(values), max(values)


# -- ways


@contextmanager
def _ways(directory: Path, peers: tuple[str, ...]) -> Iterator[list[Way]]:
    """Direct, through a cluster, through relays of others; everything up."""
    with ExitStack() as stack:
        port, sink = stack.enter_context(_sink(directory))
        direct = Way(DIRECT, (LOOPBACK, port), list, lambda: [sink])
        found = [direct, *stack.enter_context(_cluster(directory))]
        for kind in peers:
            if kind in available(UDP_KINDS):
                relays = stack.enter_context(udp_chain(kind, direct.address, directory))
                found.append(Way(relays.name, relays.address, relays.pids, direct.pod))
        yield found


@contextmanager
def _sink(directory: Path) -> Iterator[tuple[int, int]]:
    """The program outside the cluster: its port and its pid."""
    port = free_port()
    process = Popen(
        [sys.executable, "-m", "tests.benchmarks.datagram_sink", str(port)],
        cwd=ROOT,
        env=environment(directory),
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the sink outside the cluster did not start")
        yield port, process.pid
    finally:
        process.stdin.close()
        process.wait(STOP_SECONDS)
        process.stdout.close()


@contextmanager
def _cluster(directory: Path) -> Iterator[list[Way]]:
    """Two nodes, the sink's pod on the second: by the first one's node port, by the balancer."""
    manifest = directory / "datagrams.yaml"
    manifest.write_text(Template(MANIFEST.read_text()).substitute(server="node-2"))
    cluster = BenchCluster(directory, 2, ("--app-dir", str(ROOT), "-f", str(manifest)))
    try:
        cluster.up()
        pids = cluster.pids()
        relays = [pid for name, pid in pids.items() if name != "node-2"]
        yield [
            Way(name, address, lambda: relays, lambda: [pids["node-2"]])
            for name, address in _addresses(cluster)
        ]
    finally:
        cluster.down()


def _addresses(cluster: BenchCluster) -> Iterator[tuple[str, Address]]:
    anywhere: Any = cluster.api(f"{SERVICES}/sink")
    yield NODE_PORT, (cluster.node(1), anywhere["spec"]["ports"][0]["nodePort"])
    local: Any = cluster.api(f"{SERVICES}/sink-local")
    ingress = local["status"]["loadBalancer"]["ingress"][0]["ip"]
    yield BALANCER, (ingress, datagram_sink.PORT)
