"""Keeps a zone equal to what the API holds: informers in, one new zone per turn of the loop out.

The API may be gone: names go on being answered from the last state (D-65). Until everything has
been listed once, what is missing may only not have been read yet (D-62).
Spec: D-23, D-62, D-63, D-65, D-125.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.informer import Informer
from cluster.client.interface import Api, Document
from cluster.dns.zone import Change, Zone, ZoneSettings
from cluster.dns.zone_documents import kept_of
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, Resource

WATCHED = (NAMESPACES, SERVICES, ENDPOINT_SLICES, PODS)
SYNC_SECONDS = 5.0  # how long a start waits before it serves unsynced (D-63)


class ZoneView:
    """`current` is the zone to answer from."""

    def __init__(self, api: Api, settings: ZoneSettings, clock: Clock, tasks: Tasks) -> None:
        self.current = Zone(settings=settings, synced=False)
        self._informers = {
            each: Informer(api, each, clock=clock, keep=partial(kept_of, each)) for each in WATCHED
        }
        self._tasks = tasks
        self._pending: list[Change] = []
        self._flushing = False
        for resource, informer in self._informers.items():
            informer.on_change(partial(self._changed, resource))

    def zone(self) -> Zone:
        """The zone of this moment."""
        return self.current

    def start(self) -> None:
        """List and watch, for as long as the process lives."""
        for resource, informer in self._informers.items():
            self._tasks.supervise(informer.run, name=f"watch {resource.plural}")
        self._tasks.start(self._sync(), name="zone is synced")

    async def synced(self, seconds: float = SYNC_SECONDS) -> bool:
        """Wait until everything has been listed once, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._sync()
        except TimeoutError:
            return False
        return True

    async def programmed(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Whether the zone in use holds these versions of these resources, within a time."""
        waits = [
            informer.wait_for(wanted[resource.plural])
            for resource, informer in self._informers.items()
            if resource.plural in wanted
        ]
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*waits)
        except TimeoutError:
            return False
        self.flush()
        return True

    async def _sync(self) -> None:
        for informer in self._informers.values():
            await informer.synced.wait()
        self.flush()
        if not self.current.synced:
            self.current = self.current.with_synced(True)

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        self._pending.append((resource, old, new))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Put what has arrived into the zone now."""
        self._flushing = False
        if self._pending:
            changes, self._pending = self._pending, []
            self.current = self.current.with_changes(changes)
