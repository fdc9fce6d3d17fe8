"""The zone of a process follows the API."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.aio.clock import SystemClock
from cluster.aio.tasks import Tasks
from cluster.client.interface import EventType, Listing, WatchEvent
from cluster.dns.zone import ZoneSettings
from cluster.dns.zone_view import ZoneView
from cluster.errors import ApiError
from cluster.objects.resources import NAMESPACES, SERVICES, Resource
from cluster.wire.dns import Rcode


class Shelf:
    """An API that lists what lies on it and tells of what is put there."""

    def __init__(self) -> None:
        self._items: dict[Resource, list[Any]] = {}
        self._version = 1
        self._watchers: dict[Resource, list[asyncio.Queue[WatchEvent]]] = {}
        self.open = asyncio.Event()  # until then nothing is listed
        self.open.set()

    def put(self, resource: Resource, document: Any) -> int:
        """Add an object; the resourceVersion it got."""
        self._version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self._version)}
        stored = {**document, "metadata": metadata}
        self._items.setdefault(resource, []).append(stored)
        for queue in self._watchers.get(resource, ()):
            queue.put_nowait(WatchEvent(EventType.ADDED, stored))
        return self._version

    async def list(self, resource: Resource, **_: Any) -> Listing:
        await self.open.wait()
        return Listing(list(self._items.get(resource, ())), str(self._version))

    async def watch(self, resource: Resource, **_: Any) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self._watchers.setdefault(resource, []).append(queue)
        while True:
            yield await queue.get()

    async def gone(self, *_: Any, **__: Any) -> Any:
        raise ApiError({"code": 503, "message": "no API"})

    get = create = update = patch = delete = gone


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks(SystemClock())
    yield made
    await made.close()


@pytest.fixture
def shelf(make: Any) -> Shelf:
    made = Shelf()
    made.put(NAMESPACES, make.namespace("ns"))
    made.put(SERVICES, make.service("web", "10.96.0.20"))
    return made


def view_of(shelf: Any, tasks: Tasks) -> ZoneView:
    return ZoneView(shelf, ZoneSettings(), SystemClock(), tasks)


async def test_the_zone_holds_what_the_api_lists(make: Any, shelf: Shelf, tasks: Tasks) -> None:
    """D-125."""
    view = view_of(shelf, tasks)
    view.start()
    assert await view.synced()
    assert view.zone().synced
    assert make.data(view.zone(), "web.ns.svc.Z") == ["10.96.0.20"]


async def test_a_change_is_in_the_zone_once_it_is_programmed(
    make: Any, shelf: Shelf, tasks: Tasks
) -> None:
    """D-23."""
    view = view_of(shelf, tasks)
    view.start()
    await view.synced()
    before = view.zone()
    version = shelf.put(SERVICES, make.service("new", "10.96.0.30"))
    assert await view.programmed({"services": version}, 10)
    assert make.data(view.zone(), "new.ns.svc.Z") == ["10.96.0.30"]
    assert make.ask(before, "new.ns.svc.Z").rcode == Rcode.NXDOMAIN
    assert not await view.programmed({"services": version + 1}, 0.01)


async def test_until_everything_is_listed_a_missing_name_is_a_failure(
    make: Any, shelf: Shelf, tasks: Tasks
) -> None:
    """D-62, D-63: the start does not wait for ever."""
    shelf.open.clear()
    view = view_of(shelf, tasks)
    view.start()
    assert not await view.synced(0.01)
    assert make.ask(view.zone(), "web.ns.svc.Z").rcode == Rcode.SERVFAIL
    shelf.open.set()
    assert await view.synced()
    assert make.ask(view.zone(), "nope.ns.svc.Z").rcode == Rcode.NXDOMAIN
