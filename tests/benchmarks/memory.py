"""Benchmark 2: what each process holds, its part of shared pages counted."""

from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.bench_cluster import BenchCluster, proportional_kib
from tests.benchmarks.table import Table


def measure(directory: Path, sizes: tuple[int, ...]) -> list[Table]:
    """One cluster of each size, right after its first answer."""
    return [_table(directory, nodes) for nodes in sizes]


def _table(directory: Path, nodes: int) -> Table:
    cluster = BenchCluster(directory, nodes)
    try:
        cluster.up()
        held = {name: proportional_kib(pid) for name, pid in cluster.pids().items()}
    finally:
        cluster.down()
    table = Table(
        f"Memory with {nodes} node{'s' if nodes > 1 else ''}, MiB",
        ("process", "proportional", "resident"),
        note="Pss and Rss of /proc/PID/smaps_rollup after the first answer.",
    )
    for name, kib in _with_nodes_together(held).items():
        table.add(name, _mib(kib["Pss"]), _mib(kib["Rss"]))
    total = sum(kib["Pss"] for kib in held.values())
    table.add("all", _mib(total), "")
    return table


def _with_nodes_together(held: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The nodes as one line, their mean."""
    nodes = [kib for name, kib in held.items() if name.startswith("node-")]
    found = {name: kib for name, kib in held.items() if not name.startswith("node-")}
    mean = {key: sum(kib[key] for kib in nodes) // len(nodes) for key in ("Pss", "Rss")}
    return {**found, f"a node, mean of {len(nodes)}": mean}


def _mib(kib: int) -> str:
    return f"{kib / 1024:.1f}"
