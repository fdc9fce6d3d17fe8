"""Informers come and go with definitions."""

import asyncio
from typing import Any

from cluster.aio.tasks import Tasks
from cluster.client.interface import Document
from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.controllers.caches import Caches
from control.controllers.custom_informers import CustomInformers

WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


def definition(version: str = "v1", *, established: bool = True) -> dict[str, Any]:
    names = {"plural": "widgets", "kind": "Widget"}
    status = "True" if established else "False"
    return {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": version, "served": True, "storage": True}],
        },
        "status": {
            "acceptedNames": names,
            "conditions": [{"type": "Established", "status": status}],
        },
    }


class Informer:
    """Runs until it is cancelled, and tells what the test says."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self.running = False
        self._callbacks: list[Any] = []

    def on_change(self, callback: Any) -> None:
        self._callbacks.append(callback)

    async def run(self) -> None:
        self.running = True
        self.synced.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    def tell(self, new: Document) -> None:
        for callback in self._callbacks:
            callback(None, new)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_each_definition_has_an_informer_while_it_is_established(clock: Any) -> None:
    caches, tasks = Caches({}, clock=clock), Tasks(clock)
    made: list[Informer] = []
    heard: list[Any] = []

    def informer(resource: Resource) -> Informer:
        made.append(Informer(resource))
        return made[-1]

    custom = CustomInformers(caches, tasks, informer)
    caches.subscribe(lambda resource, old, new: heard.append((resource, new and "there")))
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, None, definition(established=False))
    assert made == []
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, None, definition())
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, definition(), definition())
    await turns()
    [first] = made
    assert (first.resource, first.running, caches.custom) == (WIDGETS, True, {WIDGETS})
    widget = {"metadata": {"name": "a", "namespace": "shop", "uid": "1", "resourceVersion": "5"}}
    first.tell(widget)
    assert caches.objects.get(WIDGETS, "shop", "a") == widget
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, definition(), None)
    await turns()
    assert (first.running, caches.custom, caches.resources) == (False, set(), ())
    assert caches.objects.get(WIDGETS, "shop", "a") is None
    first.tell(widget)
    assert heard == [(WIDGETS, "there"), (WIDGETS, None)]
    await tasks.close()


async def test_another_version_is_followed_instead(clock: Any) -> None:
    caches, tasks = Caches({}, clock=clock), Tasks(clock)
    custom = CustomInformers(caches, tasks, Informer)
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, None, definition())
    custom.changed(CUSTOM_RESOURCE_DEFINITIONS, definition(), definition("v2"))
    assert [each.version for each in caches.resources] == ["v2"]
    await turns()
    await tasks.close()


async def test_definitions_that_are_there_already_are_followed(clock: Any) -> None:
    caches, tasks = Caches({}, clock=clock), Tasks(clock)
    stored = definition()
    metadata = {**stored["metadata"], "uid": "1", "resourceVersion": "1"}
    caches.objects.put(CUSTOM_RESOURCE_DEFINITIONS, {**stored, "metadata": metadata})
    CustomInformers(caches, tasks, Informer)
    assert caches.resources == (WIDGETS,)
    await turns()
    await tasks.close()
