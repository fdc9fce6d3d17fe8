"""Whoever writes at the same time: there is one history, and every watcher can replay it."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.client.interface import Document, EventType, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.record import Change
from control.store.store import Store

MAPS = (CONFIG_MAPS.group, CONFIG_MAPS.plural)
REFUSALS = {"NotFound", "AlreadyExists", "Conflict", "Invalid"}
SELECTORS = (None, "app=cart", "app!=cart", "app in (web)")
HELD = {"metadata": {"finalizers": ["example.com/hold"]}}
RELEASED = {"metadata": {"finalizers": None}}

Step = tuple[str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "replace", "patch", "label", "delete", "hold", "release"]),
        st.sampled_from(["one", "two"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


class StillClock:
    scale = 1.0

    def now(self) -> float:
        return 1_767_268_800.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


class World:
    """An API in memory; what was acknowledged, and what the store told."""

    def __init__(self) -> None:
        self.store = Store(NoJournal())
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        registry = Registry(self.store, addresses, StillClock(), random.Random(1))
        self.api = LocalApi(registry)
        self.acknowledged: list[Document] = []
        self.replaced: dict[str, str] = {}  # version that was written: version that was read

    async def start(self) -> "World":
        namespace = {"metadata": {"name": "shop"}}
        await self.store.committed()
        self.store.put(("", "namespaces"), {**namespace, "status": {"phase": "Active"}})
        await self.api.create(CONFIG_MAPS, config_map("one", 0))
        return self

    async def play(self, steps: Sequence[Step]) -> None:
        """What one client does, one thing after another."""
        for verb, name, number in steps:
            for _ in range(number):
                await asyncio.sleep(0)  # let others go first
            try:
                self.acknowledged.append(await self._do(verb, name, number))
            except ApiError as error:
                assert error.reason in REFUSALS, error

    async def _do(self, verb: str, name: str, number: int) -> Document:
        match verb:
            case "create":
                return await self.api.create(CONFIG_MAPS, config_map(name, number))
            case "replace":
                read = await self.api.get(CONFIG_MAPS, name, namespace="shop")
                await asyncio.sleep(0)
                new = {**read, "data": {"n": f"{number}"}}
                written = await self.api.update(CONFIG_MAPS, new)
                if version(written) != version(read):
                    self.replaced[version(written)] = version(read)
                return written
            case "delete":
                return await self.api.delete(CONFIG_MAPS, name, namespace="shop")
        labels = {"metadata": {"labels": {"app": ("cart", "web")[number % 2]}}}
        changes = {"label": labels, "hold": HELD, "release": RELEASED}
        change = changes.get(verb, {"data": {f"k{number}": "v"}})
        return await self.api.patch(CONFIG_MAPS, name, change, namespace="shop")

    async def history(self, after: int) -> list[Change]:
        """All changes since a version."""
        watcher = self.store.feed(MAPS).watch(after)
        await self.store.committed()
        return [] if watcher.idle else await watcher.changes()

    async def listed(self, selector: str | None) -> tuple[dict[str, Document], str]:
        listing = await self.api.list(CONFIG_MAPS, label_selector=selector)
        items = {each["metadata"]["name"]: each for each in listing.items}
        return items, listing.resource_version

    async def watch(
        self, since: str, selector: str | None, told: asyncio.Queue[WatchEvent]
    ) -> None:
        """Watch while others write."""
        async for event in self.api.watch(
            CONFIG_MAPS, resource_version=since, label_selector=selector
        ):
            told.put_nowait(event)


def config_map(name: str, number: int) -> dict[str, Any]:
    labels = {"app": ("cart", "web")[number % 2]}
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    return {"metadata": metadata, "data": {"n": f"{number}"}}


def version(document: Document) -> str:
    return str(document["metadata"]["resourceVersion"])


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_writes_at_the_same_time_have_one_history(clients: list[list[Step]]) -> None:
    async def play() -> None:
        world = await World().start()
        start = world.store.version
        before = {each.key.name: each for each in world.store.list(MAPS)}
        await asyncio.gather(*(world.play(steps) for steps in clients))
        changes = await world.history(start)
        told = [each.version for each in changes]
        assert told == sorted(set(told))
        states = dict(before)
        for change in changes:  # each change follows from the state that the last one left
            name = change.record.key.name
            assert change.before is states.get(name)
            assert (change.type == EventType.ADDED) == (name not in states)
            if change.type == EventType.DELETED:
                del states[name]
            else:
                states[name] = change.record
        assert states == {each.key.name: each for each in world.store.list(MAPS)}
        documents = {str(each.version): each for each in changes}
        known = {**documents, **{str(each.version): each for each in before.values()}}
        for document in world.acknowledged:  # what a client was told is what happened
            assert version(document) in known
        for written, read in world.replaced.items():  # nothing came between reading and writing
            came_before = documents[written].before
            assert came_before is not None and str(came_before.version) == read

    asyncio.run(play())


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=3), st.sampled_from(SELECTORS))
def test_a_list_and_what_was_watched_since_are_the_list(
    clients: list[list[Step]], selector: str | None
) -> None:
    async def play() -> None:
        world = await World().start()
        seen, since = await world.listed(selector)
        told: asyncio.Queue[WatchEvent] = asyncio.Queue()
        watching = asyncio.create_task(world.watch(since, selector, told), name="watch")
        await asyncio.gather(*(world.play(steps) for steps in clients))
        await world.api.create(CONFIG_MAPS, config_map("end", 0))
        for app in ("cart", "web"):  # every selector sees one of them as the last
            change = {"metadata": {"labels": {"app": app}}, "data": {"last": app}}
            await world.api.patch(CONFIG_MAPS, "end", change, namespace="shop")
        expected, newest = await world.listed(selector)
        reached = since
        while reached != newest:
            event = await told.get()
            name = event.document["metadata"]["name"]
            assert int(version(event.document)) > int(reached)  # in order, and nothing twice
            reached = version(event.document)
            match event.type:
                case EventType.DELETED:
                    del seen[name]
                case EventType.ADDED:
                    assert name not in seen
                    seen[name] = event.document
                case EventType.MODIFIED:
                    assert name in seen
                    seen[name] = event.document
        assert seen == expected
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(play())


async def test_of_those_who_count_with_the_version_they_read_none_is_lost() -> None:
    """Optimistic concurrency: read, add one, write; on 409 read again."""
    world = await World().start()
    conflicts = 0

    async def count(times: int) -> None:
        nonlocal conflicts
        while times:
            read = await world.api.get(CONFIG_MAPS, "one", namespace="shop")
            await asyncio.sleep(0)
            new = {**read, "data": {"n": str(int(read["data"]["n"]) + 1)}}
            try:
                await world.api.update(CONFIG_MAPS, new)
                times -= 1
            except ApiError as error:
                assert error.reason == "Conflict"
                conflicts += 1

    await asyncio.gather(*(count(10) for _ in range(5)))
    held = await world.api.get(CONFIG_MAPS, "one", namespace="shop")
    assert held["data"]["n"] == "50"
    assert conflicts > 0
