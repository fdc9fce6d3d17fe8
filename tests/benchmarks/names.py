"""Benchmark: names of Services, against dnsmasq with the same names.

dnsperf -> python -m cluster.dns, which follows a control plane that has the Services
dnsperf -> dnsmasq, which has the names in a file

Ours answers for whatever the API says at that moment, and counts and traces every query.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.wire.dns import Message, Question, Rcode, RRType, decode, encode
from tests.benchmarks.affinity import pinned
from tests.benchmarks.bench_cluster import environment
from tests.benchmarks.control_process import BenchControl, Connection
from tests.benchmarks.datagram_load import half_and_99
from tests.benchmarks.peers.dnsperf import CLIENTS, OUTSTANDING, dnsperf, written
from tests.benchmarks.peers.ports import LOOPBACK, Address, free_port
from tests.benchmarks.peers.process import serving
from tests.benchmarks.peers.programs import found
from tests.benchmarks.peers.responder import dnsmasq
from tests.benchmarks.runs import Results, Sample, Way, alternate
from tests.benchmarks.table import Table

KUBEHOP, DNSMASQ = "kubehop", "dnsmasq"
SERVICES = "/api/v1/namespaces/default/services"
KNOWN_SECONDS, ANSWER_SECONDS = 30.0, 1.0
LOOK_SECONDS = 0.05
WARM_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    rounds: int
    seconds: int = 2
    services: int = 1000
    trips: int = 4000

    @classmethod
    def smoke(cls) -> "Size":
        """Only that it runs."""
        return cls(1, 1, 20, 20)


def measure(directory: Path, size: Size) -> Iterator[Table]:
    """Many at once, plain and with EDNS, where dnsperf is installed; then one at a time."""
    with _ways(directory, size) as (ways, names):
        questions = written(names, directory / "questions")
        if found("dnsperf") is not None:
            yield _many(ways, size, questions, edns=False)
            yield _many(ways, size, questions, edns=True)
        yield _one_at_a_time(ways, size, names)


def _many(ways: list[Way], size: Size, questions: Path, *, edns: bool) -> Table:
    def run(way: Way, seconds: int = size.seconds) -> Sample:
        ran = dnsperf(way.address, questions, seconds, edns=edns)
        return Sample(ran.per_second, ran.completed, ran.lost, ran.cpu)

    for way in ways:
        run(way, WARM_SECONDS)
    results = alternate(ways, size.rounds, run)
    how = "with EDNS" if edns else "plain"
    table = Table(
        f"Names of {size.services:,} Services, {how}",
        ("server", "answers a second", "min..max", f"to {DNSMASQ}", "CPU each", "lost"),
        note=f"dnsperf, one thread, {CLIENTS} clients, {OUTSTANDING} questions outstanding, "
        f"{size.seconds} s a run. Medians of {results.rounds} rounds. {results.disturbance()}",
        figures=_figures("names with EDNS" if edns else "names", results),
    )
    for way in results.runs:
        values = results.values(way)
        table.add(
            way,
            f"{results.median(way):,.0f}",
            f"{min(values):,.0f}..{max(values):,.0f}",
            _ratio(results, way),
            f"{results.cpu(way) * 1e6:.1f} us",
            str(results.lost(way)),
        )
    return table


def _one_at_a_time(ways: list[Way], size: Size, names: list[str]) -> Table:
    queries = [_query(name) for name in names]

    def run(way: Way) -> Sample:
        with pinned([*way.pids(), os.getpid()]):
            _asked(way.address, queries, len(queries))
            took = _asked(way.address, queries, size.trips)
        half, most = half_and_99(took)
        return Sample(half, size.trips, took.count(float("inf")), 0.0, half, most)

    results = alternate(ways, size.rounds, run)
    table = Table(
        "A name, one question after the other, every process on one processor",
        ("server", "p50", "min..max", f"to {DNSMASQ}", "p99", "CPU each", "lost"),
        note=f"{size.trips} questions a run. The ratios are of times: less is better. "
        f"Medians of {results.rounds} rounds. {results.disturbance()}",
        figures=_figures("a name, one at a time", results),
    )
    for way in results.runs:
        values = results.values(way)
        table.add(
            way,
            f"{results.median(way) * 1e6:.1f} us",
            f"{min(values) * 1e6:.1f}..{max(values) * 1e6:.1f}",
            _ratio(results, way),
            f"{results.quantiles(way)[1] * 1e6:.1f} us",
            f"{results.cpu(way) * 1e6:.1f} us",
            str(results.lost(way)),
        )
    return table


def _figures(key: str, results: Results) -> dict[str, float]:
    ratio = results.ratio(KUBEHOP, DNSMASQ)
    compared = {} if ratio is None else {f"{key}: {KUBEHOP} / {DNSMASQ}": ratio}
    return {**compared, f"{key}: {KUBEHOP}, lost": results.lost(KUBEHOP)}


def _ratio(results: Results, way: str) -> str:
    ratio = results.ratio(way, DNSMASQ)
    return "" if ratio is None else f"{ratio:.2f}"


# -- questions


def _query(name: str) -> bytes:
    return encode(Message(id=1, recursion_desired=True, questions=(Question(name, RRType.A),)))


def _asked(address: Address, queries: list[bytes], count: int) -> list[float]:
    """How long each took, seconds; one that is lost, or not answered well, takes for ever."""
    took = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.settimeout(ANSWER_SECONDS)
        for number in range(count):
            began = time.perf_counter()
            sock.send(queries[number % len(queries)])
            try:
                answer = sock.recv(512)
            except TimeoutError:
                answer = b""
            ended = time.perf_counter()
            took.append(ended - began if _is_good(answer) else float("inf"))
    return took


def _is_good(answer: bytes) -> bool:
    """NOERROR with one answer, by the header alone."""
    return answer[3:4] != b"" and answer[3] & 0xF == Rcode.NOERROR and answer[6:8] == b"\0\x01"


# -- servers


@contextmanager
def _ways(directory: Path, size: Size) -> Iterator[tuple[list[Way], list[str]]]:
    """Both servers, knowing the same names."""
    with ExitStack() as stack:
        control = BenchControl(directory)
        stack.callback(control.stop)
        addresses = asyncio.run(_made(control.socket, size.services))
        ours = stack.enter_context(_kubehop(directory, control.socket))
        ways = [ours]
        if found("dnsmasq") is not None:
            address, pid = stack.enter_context(dnsmasq(addresses, directory))
            ways.append(Way(DNSMASQ, address, lambda: [pid], list))
        for way in ways:
            _await(way, addresses)
        yield ways, list(addresses)


async def _made(control: Path, services: int) -> dict[str, str]:
    """Services by their names, with the addresses that they were given."""
    connection = await Connection.open(control)
    found: dict[str, str] = {}
    for number in range(services):
        spec = {"ports": [{"name": "http", "port": 80}], "selector": {"app": f"app-{number}"}}
        wanted = {"metadata": {"name": f"app-{number}"}, "spec": spec}
        made = json.loads(await connection.ask("POST", SERVICES, json.dumps(wanted).encode()))
        found[f"app-{number}.default.svc.cluster.local"] = made["spec"]["clusterIP"]
    connection.close()
    return found


@contextmanager
def _kubehop(directory: Path, control: Path) -> Iterator[Way]:
    port = free_port()
    options = {
        "--api": f"unix:{control}",
        "--run-dir": directory,
        "--bind": f"{LOOPBACK}:{port}",
        "--log-file": directory / "dns.log",
    }
    given = [str(each) for pair in options.items() for each in pair]
    command = [sys.executable, "-m", "cluster.dns", *given]
    with serving(command, port, "udp", directory, environment(directory.parent)) as process:
        pid = process.pid
        yield Way(KUBEHOP, (LOOPBACK, port), lambda: [pid], list)


def _await(way: Way, addresses: dict[str, str]) -> None:
    """Return once it gives every name its address."""
    ends = time.monotonic() + KNOWN_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(way.address)
        sock.settimeout(ANSWER_SECONDS)
        for name, ip in addresses.items():
            while not _gives(sock, name, ip):
                if time.monotonic() > ends:
                    raise RuntimeError(f"{way.name} does not know {name} as {ip}")
                time.sleep(LOOK_SECONDS)


def _gives(sock: socket.socket, name: str, ip: str) -> bool:
    sock.send(_query(name))
    try:
        answers = decode(sock.recv(512)).answers
    except TimeoutError:
        return False
    return [str(each.data) for each in answers] == [ip]
