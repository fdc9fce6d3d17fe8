"""Benchmark: the whole path against the same program direct, and behind three relays of others."""

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from tests.benchmarks import comparison, idle, pods, shares
from tests.benchmarks.affinity import pinned
from tests.benchmarks.load import finished, load
from tests.benchmarks.peers.chains import LARGE_BUFFERS
from tests.benchmarks.runs import Sample, Way, alternate
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.table import Table

PEERS = ("HAProxy", "nginx", "Envoy")
ANSWER_SECONDS = 30.0
REQUEST = b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    rounds: int
    nodes: int = 3
    seconds: float = 2
    bulk_seconds: float = 1.0
    clients: tuple[int, ...] = (32, 128)
    connections: int = 32
    streams: tuple[int, ...] = (1, 4)
    replies: int = 200
    idle: int = 2000
    peers: tuple[str, ...] = PEERS

    @classmethod
    def smoke(cls) -> "Size":
        """Only that it runs."""
        return cls(
            1,
            2,
            0.2,
            0.1,
            clients=(4,),
            connections=4,
            streams=(2,),
            replies=5,
            idle=20,
            peers=(),
        )


def measure(directory: Path, size: Size) -> Iterator[Table]:
    """One table after the other, over one set of clusters."""
    with stage(directory, size.nodes) as up:
        yield idle.measure(up, size.peers, size.idle, size.seconds)
        for clients in size.clients:
            yield _keep_alive(up, size, clients)
        yield _connections(up, size, pods.MINIMAL, "minimal")
        yield shares.measure(up, size.connections, size.seconds)
        yield _connections(up, size, pods.AIOHTTP, "aiohttp")
        for streams in size.streams:
            yield _bulk(up, size, "up", streams)
            yield _bulk(up, size, "down", streams)
        yield _first_reply(up, size)
        yield _pod_to_pod(up, size)


def _keep_alive(up: Stage, size: Size, clients: int) -> Table:
    with up.ways(pods.MINIMAL, size.peers) as ways:
        ways.insert(1, up.proxied())
        results = alternate(ways, size.rounds, lambda way: loaded(way, clients, size.seconds))
    return comparison.requests(
        f"Keep-alive requests, {clients} clients",
        f"keep-alive {clients}",
        results,
        f"{size.seconds:g} s a run; the pod answers from bytes that it has ready.",
    )


def _connections(up: Stage, size: Size, port: int, pod: str) -> Table:
    with up.ways(port, size.peers) as ways:
        results = alternate(
            ways, size.rounds, lambda way: loaded(way, size.connections, size.seconds, True)
        )
    return comparison.requests(
        f"New connections, one for each request, {size.connections} clients, {pod} pod",
        f"connections, {pod}",
        results,
        f'{size.seconds:g} s a run, with "Connection: close"; the pod closes.',
    )


def loaded(way: Way, clients: int, seconds: float, close: bool = False) -> Sample:
    """One run of requests."""
    ran = load(way.address, clients, seconds, close=close)
    return Sample(ran.per_second, ran.requests, ran.lost, ran.cpu, ran.p50, ran.p99)


def _bulk(up: Stage, size: Size, direction: str, streams: int) -> Table:
    port = pods.SINK if direction == "up" else pods.SOURCE
    with up.ways(port, [*size.peers, LARGE_BUFFERS]) as ways:
        results = alternate(
            ways, size.rounds, lambda way: moved(way, direction, streams, size.bulk_seconds)
        )
    plural = "s" if streams > 1 else ""
    return comparison.bulk(
        f"Bulk {direction}load, {streams} connection{plural}",
        f"bulk {direction} {streams}",
        results,
        f"{size.bulk_seconds:g} s a run, written in pieces of 256 KiB, by a process of its own.",
    )


def moved(way: Way, direction: str, streams: int, seconds: float) -> Sample:
    """One run of bulk."""
    ip, port = way.address
    words = [direction, ip, str(port), str(streams), str(seconds)]
    said, cpu = finished([sys.executable, "-m", "tests.benchmarks.bulk", *words])
    found = json.loads(said)
    gigabytes = found["size"] / 1e9
    return Sample(gigabytes / found["seconds"], gigabytes, found["lost"], cpu)


def _first_reply(up: Stage, size: Size) -> Table:
    with up.ways(pods.MINIMAL, size.peers) as ways:
        results = alternate(ways, size.rounds, lambda way: _replies(way, size.replies))
    return comparison.latency(
        "Connect and first reply, one after the other, every process on one processor",
        "first reply",
        results,
        f"{size.replies} connections a run, each closed before the next one is opened.",
    )


def _replies(way: Way, count: int) -> Sample:
    took, lost = [], 0
    with pinned([*way.pids(), os.getpid()]):
        for _ in range(count):
            seconds, answer = _reply(way)
            took.append(seconds)
            lost += answer != pods.CLOSED
    half = median(took)
    return Sample(half, count, lost, 0.0, half, quantiles(took, n=100)[98])


def _reply(way: Way) -> tuple[float, bytes]:
    began = time.perf_counter()
    with socket.create_connection(way.address, ANSWER_SECONDS) as sock:
        sock.sendall(REQUEST)
        answer = sock.recv(4096)
        took = time.perf_counter() - began
        while more := sock.recv(4096):
            answer += more
    return took, answer


def _pod_to_pod(up: Stage, size: Size) -> Table:
    askers = up.askers()
    ways = [
        Way(name, address, partial(up.asker_pids, name), list)
        for name, (address, _) in askers.items()
    ]
    results = alternate(ways, size.rounds, lambda way: _asked(way, askers[way.name][1], size))
    return comparison.requests(
        f"From pod to Service to pod on another node, keep-alive, {size.connections} clients",
        "pod to pod",
        results,
        f"{size.seconds:g} s a run; a program of our own asks, in a pod or, direct, outside.",
    )


def _asked(way: Way, whom: tuple[str, int], size: Size) -> Sample:
    query = {"host": whom[0], "port": whom[1], "clients": size.connections, "seconds": size.seconds}
    connection = http.client.HTTPConnection(*way.address, timeout=ANSWER_SECONDS)
    connection.request("GET", f"/run?{urlencode(query)}", headers={"Connection": "close"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"the client's pod answered {answer.status}: {said[:500]!r}")
    asked = json.loads(said)
    return Sample(
        asked["per_second"], asked["requests"], asked["lost"], 0.0, asked["p50"], asked["p99"]
    )
