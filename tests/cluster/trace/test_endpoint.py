"""The diagnostics of a process, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cluster.trace import endpoint as endpoint_module
from cluster.trace import follower as follower_module
from cluster.trace import recorder as recorder_module
from cluster.trace.endpoint import add_routes
from cluster.trace.record import Segment
from cluster.trace.recorder import Recorder


class Programmed:
    """A view that has seen versions up to 7."""

    def __init__(self) -> None:
        self.asked: list[tuple[Mapping[str, int], float]] = []

    async def __call__(self, wanted: Mapping[str, int], seconds: float) -> bool:
        self.asked.append((wanted, seconds))
        return all(version <= 7 for version in wanted.values())


@pytest.fixture
def recorder(watched: Any) -> Any:
    return watched("node-1", delivered_max=4)


@pytest.fixture
def view() -> Programmed:
    return Programmed()


@pytest.fixture
async def http(recorder: Recorder, view: Programmed) -> AsyncIterator[Any]:
    app = web.Application()
    add_routes(app, recorder, programmed=view, metrics=lambda: "kubelet_running_pods 3\n")
    async with TestClient(TestServer(app)) as client:
        yield client


async def lines(http: Any, **parameters: str) -> list[Any]:
    async with http.get("/flows", params=parameters) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "application/x-ndjson"
        return [json.loads(line) for line in (await response.text()).splitlines()]


async def test_it_is_healthy_and_counts(http: Any, recorder: Recorder, segment: Any) -> None:
    recorder.record(segment("a"))
    async with http.get("/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok")
    async with http.get("/metrics") as response:
        text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'kubehop_flows_held{ring="delivered"} 1' in text
    assert text.endswith("kubelet_running_pods 3\n")


async def test_segments_come_one_a_line_newest_last(
    http: Any, recorder: Recorder, path: Any
) -> None:
    """O-48."""
    for each in path("balanced"):
        recorder.record(each)
    documents = await lines(http, id="4c1f9a2b7d3e6f80")
    assert [Segment.from_json(each) for each in documents] == path("balanced")
    assert len(await lines(http, destination="10.244.2.7:8080", outcome="delivered")) == 1
    assert await lines(http, source="192.0.2.1:1") == []


async def test_what_was_forgotten_is_said_in_a_last_line(
    http: Any, recorder: Recorder, segment: Any
) -> None:
    """O-49: and not said when nothing was."""
    for number in range(4):
        recorder.record(segment(f"t{number}"))
    assert "lost" not in (await lines(http))[-1]
    recorder.record(segment("one more"))
    documents = await lines(http)
    assert documents[-1] == {"lost": 1}
    assert len(documents) == 5


async def test_waiting_answers_as_soon_as_something_is_there(
    http: Any, recorder: Any, segment: Any
) -> None:
    asking = asyncio.ensure_future(lines(http, id="late", wait="30"))
    await recorder.followed.wait()
    recorder.record(segment("late"))
    assert [each["flowId"] for each in await asking] == ["late"]
    assert await lines(http, id="never", wait="0.01") == []


async def test_following_goes_on_and_begins_where_it_is_told(
    http: Any, recorder: Recorder, segment: Any
) -> None:
    recorder.record(segment("old"))
    async with http.get("/flows", params={"follow": "true"}) as response:
        recorder.record(segment("new"))
        assert json.loads(await response.content.readline())["flowId"] == "new"
    async with http.get("/flows", params={"follow": "true", "since": "1"}) as response:
        assert json.loads(await response.content.readline())["flowId"] == "old"


async def test_a_follower_that_leaves_is_forgotten(
    http: Any, recorder: Recorder, segment: Any
) -> None:
    async with http.get("/flows", params={"follow": "true"}):
        assert recorder.followers == 1
    async with asyncio.timeout(10):
        while recorder.followers:
            recorder.record(segment("anything"))
            await asyncio.sleep(0)


async def test_a_reader_that_is_too_slow_is_told_how_much_it_lost(
    http: Any, recorder: Recorder, segment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-49."""
    monkeypatch.setattr(follower_module, "FOLLOWER_QUEUE_MAX", 2)
    async with http.get("/flows", params={"follow": "true"}) as response:
        for number in range(10):
            recorder.record(segment(f"t{number}"))
        got = [json.loads(await response.content.readline()) for _ in range(3)]
        for number in range(3):
            recorder.record(segment(f"u{number}"))
        again = json.loads(await response.content.readline())
    assert got[0] == {"lost": 8}
    assert [each["flowId"] for each in got[1:]] == ["t8", "t9"]
    assert again == {"lost": 1}


async def test_shutting_down_ends_who_follows(recorder: Recorder) -> None:
    app = web.Application()
    add_routes(app, recorder)
    async with aiohttp.ClientSession() as session:
        server = TestServer(app)
        await server.start_server()
        response = await session.get(server.make_url("/flows?follow=true"))
        async with asyncio.timeout(10):
            await server.close()
            assert await response.content.read() == b""


async def test_followers_are_bounded(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "FOLLOWERS_MAX", 0)
    async with http.get("/flows", params={"follow": "true"}) as response:
        assert response.status == 429
        assert "node-1 has 0 followers already" in await response.text()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"outcome": "lost"}, "outcome=lost: must be one of"),
        ({"pod": "x"}, "pod is not a parameter of /flows"),
        ({"wait": "long"}, "wait=long: must be a number of seconds up to 300"),
        ({"wait": "-1"}, "wait=-1: must be"),
        ({"wait": "nan"}, "wait=nan: must be"),
        ({"follow": "maybe"}, "follow=maybe: must be true or false"),
    ],
)
async def test_a_wrong_query_is_told_what_is_wrong(
    http: Any, parameters: dict[str, str], message: str
) -> None:
    async with http.get("/flows", params=parameters) as response:
        assert response.status == 400
        assert message in await response.text()


async def test_programmed_says_whether_the_view_has_seen_these_versions(
    http: Any, view: Programmed
) -> None:
    async with http.get("/programmed?services=7&pods=3&nodes=&timeout=2") as response:
        assert response.status == 200
    assert view.asked == [({"services": 7, "pods": 3}, 2.0)]
    async with http.get("/programmed?services=8") as response:
        assert response.status == 504
        assert await response.text() == "not programmed in 10 s: services 8\n"
    assert endpoint_module.PROGRAMMED_SECONDS_DEFAULT == 10


@pytest.mark.parametrize("query", ["services=x", "deployments=7", "timeout=x"])
async def test_a_wrong_version_is_told(http: Any, query: str) -> None:
    async with http.get(f"/programmed?{query}") as response:
        assert response.status == 400


async def test_a_process_without_a_view_has_nothing_programmed(recorder: Recorder) -> None:
    app = web.Application()
    add_routes(app, recorder)
    async with TestClient(TestServer(app)) as client, client.get("/programmed") as response:
        assert response.status == 404
