"""Keeps the balancer's view equal to what the API holds.

Events of one turn of the loop become one new view; then whoever carries it out is told once. The
API may be gone: the fronts go on by the last state.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from cluster.aio.tasks import Tasks
from cluster.client.interface import Document
from cluster.gateway.balancer_view import BalancerView, Change
from cluster.objects.resources import Resource


class WatchedResource(Protocol):
    """What is used of `cluster.client.informer.Informer`."""

    @property
    def synced(self) -> asyncio.Event:
        """Set once the first list is in the cache."""

    def on_change(self, callback: Callable[[Document | None, Document | None], None]) -> object:
        """Call `callback(old, new)` on every change."""

    async def run(self) -> None:
        """List and watch until cancelled."""

    async def wait_for(self, resource_version: int) -> object:
        """Return when this resourceVersion has been seen."""


class Watch:
    """`current` is the view to decide by; `changed` is called after each new one."""

    def __init__(
        self,
        informers: Mapping[Resource, WatchedResource],
        changed: Callable[[], None],
        tasks: Tasks,
    ) -> None:
        self.current = BalancerView()
        self._informers = informers
        self._on_changed = changed
        self._tasks = tasks
        self._pending: list[Change] = []
        self._scheduled = False
        for resource, informer in informers.items():
            informer.on_change(partial(self._changed, resource))

    def start(self) -> None:
        """List and watch, for as long as the process lives."""
        for resource, informer in self._informers.items():
            self._tasks.supervise(informer.run, name=f"watch {resource.plural}")

    async def synced(self, seconds: float) -> bool:
        """Wait until everything has been listed once, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                for informer in self._informers.values():
                    await informer.synced.wait()
        except TimeoutError:
            return False
        self.flush()
        return True

    async def programmed(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Whether the fronts in use follow these versions of these resources, within a time."""
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

    def flush(self) -> None:
        """Put what has arrived into the view now."""
        self._scheduled = False
        if self._pending:
            changes, self._pending = self._pending, []
            before, self.current = self.current, self.current.with_changes(changes)
            if self.current is not before:
                self._on_changed()

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        self._pending.append((resource, old, new))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)
