"""One informer per resource for all controllers, and what they just wrote themselves.

The answer to a write is taken in at once: the next `reconcile` sees it, before the watch
tells. So no controller needs to remember what it expects.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.controllers.times import timestamp
from control.controllers.view import Key, Objects, View, key_of

# Something we wrote that no informer has shown after this time was gone before it could be seen.
CONFIRM_SECONDS_MAX = 60.0

Changed = Callable[[Resource, Document | None, Document | None], None]


class SharedInformer(Protocol):
    """What is used of `cluster.client.informer.Informer`."""

    @property
    def synced(self) -> asyncio.Event:
        """Set once the first list is in the cache."""

    def on_change(self, callback: Callable[[Document | None, Document | None], None]) -> object: ...

    async def run(self) -> None: ...


class Caches:
    """All watched objects; tells subscribers of each change once, whoever noticed it first."""

    def __init__(self, informers: Mapping[Resource, SharedInformer], *, clock: Clock) -> None:
        self.objects = Objects()
        self._clock = clock
        self._informers = dict(informers)
        self.custom: set[Resource] = set()  # those that were added
        self._subscribers: list[tuple[Changed, frozenset[Resource] | None]] = []
        self._hearing: dict[Resource, list[Changed]] = {}  # who hears of a resource
        self._unconfirmed: dict[Key, tuple[float, Document]] = {}
        for resource, informer in self._informers.items():
            informer.on_change(self._listener(resource))

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What is watched."""
        return tuple(self._informers)

    def subscribe(self, changed: Changed, resources: Iterable[Resource] | None = None) -> None:
        """Call `changed(resource, old, new)` after every change, in the loop turn that saw it.

        Of these resources, or of all.
        """
        self._subscribers.append((changed, None if resources is None else frozenset(resources)))
        self._hearing.clear()

    async def run(self) -> None:
        """Run every informer until cancelled."""
        async with asyncio.TaskGroup() as group:
            for resource, informer in self._informers.items():
                group.create_task(informer.run(), name=f"informer {resource.plural}")

    async def synced(self) -> None:
        """Return once every cache holds its first list, but those that come and go meanwhile."""
        lasting = [each for key, each in self._informers.items() if key not in self.custom]
        for informer in lasting:
            await informer.synced.wait()

    def add(self, resource: Resource, informer: SharedInformer) -> None:
        """Watch one more resource; whoever adds it runs its informer."""
        self._informers[resource] = informer
        self.custom.add(resource)
        informer.on_change(self._listener(resource))

    def drop(self, resource: Resource) -> None:
        """Watch a resource no more: its objects go, as if they were deleted."""
        del self._informers[resource]
        self.custom.discard(resource)
        for document in list(self.objects.each(resource)):
            self._informed(resource, document, None)
        self._hearing.pop(resource, None)

    def view(self) -> View:
        """What a `reconcile` sees now."""
        clock = self._clock
        return View(
            objects=self.objects,
            now=clock.now(),
            monotonic=clock.monotonic(),
            scale=clock.scale,
        )

    def wrote(self, resource: Resource, document: Document) -> None:
        """Take in the API's answer to a create, update or patch of ours."""
        if resource not in self._informers:
            return
        key = key_of(resource, document)
        old = self.objects.at(key)
        if not self.objects.put(resource, document):
            return
        if old is None:
            self._unconfirmed[key] = self._clock.monotonic(), document
        self._publish(resource, old, document)
        self._expire()

    def deleted(self, key: Key, uid: str) -> None:
        """Show an object as going, from our own request on; its watch event takes it out."""
        self.objects.mark_deleting(key, uid, timestamp(self._clock.now()))

    def _listener(self, resource: Resource) -> Callable[[Document | None, Document | None], None]:
        def changed(old: Document | None, new: Document | None) -> None:
            self._informed(resource, old, new)

        return changed

    def _informed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        if new is not None and resource not in self._informers:
            return  # dropped, and its informer not ended yet
        about = new or old
        assert about is not None, "a change with neither an old nor a new document"
        key = key_of(resource, about)
        held = self.objects.at(key)
        self._unconfirmed.pop(key, None)
        if new is None:
            self.objects.remove(resource, about)
            self._publish(resource, held or about, None)
        elif self.objects.put(resource, new):
            self._publish(resource, held, new)

    def _publish(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        hearing = self._hearing.get(resource)
        if hearing is None:
            hearing = [each for each, of in self._subscribers if of is None or resource in of]
            self._hearing[resource] = hearing
        for changed in hearing:
            changed(resource, old, new)

    def _expire(self) -> None:
        limit = self._clock.monotonic() - CONFIRM_SECONDS_MAX
        while self._unconfirmed:
            key, (since, document) = next(iter(self._unconfirmed.items()))
            if since > limit:
                return
            del self._unconfirmed[key]
            if self.objects.remove(key.resource, document):
                self._publish(key.resource, document, None)
