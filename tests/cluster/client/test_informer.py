"""The informer: equal to the API in the end, whatever happens to the link."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.client.informer import Informer
from cluster.client.interface import Document, EventType, Listing, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import PODS


class NoWaiting:
    """A clock on which no pause takes time; says how long each was."""

    scale = 1.0

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


def pod(name: str, version: int, **spec: Any) -> Document:
    metadata = {"name": name, "namespace": "shop", "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": spec}


def event(kind: str, document: Document) -> WatchEvent:
    return WatchEvent(EventType(kind), document)


class ScriptedApi:
    """Lists and watches as the test wrote them down, then a watch in which nothing happens."""

    def __init__(self, lists: list[Any], watches: list[list[Any]]) -> None:
        self.lists = lists
        self.watches = watches
        self.watched_from: list[str] = []
        self.idle = asyncio.Event()

    async def list(self, *_: Any, **__: Any) -> Listing:
        answer = self.lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        documents, version = answer
        return Listing(documents, str(version))

    async def watch(self, *_: Any, resource_version: str, **__: Any) -> AsyncIterator[WatchEvent]:
        self.watched_from.append(resource_version)
        if not self.watches:
            self.idle.set()
            await asyncio.Event().wait()
        for each in self.watches.pop(0):
            if isinstance(each, Exception):
                raise each
            yield each


Run = Callable[[ScriptedApi], Any]


@pytest.fixture
async def follow() -> AsyncIterator[Run]:
    """Runs an informer over a scripted API until the script is over."""
    running: list[asyncio.Task[None]] = []

    async def run(api: ScriptedApi) -> tuple[Informer, list[tuple[Any, Any]], NoWaiting]:
        clock = NoWaiting()
        informer = Informer(api, PODS, clock=clock)  # type: ignore[arg-type]
        changes: list[tuple[Any, Any]] = []
        informer.on_change(lambda old, new: changes.append((_name(old), _name(new))))
        running.append(asyncio.ensure_future(informer.run()))
        async with asyncio.timeout(5):
            await api.idle.wait()
        return informer, changes, clock

    yield run
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _name(document: Document | None) -> Any:
    return document and (document["metadata"]["name"], document["metadata"]["resourceVersion"])


def names(informer: Informer) -> set[str]:
    return {name for _, name in informer.objects}


async def test_it_lists_then_watches_from_there(follow: Run) -> None:
    events = [event("ADDED", pod("b", 6)), event("MODIFIED", pod("a", 7))]
    events.append(event("DELETED", pod("b", 8)))
    api = ScriptedApi([([pod("a", 3)], 5)], [events])
    informer, changes, _ = await follow(api)
    assert api.watched_from == ["5", "8"]
    assert changes == [
        (None, ("a", "3")),
        (None, ("b", "6")),
        (("a", "3"), ("a", "7")),
        (("b", "6"), None),
    ]
    assert names(informer) == {"a"}


async def test_after_410_it_lists_anew_and_tells_only_differences(follow: Run) -> None:
    gone = ApiError({"code": 410, "reason": "Expired"})
    lists = [([pod("a", 3), pod("b", 4), pod("c", 5)], 5), ([pod("a", 3), pod("b", 9)], 10)]
    api = ScriptedApi(lists, [[gone]])
    informer, changes, _ = await follow(api)
    assert changes[3:] == [(("c", "5"), None), (("b", "4"), ("b", "9"))]
    assert api.watched_from == ["5", "10"] and names(informer) == {"a", "b"}


async def test_a_lost_link_is_taken_up_where_it_ended(follow: Run) -> None:
    """No second list: the server still knows what came after."""
    broken = [event("ADDED", pod("b", 6)), ConnectionError("gone")]
    api = ScriptedApi([([pod("a", 3)], 5)], [broken])
    informer, _, _ = await follow(api)
    assert api.watched_from == ["5", "6"] and names(informer) == {"a", "b"}


async def test_a_server_that_is_away_is_asked_with_growing_pauses(follow: Run) -> None:
    away: list[Any] = [ConnectionError("refused") for _ in range(8)]
    api = ScriptedApi([*away, ([pod("a", 3)], 5)], [])
    _, changes, clock = await follow(api)
    assert clock.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert changes == [(None, ("a", "3"))]


async def test_a_server_that_lost_its_store_is_followed_anew(follow: Run) -> None:
    """Its versions begin small again; what it no longer has is gone."""
    gone = ApiError({"code": 410, "reason": "Expired"})
    api = ScriptedApi([([pod("a", 900)], 1000), ([pod("b", 2)], 3)], [[gone]])
    informer, _, _ = await follow(api)
    assert api.watched_from == ["1000", "3"] and names(informer) == {"b"}
    async with asyncio.timeout(5):
        await informer.wait_for(3)


async def test_waiting_for_a_version_ends_when_it_was_told(follow: Run) -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})
    api = ScriptedApi([([], 5)], [[event("ADDED", pod("a", 6)), bookmark]])
    informer, changes, _ = await follow(api)
    async with asyncio.timeout(5):
        await asyncio.gather(informer.wait_for(6), informer.wait_for(20), informer.wait_for(5))
    waiting = asyncio.ensure_future(informer.wait_for(21))
    done, _ = await asyncio.wait([waiting], timeout=0)
    assert not done and changes == [(None, ("a", "6"))]
    waiting.cancel()


async def test_one_readers_fault_does_not_keep_others_from_hearing(
    follow: Run, caplog: pytest.LogCaptureFixture
) -> None:
    api = ScriptedApi([([pod("a", 3)], 5)], [[event("ADDED", pod("b", 6))]])
    informer = Informer(api, PODS, clock=NoWaiting())  # type: ignore[arg-type]
    heard: list[Any] = []

    def broken(old: Document | None, new: Document | None) -> None:
        raise RuntimeError("a bug")

    informer.on_change(broken)
    informer.on_change(lambda old, new: heard.append(_name(new)))
    task = asyncio.ensure_future(informer.run())
    async with asyncio.timeout(5):
        await api.idle.wait()
    task.cancel()
    assert heard == [("a", "3"), ("b", "6")]
    assert "a bug" in caplog.text


async def test_no_more_is_kept_than_was_asked_for() -> None:
    api = ScriptedApi([([pod("a", 1, size=1)], 1)], [[event("MODIFIED", pod("a", 2, size=2))]])
    clock = NoWaiting()
    informer = Informer(
        api,  # type: ignore[arg-type]
        PODS,
        clock=clock,
        keep=lambda document: {"metadata": document["metadata"]},
    )
    told: list[Any] = []
    informer.on_change(lambda old, new: told.append((old, new)))
    running = asyncio.create_task(informer.run())
    await api.idle.wait()
    running.cancel()
    states = [{"metadata": pod("a", version)["metadata"]} for version in (1, 2)]
    assert told == [(None, states[0]), (states[0], states[1])]
    assert list(informer.objects.values()) == [states[1]]
