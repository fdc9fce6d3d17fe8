"""Waiting until what was asked for stands, and every process decides by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.client.interface import EventType, Listing, WatchEvent
from cluster.launcher.settled import (
    WATCHED,
    NotSettled,
    count_programmed,
    programmed,
    settled,
    versions,
)
from cluster.objects.resources import NODES, PODS, Resource

Answer = Callable[[web.Request], Awaitable[web.Response]]


class Api:
    """Lists what there is, and then what the test makes happen."""

    def __init__(self, **listed: list[Any]) -> None:
        self.listed = listed
        self.events: dict[str, asyncio.Queue[WatchEvent]] = {}
        self.when_watched: Callable[[], None] = lambda: None
        self.newest = {"services": "5", "pods": "7", "secrets": "9"}

    async def list(self, resource: Resource, **_: Any) -> Listing:
        return Listing(self.listed.get(resource.plural, []), "1")

    async def watch(self, resource: Resource, **_: Any) -> AsyncIterator[WatchEvent]:
        queue = self.queue(resource)
        if len(self.events) == len(WATCHED):
            self.when_watched()
        while True:
            yield await queue.get()

    async def call(self, method: str, path: str) -> Any:
        assert (method, path) == ("GET", "/kubehop/v1/resource-versions")
        return self.newest

    def queue(self, resource: Resource) -> "asyncio.Queue[WatchEvent]":
        return self.events.setdefault(resource.plural, asyncio.Queue())

    def happens(self, resource: Resource, kind: EventType, document: Any) -> None:
        self.queue(resource).put_nowait(WatchEvent(kind, document))


def node(ready: str, version: str = "1") -> dict[str, Any]:
    return {
        "metadata": {"name": "node-1", "resourceVersion": version},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.fixture
def out_of_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[Api], Api]:
    """Makes the time be up once everything is watched and seen, however long that takes."""
    real, made, tasks = asyncio.timeout, [], []

    def timeout(seconds: float) -> asyncio.Timeout:
        made.append(real(None))
        return made[0]

    async def run_out() -> None:
        for _ in range(20):  # rounds of the loop, for whoever was woken to have its turn
            await asyncio.sleep(0)
        made[0].reschedule(asyncio.get_running_loop().time())

    def prepare(api: Api) -> Api:
        monkeypatch.setattr(asyncio, "timeout", timeout)
        api.when_watched = lambda: tasks.append(asyncio.ensure_future(run_out()))
        return api

    return prepare


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Path]]]:
    """A process that answers `/programmed` as it is told to; its socket."""
    runners: list[web.AppRunner] = []

    async def serve(name: str, answer: Answer) -> Path:
        application = web.Application()
        application.router.add_get("/programmed", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        runners.append(runner)
        await web.UnixSite(runner, str(tmp_path / f"{name}.sock")).start()
        return tmp_path / f"{name}.sock"

    yield serve
    for runner in runners:
        await runner.cleanup()


async def yes(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def no(request: web.Request) -> web.Response:
    return web.Response(status=504, text="services 4 of 5\n")


async def test_a_cluster_that_is_settled_is_not_waited_for(process):
    sockets = [await process("node-1", yes)]
    await settled(Api(nodes=[node("True")]), sockets, nodes=["node-1"], seconds=20)


async def test_it_returns_with_the_change_that_settles_it(process):
    api = Api(nodes=[node("False")])
    sockets = [await process("node-1", yes)]
    waiting = asyncio.ensure_future(settled(api, sockets, nodes=["node-1"], seconds=20))
    api.happens(NODES, EventType.MODIFIED, node("True", "2"))
    await waiting


async def test_what_changes_while_processes_are_asked_is_waited_for_too(process):
    api = Api(nodes=[node("True")])
    asked: list[str] = []
    going = {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "2"}}

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query["pods"])
        if len(asked) == 1:  # a pod appears meanwhile, and goes when the next question comes
            api.newest["pods"] = "8"
            api.happens(PODS, EventType.ADDED, going)
            api.happens(PODS, EventType.DELETED, going)
            await api.queue(PODS).join() if api.queue(PODS).empty() else None
        return web.Response()

    sockets = [await process("node-1", answer)]
    await settled(api, sockets, nodes=["node-1"], seconds=20)
    assert asked[0] == "7"


async def test_what_is_missing_is_named_when_the_time_is_up(out_of_time):
    api = out_of_time(Api(nodes=[node("False")]))
    with pytest.raises(NotSettled, match=r"^not settled after 30 s: node node-1 is not Ready$"):
        await settled(api, [], nodes=["node-1"])


async def test_a_long_list_of_reasons_is_cut(out_of_time):
    names = [f"node-{letter}" for letter in "abcdefghijk"]
    with pytest.raises(NotSettled, match=r"node node-h is not Ready; and 3 more$"):
        await settled(out_of_time(Api()), [], nodes=names)


async def test_a_process_that_is_behind_is_named_with_its_own_words(process):
    sockets = [await process("node-1", no), await process("dns", yes)]
    with pytest.raises(NotSettled, match=r"after 20 s: node-1: services 4 of 5$"):
        await settled(Api(), sockets, seconds=20)


async def test_a_process_that_is_being_started_again_is_waited_for(process, tmp_path):
    """It dies as it is asked; nobody answers for a while; then it is back."""
    tasks = []

    async def die(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        (tmp_path / "node-1.sock").unlink()
        tasks.append(asyncio.ensure_future(process("node-1", yes)))
        return web.Response()

    await settled(Api(), [await process("node-1", die)], seconds=20)
    await asyncio.gather(*tasks)


async def test_a_process_that_stays_away_is_named(tmp_path):
    with pytest.raises(NotSettled, match=r"after 0.2 s: node-1 does not answer: "):
        await settled(Api(), [tmp_path / "node-1.sock"], seconds=0.2)


async def test_an_api_that_does_not_answer_is_the_reason():
    class Silent(Api):
        async def list(self, resource: Resource, **_: Any) -> Listing:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(NotSettled, match=r"the API has not answered"):
        await settled(Silent(), [], seconds=0.05)


async def test_only_what_decisions_read_has_to_be_known():
    assert await versions(Api()) == {"services": "5", "pods": "7"}


async def test_processes_are_asked_for_versions_and_given_time(process):
    seen: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(dict(request.query))
        return web.Response()

    await programmed({"pods": "7"}, [await process("node-1", answer)], 2.5)
    assert seen == [{"pods": "7", "timeout": "2.5"}]


async def test_those_that_are_behind_or_silent_are_told_from_those_that_are_not(
    process, tmp_path: Path
):
    sockets = [await process("node-1", no), await process("dns", yes), tmp_path / "node-2.sock"]
    assert await count_programmed({"pods": "7"}, sockets, 1.0) == (1, 3)
    with pytest.raises(TimeoutError, match=r"node-1: services 4 of 5; node-2 does not answer: "):
        await programmed({"pods": "7"}, sockets, 1.0)
