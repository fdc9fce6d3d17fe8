"""What decisions read of the cluster, as control tells a node of it: `NodeApi.follow` kept.

    mirror = ClusterMirror(api, "node-1", clock=clock)
    mirror.held[PODS].on_change(lambda old, new: ...)       None before the first, after the last
    mirror.own[PODS]                                        the node's own pods, complete
    tasks.supervise(mirror.run, name="follow the cluster")

A document is bytes until somebody reads it. Whoever only wants to know which objects have changed
asks by `on_key`, and nothing is read for him. A control plane that is away is asked again with
growing pauses; meanwhile everything stays as it was.
"""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping

import orjson

from cluster.aio.clock import Clock
from cluster.client.interface import Document, NodeApi
from cluster.errors import ApiError
from cluster.objects.meta import Key
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.wire.changes import OWN, Batch, Change

log = logging.getLogger(__name__)

RESOURCES = (NODES, NAMESPACES, SERVICES, ENDPOINT_SLICES, NETWORK_POLICIES, PODS)
OWN_RESOURCES = (NODES, PODS)
PAUSE_FIRST_SECONDS = 0.05
PAUSE_LIMIT_SECONDS = 1.0

Changed = Callable[[Document | None, Document | None], None]


class Documents(Mapping[Key, Document]):
    """Documents by (namespace, name), parsed when they are read."""

    def __init__(self) -> None:
        self._held: dict[Key, bytes | Document] = {}

    def replace(self, key: Key, document: bytes | None) -> None:
        """Hold another one; None holds none."""
        if document is None:
            self._held.pop(key, None)
        else:
            self._held[key] = document

    def __getitem__(self, key: Key) -> Document:
        found = self._held[key]
        if isinstance(found, bytes):
            found = self._held[key] = orjson.loads(found)
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[Key]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class Mirror:
    """The objects of one resource as last heard of."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self.objects = Documents()
        self._version = 0
        self._changed: list[Changed] = []
        self._keys: list[Callable[[Key], None]] = []
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap
        self._serial = itertools.count()

    def on_change(self, callback: Changed) -> None:
        """Call `callback(old, new)` for every change; the documents are read for it."""
        self._changed.append(callback)

    def on_key(self, callback: Callable[[Key], None]) -> None:
        """Call `callback(key)` for every change; `objects` has what is there now."""
        self._keys.append(callback)

    async def wait_for(self, resource_version: int) -> None:
        """Return when everything up to this version has been told to the callbacks."""
        if self.synced.is_set() and self._version >= resource_version:
            return
        seen = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (resource_version, next(self._serial), seen))
        await seen

    def take(self, key: Key, document: bytes | None) -> None:
        """An object is as told, or gone."""
        old = self.objects.get(key) if self._changed else None
        self.objects.replace(key, document)
        for told in self._keys:
            told(key)
        if self._changed:
            self._tell(key, old, self.objects.get(key))

    def keep_only(self, keys: set[Key]) -> None:
        """Whatever else was held is gone."""
        for key in [each for each in self.objects if each not in keys]:
            self.take(key, None)

    def seen(self, version: int, *, anew: bool = False) -> None:
        """All is here up to this version; a server that lost its store counts anew."""
        self._version = version if anew else max(self._version, version)
        while self._waiting and self._waiting[0][0] <= self._version:
            seen = heapq.heappop(self._waiting)[2]
            if not seen.done():
                seen.set_result(None)

    def _tell(self, key: Key, old: Document | None, new: Document | None) -> None:
        if old is None and new is None:
            return
        for callback in self._changed:
            try:
                callback(old, new)
            except Exception:  # one reader's fault must not stop the others
                log.exception("change not taken in resource=%s key=%s", self.resource.plural, key)


class ClusterMirror:
    """All that one node is told of."""

    def __init__(self, api: NodeApi, node: str, *, clock: Clock) -> None:
        self.held = {each: Mirror(each) for each in RESOURCES}
        self.own = {each: Mirror(each) for each in OWN_RESOURCES}
        self._api = api
        self._node = node
        self._clock = clock
        self._by_name = {each.plural: mirror for each, mirror in self.held.items()}
        self._by_name |= {OWN + each.plural: mirror for each, mirror in self.own.items()}
        # what is the node's own is decided by as well, before it concerns all others
        self._concerned = {name: [mirror] for name, mirror in self._by_name.items()}
        for each in self.own:
            self._concerned[OWN + each.plural].append(self.held[each])

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = PAUSE_FIRST_SECONDS
        while True:
            try:
                async for batch in self._api.follow(self._node):
                    self.take(batch)
                    pause = PAUSE_FIRST_SECONDS
            except (ApiError, OSError, TimeoutError) as error:
                log.info("control not followed: %s", error)
            await self._clock.sleep(pause)
            pause = min(pause * 2, PAUSE_LIMIT_SECONDS)

    def take(self, batch: Batch) -> None:
        """Take in what was told at once."""
        if batch.whole:
            self._forget_others(batch.changes)
        for resource, namespace, name, document in batch.changes:
            for mirror in self._concerned[resource]:
                mirror.take((namespace, name), document)
        for resource, version in batch.versions.items():
            self._by_name[resource].seen(version, anew=batch.whole)
        if batch.whole:
            for mirror in self._by_name.values():
                mirror.synced.set()

    def _forget_others(self, changes: list[Change]) -> None:
        kept: dict[Mirror, set[Key]] = {mirror: set() for mirror in self._by_name.values()}
        for resource, namespace, name, _ in changes:
            for mirror in self._concerned[resource]:
                kept[mirror].add((namespace, name))
        for mirror, keys in kept.items():
            mirror.keep_only(keys)
