"""Benchmark 2: what each process holds, its part of shared pages counted, and what is its alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_cluster import BenchCluster, proportional_kib
from tests.benchmarks.table import Table

REQUESTS = 100  # to a pod, before its node is looked at again
KINDS = ("Private", "Pss", "Rss")


def measure(directory: Path, sizes: tuple[int, ...]) -> list[Table]:
    """One cluster of each size, right after its first answer; then the pod's node after work."""
    return [_table(directory, nodes) for nodes in sizes]


def _table(directory: Path, nodes: int) -> Table:
    cluster = BenchCluster(directory, nodes)
    try:
        cluster.up()
        held = {name: _held(pid) for name, pid in cluster.pids().items()}
        busy = _node_of_the_pod(cluster)
        for _ in range(REQUESTS):
            cluster.ask()
        worked = _held(cluster.pids()[busy])
    finally:
        cluster.down()
    table = Table(
        f"Memory with {nodes} node{'s' if nodes > 1 else ''}, MiB",
        ("process", "private", "proportional", "resident"),
        note="Private pages, Pss and Rss of /proc/PID/smaps_rollup after the first answer; the "
        f"last row is the node of the pod after {REQUESTS} more requests, a connection each.",
    )
    for name, kib in _with_nodes_together(held).items():
        table.add(name, *(_mib(kib[kind]) for kind in KINDS))
    table.add("all", _mib(sum(kib["Private"] for kib in held.values())), _proportional(held), "")
    table.add("the pod's node after work", *(_mib(worked[kind]) for kind in KINDS))
    idle = [kib["Private"] for name, kib in held.items() if _is_node(name) and name != busy]
    if idle:
        table.figures["memory: node, idle"] = sum(idle) / len(idle) / 1024
    table.figures["memory: node, after work"] = worked["Private"] / 1024
    return table


def _held(pid: int) -> Mapping[str, int]:
    """KiB by kind."""
    found = proportional_kib(pid)
    return {**found, "Private": found["Private_Clean"] + found["Private_Dirty"]}


def _node_of_the_pod(cluster: BenchCluster) -> str:
    pods: Any = cluster.api("/api/v1/namespaces/default/pods")
    return str(pods["items"][0]["spec"]["nodeName"])


def _with_nodes_together(held: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The nodes as one line, their mean."""
    nodes = [kib for name, kib in held.items() if _is_node(name)]
    found = {name: kib for name, kib in held.items() if not _is_node(name)}
    mean = {kind: sum(kib[kind] for kib in nodes) // len(nodes) for kind in KINDS}
    return {**found, f"a node, mean of {len(nodes)}": mean}


def _is_node(name: str) -> bool:
    return name.startswith("node-")


def _proportional(held: Mapping[str, Mapping[str, int]]) -> str:
    return _mib(sum(kib["Pss"] for kib in held.values()))


def _mib(kib: int) -> str:
    return f"{kib / 1024:.1f}"
