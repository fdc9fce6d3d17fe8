"""Old Events go, and never more than a number stay."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

from control import expiry
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry
from control.expiry import EVENT_SECONDS_MAX, LOOK_SECONDS, expire_events, last_seen, too_old
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.record import ObjectKey, Record
from control.store.store import Store

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


def stamp(seconds_ago: float) -> str:
    return datetime.fromtimestamp(NOW - seconds_ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(name: str, seconds_ago: float, **fields: Any) -> Record:
    place = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "1"}
    metadata = {**place, "creationTimestamp": stamp(seconds_ago)}
    return Record(ObjectKey("shop", name), 1, {"metadata": metadata, **fields}, b"{}")


def names(records: list[Record]) -> list[str]:
    return [each.key.name for each in records]


def test_events_of_more_than_an_hour_ago_go() -> None:
    young, old = event("young", EVENT_SECONDS_MAX - 1), event("old", EVENT_SECONDS_MAX + 1)
    assert names(too_old([young, old], NOW)) == ["old"]


def test_an_event_lives_as_long_as_it_happens_again() -> None:
    again = event("again", 2 * EVENT_SECONDS_MAX, lastTimestamp=stamp(10))
    assert too_old([again], NOW) == []
    assert last_seen(again) == NOW - 10


def test_beyond_the_number_the_oldest_go(monkeypatch: Any) -> None:
    monkeypatch.setattr(expiry, "EVENTS_MAX", 2)
    records = [event("b", 20), event("d", 5), event("a", 30), event("c", 10)]
    assert names(too_old(records, NOW)) == ["a", "b"]


def test_an_event_without_a_time_is_the_first_to_go() -> None:
    timeless = Record(ObjectKey("shop", "x"), 1, {"metadata": {"name": "x"}}, b"{}")
    assert last_seen(timeless) == 0.0
    assert names(too_old([event("young", 1), timeless], NOW)) == ["x"]


class Looks:
    """A clock that lets the expiry look as often as the test says."""

    scale = 1.0

    def __init__(self) -> None:
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.slept: list[float] = []

    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.turns.get()


async def test_the_expiry_looks_every_minute_and_deletes_what_is_too_old() -> None:
    clock, store = Looks(), Store(NoJournal())
    registry = Registry(
        store, ServiceAddresses("10.96.0.0/16", lambda n: 0), clock, random.Random(1)
    )
    store.put(("", "events"), event("old", EVENT_SECONDS_MAX + 1).document)
    store.put(("", "events"), event("young", 1).document)
    await store.committed()
    watcher = store.feed(("", "events")).watch(store.version)
    task = asyncio.create_task(expire_events(LocalApi(registry), store, clock), name="expiry")
    clock.turns.put_nowait(None)
    seen = asyncio.ensure_future(watcher.changes())
    await asyncio.wait({task, seen}, return_when=asyncio.FIRST_COMPLETED)
    [change] = seen.result()
    assert change.record.key.name == "old"
    assert names(store.list(("", "events"))) == ["young"]
    assert clock.slept[0] == LOOK_SECONDS
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_event_that_is_gone_already_stops_nobody() -> None:
    clock, store = Looks(), Store(NoJournal())
    registry = Registry(
        store, ServiceAddresses("10.96.0.0/16", lambda n: 0), clock, random.Random(1)
    )
    for name in ("a", "b"):
        store.put(("", "events"), event(name, EVENT_SECONDS_MAX + 1).document)
    await store.committed()
    api = LocalApi(registry)
    delete, removed = api.delete, asyncio.Event()

    async def raced(resource: Any, name: str, **options: Any) -> Any:
        if name == "a":  # somebody else was faster
            await delete(resource, name, **options)
        gone = await delete(resource, name, **options)
        removed.set()
        return gone

    api.delete = raced  # type: ignore[method-assign]
    task = asyncio.create_task(expire_events(api, store, clock), name="expiry")
    clock.turns.put_nowait(None)
    await removed.wait()
    assert store.list(("", "events")) == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
