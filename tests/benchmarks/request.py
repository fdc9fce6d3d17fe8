"""Benchmark 3: a request through the whole path against one straight at the same application."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from tests.benchmarks.bench_cluster import PORT, ROOT, BenchCluster, environment
from tests.benchmarks.load import Load, load
from tests.benchmarks.machine import Quiet
from tests.benchmarks.table import Table

NODE_PORT = 30080
BUSY_CONNECTIONS = 16
DIRECT = "straight: aiohttp outside the cluster"
OWN_NODE = "node port of the pod's node -> pod"
OTHER_NODE = "node port of another node -> node -> pod"
GATEWAY = "gateway -> node (-> node) -> pod"


def measure(directory: Path, rounds: int, requests: int, nodes: int) -> list[Table]:
    """All peers in turns, in one run; keep-alive and a connection for each request."""
    cluster = BenchCluster(directory, nodes)
    try:
        cluster.up()
        with _direct(directory) as port:
            peers = {DIRECT: ("127.0.0.1", port), **_peers(cluster, nodes)}
            kept = _table(peers, rounds, requests, keep_alive=True)
            return [kept, _table(peers, rounds, requests // 4, keep_alive=False)]
    finally:
        cluster.down()


def _peers(cluster: BenchCluster, nodes: int) -> dict[str, tuple[str, int]]:
    listed: Any = cluster.api("/api/v1/namespaces/default/pods")
    (pod,) = listed["items"]
    own = int(pod["spec"]["nodeName"].removeprefix("node-"))
    found = {OWN_NODE: (cluster.node(own), NODE_PORT)}
    if nodes > 1:
        found[OTHER_NODE] = (cluster.node(own % nodes + 1), NODE_PORT)
    return {**found, GATEWAY: (cluster.balancer, PORT)}


def _table(
    peers: dict[str, tuple[str, int]], rounds: int, requests: int, keep_alive: bool
) -> Table:
    alone: dict[str, list[Load]] = {name: [] for name in peers}
    busy: dict[str, list[Load]] = {name: [] for name in peers}
    quiet = Quiet()
    for number in range(rounds + 1):
        if number:
            quiet.wait()
        for name, (ip, port) in peers.items():
            alone[name].append(_run(ip, port, requests // 4, 1, keep_alive))
            busy[name].append(_run(ip, port, requests, BUSY_CONNECTIONS, keep_alive))
    how = "kept alive" if keep_alive else "one for each request"
    table = Table(
        f"Requests, connections {how}",
        ("way", "latency p50", "p99", "ratio", f"requests/s, {BUSY_CONNECTIONS} at once", "ratio"),
        note=f"Medians of {rounds} rounds of all ways in turns, after one that does not count: "
        f"{requests // 4} requests one after the other, then {requests} on {BUSY_CONNECTIONS} "
        f"connections. Ratios: to the straight way. {quiet}",
    )
    base_latency, base_rate = 0.0, 0.0
    for name in peers:
        p50 = median(each.quantile(0.5) for each in alone[name][1:])
        p99 = median(each.quantile(0.99) for each in alone[name][1:])
        rate = median(each.per_second for each in busy[name][1:])
        base_latency, base_rate = base_latency or p50, base_rate or rate
        table.add(
            name,
            f"{p50 * 1e6:.0f} us",
            f"{p99 * 1e6:.0f} us",
            f"{p50 / base_latency:.2f}",
            f"{rate:.0f}",
            f"{rate / base_rate:.2f}",
        )
    return table


def _run(ip: str, port: int, requests: int, connections: int, keep_alive: bool) -> Load:
    return uvloop.run(
        load(ip, port, requests=requests, connections=connections, keep_alive=keep_alive)
    )


@contextmanager
def _direct(directory: Path) -> Iterator[int]:
    """The application by itself; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.direct"],
        cwd=ROOT,
        env=environment(directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
