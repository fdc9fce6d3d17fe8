"""Asking several processes at once, over Unix sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.trace.client import ANSWER_SECONDS, Access, collect, follow_all, trust
from cluster.trace.endpoint import add_routes
from cluster.trace.join import join
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw

ID = "4c1f9a2b7d3e6f80"


class Cluster:
    """Recorders behind sockets."""

    def __init__(self, directory: Path, watched: Any) -> None:
        self._directory = directory
        self._watched = watched
        self._runners: dict[str, web.AppRunner] = {}
        self.endpoints: dict[str, str] = {}

    async def start(self, name: str, **rings: int) -> Any:
        recorder = self._watched(name, **rings)
        app = web.Application()
        add_routes(app, recorder)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        path = self._directory / f"{name}.sock"
        await web.UnixSite(runner, str(path)).start()
        self._runners[name] = runner
        self.endpoints[name] = f"unix:{path}"
        return recorder

    async def stop(self, name: str) -> None:
        await self._runners.pop(name).cleanup()

    async def close(self) -> None:
        for name in list(self._runners):
            await self.stop(name)


@pytest.fixture
async def cluster(tmp_path: Path, watched: Any) -> AsyncIterator[Cluster]:
    made = Cluster(tmp_path, watched)
    yield made
    await made.close()


Three = Callable[[], Awaitable[list[Any]]]


@pytest.fixture
def three(cluster: Cluster) -> Three:
    async def start() -> list[Any]:
        return [await cluster.start(name) for name in ("gateway", "node-1", "node-2")]

    return start


async def test_the_parts_of_a_flow_come_from_all_processes(
    cluster: Cluster, three: Three, path: Any
) -> None:
    """O-1."""
    for recorder, part in zip(await three(), path("balanced"), strict=True):
        recorder.record(part)
    collected = await collect(cluster.endpoints, Query(id=ID))
    trace = join(collected.segments)
    assert trace.complete and trace.segments == tuple(path("balanced"))
    assert collected.unreachable == {} and collected.lost == {}


async def test_who_cannot_be_reached_is_named_and_the_others_are_heard(
    cluster: Cluster, three: Three, path: Any
) -> None:
    gateway, *_ = await three()
    gateway.record(path("balanced")[0])
    await cluster.stop("node-2")
    collected = await collect({**cluster.endpoints, "odd": "tcp:1"}, Query(id=ID))
    assert len(collected.segments) == 1
    assert set(collected.unreachable) == {"node-2", "odd"}
    assert collected.unreachable["node-2"].startswith(cluster.endpoints["node-2"])
    assert "unix:PATH or https://" in collected.unreachable["odd"]


async def test_what_rings_have_forgotten_is_told_by_process(cluster: Cluster, segment: Any) -> None:
    """O-49."""
    recorder = await cluster.start("node-1", delivered_max=1)
    await cluster.start("node-2")
    for number in range(3):
        recorder.record(segment(f"t{number}"))
    collected = await collect(cluster.endpoints, Query())
    assert collected.lost == {"node-1": 2}
    assert [each.flow_id for each in collected.segments] == ["t2"]


async def test_nobody_is_waited_for_once_what_was_said_is_enough(
    cluster: Cluster, segment: Any, tmp_path: Path
) -> None:
    """A process that is powered off takes connections, and says nothing."""
    recorder = await cluster.start("node-1")
    recorder.record(segment("t0"))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "node-2.sock"))
        silent.listen()
        endpoints = {**cluster.endpoints, "node-2": f"unix:{tmp_path / 'node-2.sock'}"}
        async with asyncio.timeout(ANSWER_SECONDS / 2):
            collected = await collect(endpoints, Query(), wait=60, enough=bool)
    assert [each.flow_id for each in collected.segments] == ["t0"]


async def test_waiting_for_a_flow_ends_when_its_trace_is_complete(
    cluster: Cluster, three: Three, path: Any
) -> None:
    """Processes that are not on its way would be waited for in vain."""
    recorders = await three()
    await cluster.start("dns")
    parts = path("balanced")
    recorders[0].record(parts[0])
    asking = asyncio.ensure_future(collect(cluster.endpoints, Query(id=ID), wait=60))
    await recorders[2].followed.wait()
    recorders[1].record(parts[1])
    recorders[2].record(parts[2])
    async with asyncio.timeout(20):
        collected = await asking
    assert join(collected.segments).complete
    assert collected.unreachable == {}


async def test_waiting_ends_at_its_time_with_what_is_there(
    cluster: Cluster, three: Three, path: Any
) -> None:
    gateway, *_ = await three()
    gateway.record(path("balanced")[0])
    collected = await collect(cluster.endpoints, Query(id=ID), wait=0.05)
    assert join(collected.segments).missing
    assert collected.unreachable == {}


async def test_waiting_by_address_ends_when_anybody_has_something(
    cluster: Cluster, three: Three, path: Any
) -> None:
    _, node_1, node_2 = await three()
    wanted = Query.parse({"destination": "10.244.2.7:8080"})
    asking = asyncio.ensure_future(collect(cluster.endpoints, wanted, wait=60))
    await node_1.followed.wait()
    await node_2.followed.wait()
    node_2.record(path("balanced")[2])
    node_1.record(path("balanced")[1])
    async with asyncio.timeout(20):
        collected = await asking
    assert {each.process for each in collected.segments} == {"node-1", "node-2"}


async def test_a_refused_query_is_a_problem_of_that_process(cluster: Cluster) -> None:
    await cluster.start("node-1")
    collected = await collect(cluster.endpoints, Query(limit=99999))
    assert "400 limit=99999: must be a number" in collected.unreachable["node-1"]


async def test_following_all_shows_what_each_records_and_updates(
    cluster: Cluster, three: Three, path: Any
) -> None:
    gateway, node_1, _ = await three()
    parts = path("balanced")
    async with follow_all(cluster.endpoints, Query(), clock=Pacing()) as stream:
        await gateway.followed.wait()
        await node_1.followed.wait()
        gateway.record(replace(parts[0], client_saw=ClientSaw.UNKNOWN))
        assert (await anext(stream)).process == "gateway"
        gateway.update(ID, client_saw=ClientSaw.CONNECTED)
        assert (await anext(stream)).client_saw is ClientSaw.CONNECTED
        node_1.record(parts[1])
        assert (await anext(stream)).process == "node-1"
        assert stream.lost == 0


async def test_following_outlives_a_process_that_is_restarted(
    cluster: Cluster, segment: Any
) -> None:
    pacing, first = Pacing(), await cluster.start("node-1")
    async with follow_all(cluster.endpoints, Query(), clock=pacing) as stream:
        await first.followed.wait()
        await cluster.stop("node-1")
        await pacing.paused.wait()
        assert "node-1" in stream.unreachable
        recorder = await cluster.start("node-1")
        await recorder.followed.wait()
        recorder.record(segment("after"))
        assert (await anext(stream)).flow_id == "after"
        assert stream.unreachable == {}


class Pacing:
    """Pauses that last one turn of the loop."""

    scale = 1.0

    def __init__(self) -> None:
        self.paused = asyncio.Event()

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.paused.set()
        await asyncio.sleep(0)


def test_a_process_is_known_by_the_certificate_it_told_of() -> None:
    digest = bytes(range(32))
    base, pinned = trust(f"https://192.0.2.7:10250#sha256:{digest.hex()}", Access())
    assert base == "https://192.0.2.7:10250"
    assert pinned.fingerprint == digest
    assert trust("https://192.0.2.7:10250/", Access()) == ("https://192.0.2.7:10250", True)


async def test_a_garbled_certificate_is_named_and_nobody_is_asked() -> None:
    endpoints = {"node-1": "https://127.0.0.1:1#sha256:zz"}
    found = await collect(endpoints, Query(id=ID))
    assert "non-hexadecimal" in found.unreachable["node-1"]
