"""Benchmark: clusters of a size, and how soon all of their nodes know of a change.

A cluster is brought up by the command with Deployments of pods that do nothing, each behind a
Service. Then one endpoint becomes ready and unready by turns, and each node is asked whether it
decides by that.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.benchmarks.bench_cluster import BenchCluster, Start, cpu_seconds, proportional_kib
from tests.benchmarks.table import Table, milliseconds

PODS_OF_A_DEPLOYMENT = 100
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
SLICE = "bench"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Size:
    """What is brought up, and how often an endpoint changes; 0: not at all."""

    clusters: tuple[tuple[int, int, int], ...] = ((100, 1000, 50), (300, 3000, 0))

    @classmethod
    def smoke(cls) -> "Size":
        """That it runs."""
        return cls(((2, 4, 3),))


class ManyNodes(BenchCluster):
    """A cluster whose pods answer nobody."""

    def ask(self) -> None:
        """Nothing: it is settled, which is what is measured."""

    def socket(self, name: str) -> str:
        """Where a process is asked."""
        return str(self._record.parent / f"{name}.sock")


def measure(directory: Path, size: Size) -> list[Table]:
    """A table of the sizes, and one of changes."""
    table = Table(
        "Many nodes",
        ("cluster", "settled", "CPU control", "CPU nodes", "CPU all", "all, MiB", "a node, MiB"),
        note="From the command until every pod is Ready, every Service has its endpoints and every "
        "node decides by them. CPU is that of all processes until then; memory is proportional of "
        "all, and a node's mean of what is its alone.",
    )
    changes = Table(
        "An endpoint changes: when a node decides by it",
        ("cluster", "median", "p99", "slowest"),
        note="From the request that changes an EndpointSlice until each node has answered that it "
        "decides by it, the client's own work included.",
    )
    _warm(directory)
    for nodes, pods, rounds in size.clusters:
        _one(directory, nodes, pods, rounds, table, changes)
    return [table, changes] if changes.rows else [table]


def _warm(directory: Path) -> None:
    """Have the modules compiled, as those of an installed kubehop are."""
    cluster = ManyNodes(directory, 1, ())
    try:
        cluster.up()
    finally:
        cluster.down()


def _one(directory: Path, nodes: int, pods: int, rounds: int, table: Table, changes: Table) -> None:
    manifest = directory / "pods.json"
    manifest.write_text(json.dumps(manifest_of(pods)))
    cluster = ManyNodes(directory, nodes, ("-f", str(manifest)))
    name = f"{nodes} nodes, {pods:,} pods"
    try:
        start = cluster.up()
        table.add(name, *_cells(start, cluster))
        table.figures[f"many nodes: {nodes} up"] = start.ready["cluster"]
        if rounds:
            took = sorted(asyncio.run(_changes(cluster, nodes, rounds)))
            late = took[int(len(took) * 0.99)]
            changes.add(name, *map(milliseconds, (median(took), late, took[-1])))
            changes.figures["many nodes: change seen, p99"] = late * 1000
    finally:
        cluster.down()


def manifest_of(pods: int) -> dict[str, Any]:
    """Deployments and their Services, as one List."""
    items = []
    for first in range(0, pods, PODS_OF_A_DEPLOYMENT):
        name, labels = f"many-{first}", {"app": f"many-{first}"}
        container = {"name": "main", "image": "registry.k8s.io/pause:3.9"}
        spec = {
            "replicas": min(PODS_OF_A_DEPLOYMENT, pods - first),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        meta = {"name": name}
        items.append(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
        )
        service = {"selector": labels, "ports": [{"port": 80}]}
        items.append({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service})
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _cells(start: Start, cluster: ManyNodes) -> list[str]:
    pids = cluster.pids()
    held = {name: proportional_kib(pid) for name, pid in pids.items()}
    own = [kib["Private_Clean"] + kib["Private_Dirty"] for name, kib in held.items() if _node(name)]
    cpu: Mapping[str, float] = start.cpu or {name: cpu_seconds(pid) for name, pid in pids.items()}
    of_nodes = sum(seconds for name, seconds in cpu.items() if _node(name))
    return [
        f"{start.ready['cluster']:.1f} s",
        f"{cpu['control']:.1f} s",
        f"{of_nodes:.1f} s",
        f"{sum(cpu.values()):.1f} s",
        f"{sum(kib['Pss'] for kib in held.values()) / 1024:,.0f}",
        f"{sum(own) / len(own) / 1024:.1f}",
    ]


def _node(name: str) -> bool:
    return name.startswith("node-")


class _Line:
    """A connection that is kept alive, so that a request is all that is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, path: str) -> Self:
        return cls(*await asyncio.open_unix_connection(path))

    async def request(self, method: str, path: str, body: Any = None, kind: str = "json") -> bytes:
        """One request and the body of its answer; anything but a 2xx is an error."""
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/{kind}\r\n"
        self._writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        fields = (line.partition(b":") for line in answered.split(b"\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in fields}
        text = await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        if not answered.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{method} {path}: {answered!r} {text[:500]!r}")
        return text

    def close(self) -> None:
        self._writer.close()


async def _changes(cluster: ManyNodes, nodes: int, rounds: int) -> list[float]:
    """Seconds from a change to each node's word, of every round."""
    api = await _Line.to(cluster.socket("control"))
    lines = [await _Line.to(cluster.socket(f"node-{each + 1}")) for each in range(nodes)]
    await api.request("POST", SLICES, _slice(ready=True))
    took: list[float] = []
    for number in range(rounds):
        began = time.monotonic()
        changed = {"endpoints": _slice(ready=bool(number % 2))["endpoints"]}
        answer = await api.request("PATCH", f"{SLICES}/{SLICE}", changed, "merge-patch+json")
        version = json.loads(answer)["metadata"]["resourceVersion"]
        took += await asyncio.gather(*(_seen(line, version, began) for line in lines))
    for line in (api, *lines):
        line.close()
    return took


async def _seen(line: _Line, version: str, began: float) -> float:
    query = f"endpointslices={version}&timeout={ANSWER_SECONDS:g}"
    await line.request("GET", f"/programmed?{query}")
    return time.monotonic() - began


def _slice(*, ready: bool) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": SLICE, "labels": {"kubernetes.io/service-name": "many-0"}},
        "addressType": "IPv4",
        "ports": [{"port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": ready}}],
    }
