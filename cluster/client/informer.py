"""A cache of one resource that follows the API: list once, then watch, and again after a gap.

    pods = Informer(api, PODS, clock=clock)
    pods.on_change(lambda old, new: ...)      None before the first and after the last state
    tasks.supervise(pods.run, name="watch pods")
    await pods.synced.wait()

Between an object's two states nothing is promised, but the last one always arrives. A server that
is away is asked again with growing pauses; meanwhile the cache stays as it was.
"""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Mapping

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document, EventType, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import Resource

log = logging.getLogger(__name__)

PAUSE_FIRST_SECONDS = 0.05
PAUSE_LIMIT_SECONDS = 1.0
GONE = 410

Key = tuple[str, str]  # namespace ("" without one), name
Changed = Callable[[Document | None, Document | None], None]
Keep = Callable[[Document], Document]


class Informer:
    """The objects of one resource as last heard of."""

    def __init__(
        self,
        api: Api,
        resource: Resource,
        *,
        clock: Clock,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        keep: Keep | None = None,
    ) -> None:
        """`keep`: what of a document is kept, where that is little of it."""
        self.resource = resource
        self.synced = asyncio.Event()
        self._api = api
        self._clock = clock
        self._namespace = namespace
        self._labels = label_selector
        self._fields = field_selector
        self._keep = keep or _whole
        self._objects: dict[Key, Document] = {}
        self._version = 0
        self._callbacks: list[Changed] = []
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap
        self._serial = itertools.count()

    @property
    def objects(self) -> Mapping[Key, Document]:
        """What is known now, by (namespace, name)."""
        return self._objects

    def on_change(self, callback: Changed) -> None:
        """Call `callback(old, new)` for every change, the first list's objects included."""
        self._callbacks.append(callback)

    async def wait_for(self, resource_version: int) -> None:
        """Return when everything up to this version has been told to the callbacks."""
        if self.synced.is_set() and self._version >= resource_version:
            return
        seen = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (resource_version, next(self._serial), seen))
        await seen

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = PAUSE_FIRST_SECONDS
        listed = False
        while True:
            before = self._version
            try:
                if not listed:
                    await self._list()
                    listed = True
                await self._watch()
            except ApiError as error:
                listed = listed and error.code != GONE
                self._log(error)
            except (OSError, TimeoutError) as error:
                self._log(error)
            if self._version != before:
                pause = PAUSE_FIRST_SECONDS
            await self._clock.sleep(pause)
            pause = min(pause * 2, PAUSE_LIMIT_SECONDS)

    async def _list(self) -> None:
        listing = await self._api.list(
            self.resource,
            namespace=self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
        )
        found = {_key(each): self._keep(each) for each in listing.items}
        for key in self._objects.keys() - found.keys():
            self._replace(key, None)
        for key, document in found.items():
            if self._objects.get(key) != document:
                self._replace(key, document)
        self.synced.set()
        self._version = 0  # a server that lost its store counts anew
        self._seen(int(listing.resource_version))

    async def _watch(self) -> None:
        async for event in self._api.watch(
            self.resource,
            resource_version=str(self._version),
            namespace=self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
        ):
            self._take(event)

    def _take(self, event: WatchEvent) -> None:
        document = event.document
        if event.type != EventType.BOOKMARK:
            gone = event.type == EventType.DELETED
            self._replace(_key(document), None if gone else self._keep(document))
        self._seen(int(document["metadata"]["resourceVersion"]))

    def _replace(self, key: Key, new: Document | None) -> None:
        old = self._objects.pop(key, None)
        if new is not None:
            self._objects[key] = new
        if old is None and new is None:
            return
        for callback in self._callbacks:
            try:
                callback(old, new)
            except Exception:  # one reader's fault must not stop the others
                log.exception("change not taken in resource=%s key=%s", self.resource.plural, key)

    def _seen(self, version: int) -> None:
        self._version = max(self._version, version)
        while self._waiting and self._waiting[0][0] <= self._version:
            seen = heapq.heappop(self._waiting)[2]
            if not seen.done():
                seen.set_result(None)

    def _log(self, error: Exception) -> None:
        log.info("watch interrupted resource=%s error=%s", self.resource.plural, error)


def _key(document: Document) -> Key:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _whole(document: Document) -> Document:
    return document
