"""Benchmark 4: the API server alone, with its durable store."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from cluster.testing.kubectl import KUBECTL, KUBECTL_DIR, find_kubectl
from tests.benchmarks.control_process import BenchControl, Connection, WatcherConnection
from tests.benchmarks.table import Table

NAMESPACE = "/api/v1/namespaces/default"
PODS = f"{NAMESPACE}/pods"
MAPS = f"{NAMESPACE}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CREATING_CONNECTIONS = 32
APPLIES = 200
BURST = 100
KUBECTL_COMMANDS = (("get", "pod", "pod-0"), ("get", "pods"), ("describe", "pod", "pod-0"))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    rounds: int
    pods: int = 10_000
    more: int = 10_000  # objects besides, for the memory
    gets: int = 5_000
    watchers: tuple[int, ...] = (1, 100, 1000)
    events: int = 2_000

    @classmethod
    def smoke(cls) -> "Size":
        """Only that it runs."""
        return cls(1, pods=20, more=5, gets=20, watchers=(2,), events=20)


def measure(directory: Path, size: Size) -> list[Table]:
    """One server after the other, each from nothing."""
    listening = [_listening(directory / f"c{number}") for number in range(size.rounds)]
    control = _started(directory / "api")
    try:
        rows = uvloop.run(_requests(control, size))
        kubectl = _kubectl_rows(control, size.rounds)
    finally:
        control.stop()
    table = Table(
        "The API server, with its store on disk",
        ("what", "median", "unit"),
        note="Raw HTTP/1.1 over its Unix socket, load generator on the other core; a create is "
        f"answered when it is committed. Pods are like those of a Deployment; {BURST} changes a "
        "burst for watchers, deliveries are events times watchers. CPU is control's alone.",
    )
    table.add("from exec to listening, CPU", f"{median(listening) * 1000:.0f}", "ms")
    for row in [*rows, *kubectl]:
        table.add(*row)
    return [table]


def _started(directory: Path) -> BenchControl:
    directory.mkdir()
    return BenchControl(directory)


def _listening(directory: Path) -> float:
    control = _started(directory)
    control.stop()
    return control.cpu_when_listening


async def _requests(control: BenchControl, size: Size) -> list[tuple[str, str, str]]:
    path = control.socket
    rows: list[tuple[str, str, str]] = []
    before = control.cpu
    creates = await _rate(
        path, size.pods, CREATING_CONNECTIONS, lambda to, n: to.ask("POST", PODS, _pod(n))
    )
    rows.append((f"creates, {CREATING_CONNECTIONS} connections", f"{creates:,.0f}", "a second"))
    rows.append(_cpu("a create, with what controllers make of it", control.cpu - before, size.pods))
    for connections in (1, CREATING_CONNECTIONS):
        before = control.cpu
        gets = [
            await _rate(path, size.gets, connections, lambda to, _: to.ask("GET", f"{PODS}/pod-0"))
            for _ in range(size.rounds)
        ]
        each = (control.cpu - before) / size.rounds
        title = "gets, one connection" if connections == 1 else f"gets, {connections} connections"
        rows.append((title, f"{median(gets):,.0f}", "a second"))
        rows.append(_cpu(title.replace("gets", "a get"), each, size.gets))
    lists = [await _timed(path, PODS) for _ in range(size.rounds)]
    rows.append((f"list of {size.pods:,} pods", f"{median(lists) * 1000:.0f}", "ms"))
    before = control.cpu
    rows += await _applies(path)
    rows.append(_cpu("an apply, with the rollout", control.cpu - before, 2 * APPLIES))
    await _rate(path, size.more, CREATING_CONNECTIONS, lambda to, n: to.ask("POST", MAPS, _map(n)))
    rows.append(
        (f"memory with {size.pods + size.more:,} objects", f"{control.mebibytes:.0f}", "MiB")
    )
    for watchers in size.watchers:
        rows += await _fan_out(path, watchers, size)
    return rows


async def _rate(
    path: Path, count: int, connections: int, ask: Callable[[Connection, int], Awaitable[bytes]]
) -> float:
    """Requests a second; each connection takes the next one as soon as it has its answer."""
    opened = [await Connection.open(path) for _ in range(connections)]
    numbers = iter(range(count))

    async def client(to: Connection) -> None:
        for number in numbers:
            await ask(to, number)

    began = time.perf_counter()
    await asyncio.gather(*map(client, opened))
    seconds = time.perf_counter() - began
    for each in opened:
        each.close()
    return count / seconds


def _cpu(of: str, seconds: float, count: int) -> tuple[str, str, str]:
    """What one of so many cost the server, however busy the machine was."""
    return f"CPU of {of}", f"{seconds / count * 1000:.2f}", "ms"


async def _timed(path: Path, target: str) -> float:
    connection = await Connection.open(path)
    began = time.perf_counter()
    await connection.ask("GET", target)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


async def _applies(path: Path) -> list[tuple[str, str, str]]:
    """Server-side apply of a Deployment that is there: the same again, and with a new image."""
    connection = await Connection.open(path)
    target = f"{DEPLOYMENTS}/web?fieldManager=bench&force=true"
    took: dict[str, list[float]] = {"unchanged": [], "a new image": []}
    await connection.ask("PATCH", target, _deployment("echo:0"), "apply-patch+yaml")
    for number in range(APPLIES):
        for what, image in (("a new image", number + 1), ("unchanged", number + 1)):
            began = time.perf_counter()
            await connection.ask("PATCH", target, _deployment(f"echo:{image}"), "apply-patch+yaml")
            took[what].append(time.perf_counter() - began)
    connection.close()
    return [
        (f"server-side apply of a Deployment, {what}", f"{median(each) * 1000:.2f}", "ms")
        for what, each in took.items()
    ]


async def _fan_out(path: Path, watchers: int, size: Size) -> list[tuple[str, str, str]]:
    """Bursts of changes until each watcher has all; then single changes for the delay."""
    listed = json.loads(await _once(path, f"{MAPS}?limit=1"))["metadata"]["resourceVersion"]
    target = f"{MAPS}?watch=true&allowWatchBookmarks=false&resourceVersion={listed}"
    watching = [await WatcherConnection.open(path, target) for _ in range(watchers)]
    writers = [await Connection.open(path) for _ in range(BURST)]
    seen, number = 0, 0
    bursts = max(1, size.events // BURST if watchers < 1000 else size.events // BURST // 10)
    began = time.perf_counter()
    for _ in range(bursts):
        number += 1
        patch = json.dumps({"data": {"turn": f"{watchers}-{number}"}}).encode()
        count = min(BURST, size.more)
        asks = (
            to.ask("PATCH", f"{MAPS}/map-{index}", patch, "merge-patch+json")
            for index, to in enumerate(writers[:count])
        )
        await asyncio.gather(*asks)
        seen += count
        await asyncio.gather(*(each.until(seen) for each in watching))
    seconds = time.perf_counter() - began
    delays = []
    for _ in range(20):
        number += 1
        patch = json.dumps({"data": {"turn": f"{watchers}-{number}"}}).encode()
        seen += 1
        began = time.perf_counter()
        await writers[0].ask("PATCH", f"{MAPS}/map-0", patch, "merge-patch+json")
        await asyncio.gather(*(each.until(seen) for each in watching))
        delays.append(time.perf_counter() - began)
    for each in (*watching, *writers):
        each.close()
    made = bursts * min(BURST, size.more) * watchers
    who = f"{watchers:,} watcher{'s' if watchers > 1 else ''}"
    return [
        (f"deliveries to {who}, in bursts", f"{made / seconds:,.0f}", "a second"),
        (f"from a change to the last of {who}", f"{median(delays) * 1000:.2f}", "ms"),
    ]


async def _once(path: Path, target: str) -> bytes:
    connection = await Connection.open(path)
    try:
        return await connection.ask("GET", target)
    finally:
        connection.close()


def _kubectl_rows(control: BenchControl, rounds: int) -> list[tuple[str, str, str]]:
    """What a person waits for; nothing where no kubectl is installed."""
    if not (os.environ.get(KUBECTL) or os.environ.get(KUBECTL_DIR)):
        return []
    kubectl = find_kubectl(environment=os.environ)
    rows = []
    for arguments in KUBECTL_COMMANDS:
        took = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            command = [kubectl, f"--kubeconfig={control.kubeconfig}", *arguments]
            subprocess.run(command, capture_output=True, timeout=60, check=True)
            took.append(time.perf_counter() - began)
        rows.append((f"kubectl {' '.join(arguments)}", f"{median(took[1:]) * 1000:.0f}", "ms"))
    return rows


def _pod(number: int) -> bytes:
    container = {
        "name": "web",
        "image": "registry.example/shop/web:1.2.3",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "A", "value": "1"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    labels = {"app": "web", "pod-template-hash": "7d5c9b8f6b"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{number}", "labels": labels},
            "spec": {"schedulerName": "nobody", "containers": [container]},
        }
    ).encode()


def _map(number: int) -> bytes:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"map-{number}"},
            "data": {"key": "value" * 40},
        }
    ).encode()


def _deployment(image: str) -> bytes:
    labels = {"app": "web"}
    containers = [
        {"name": name, "image": image, "ports": [{"containerPort": port}]}
        for name, port in (("web", 8080), ("side", 8081), ("log", 8082))
    ]
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": labels},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        }
    ).encode()
