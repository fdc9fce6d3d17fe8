"""Informers of custom kinds: one for each definition that is established, as long as it is.

So custom objects own others, and are owned: the garbage collector sees them like any other.
"""

import asyncio
from collections.abc import Callable

from cluster.aio.tasks import Tasks
from cluster.client.interface import Document
from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.controllers.caches import Caches, SharedInformer
from control.controllers.custom_resources import custom_resource
from control.controllers.definition import present


class CustomInformers:
    """Keeps the caches' informers equal to the definitions."""

    def __init__(
        self, caches: Caches, tasks: Tasks, informer: Callable[[Resource], SharedInformer]
    ) -> None:
        self._caches = caches
        self._tasks = tasks
        self._informer = informer
        self._following: dict[str, tuple[Resource, asyncio.Task[None]]] = {}
        caches.subscribe(self.changed)
        for definition in list(caches.objects.each(CUSTOM_RESOURCE_DEFINITIONS)):
            self.changed(CUSTOM_RESOURCE_DEFINITIONS, None, definition)

    def changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        """A definition came, changed or went."""
        if resource != CUSTOM_RESOURCE_DEFINITIONS:
            return
        name = present(old, new)["metadata"]["name"]
        wanted = None if new is None else custom_resource(new)
        held = self._following.get(name)
        if held is not None and held[0] != wanted:
            self._leave(name)
        if wanted is not None and name not in self._following:
            self._follow(name, wanted)

    def _follow(self, name: str, resource: Resource) -> None:
        informer = self._informer(resource)
        self._caches.add(resource, informer)
        task = self._tasks.supervise(informer.run, name=f"informer {name}")
        self._following[name] = resource, task

    def _leave(self, name: str) -> None:
        resource, task = self._following.pop(name)
        task.cancel()
        self._caches.drop(resource)
