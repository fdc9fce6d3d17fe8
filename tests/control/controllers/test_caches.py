"""Shared caches: what we wrote is seen at once, and told once."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cluster.objects.resources import EVENTS, NODES, PODS, Resource
from control.controllers.caches import CONFIRM_SECONDS_MAX, Caches
from control.controllers.view import Key, deleting

A = Key(PODS, "default", "a")


@pytest.fixture
async def running(caches: Caches) -> AsyncIterator[Caches]:
    task = asyncio.ensure_future(caches.run())
    await caches.synced()
    yield caches
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_change_is_told_with_what_was_before(
    running: Caches, store: Any, build: Any
) -> None:
    heard: list[Any] = []
    running.subscribe(lambda resource, old, new: heard.append((resource, old, new)))
    made = store.create(PODS, build.pod("a"))
    await turns()
    changed = store.patch(PODS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
    store.delete(PODS, "a", "default", grace_seconds=0)
    await turns()
    assert [(old, new) for _, old, new in heard] == [
        (None, made),
        (made, changed),
        (changed, None),
    ]


async def test_who_names_resources_hears_of_them_alone(
    running: Caches, store: Any, build: Any
) -> None:
    pods: list[Any] = []
    everything: list[Any] = []
    running.subscribe(lambda resource, old, new: pods.append(resource), [PODS])
    store.create(PODS, build.pod("a"))
    await turns()
    running.subscribe(lambda resource, old, new: everything.append(resource))
    node = {"metadata": {"name": "n", "uid": "n", "resourceVersion": "9"}}
    running._informed(NODES, None, node)
    store.create(PODS, build.pod("b"))
    await turns()
    assert pods == [PODS, PODS] and everything == [NODES, PODS]


async def test_our_own_write_is_seen_before_the_watch_tells_and_told_once(
    running: Caches, store: Any, build: Any
) -> None:
    heard: list[Any] = []
    running.subscribe(lambda resource, old, new: heard.append(new))
    made = store.create(PODS, build.pod("a"))
    running.wrote(PODS, made)
    assert running.objects.at(A) is made
    await turns()
    assert heard == [made]


async def test_our_own_deletion_is_seen_before_the_watch_tells(
    running: Caches, store: Any, build: Any
) -> None:
    made = store.create(PODS, build.pod("a"))
    await turns()
    running.deleted(A, made["metadata"]["uid"])
    held = running.objects.at(A)
    assert held is not None and deleting(held)


async def test_one_that_comes_while_the_first_are_awaited_is_not_awaited(caches: Caches) -> None:
    """A definition that is stored is watched from the start on, while the others still list."""
    waiting = asyncio.ensure_future(caches.synced())
    running = asyncio.ensure_future(caches.run())
    await turns(2)
    things = Resource("test.dev", "v1", "things", "Thing")
    informer = SimpleNamespace(on_change=lambda listener: None)  # it never has its first list
    caches.add(things, cast(Any, informer))
    await waiting
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_not_watched_is_not_kept(running: Caches, build: Any) -> None:
    event = {"metadata": {"name": "a.1", "namespace": "default", "uid": "e"}}
    running.wrote(EVENTS, event)
    assert running.objects.get(EVENTS, "default", "a.1") is None
    assert PODS in running.resources


async def test_a_write_that_no_watch_ever_confirms_is_dropped(
    running: Caches, clock: Any, build: Any
) -> None:
    """It came and went while an informer listed anew."""
    heard: list[Any] = []
    running.wrote(PODS, build.pod("ghost"))
    running.subscribe(lambda resource, old, new: heard.append((old is None, new is None)))
    clock.advance(CONFIRM_SECONDS_MAX + 1)
    running.wrote(PODS, build.pod("b"))
    assert running.objects.get(PODS, "default", "ghost") is None
    assert running.objects.get(PODS, "default", "b") is not None
    assert heard == [(True, False), (False, True)]


async def test_a_view_carries_time_and_scale(running: Caches, clock: Any) -> None:
    clock.scale = 0.5
    clock.advance(3)
    seen = running.view()
    assert (seen.now, seen.monotonic, seen.scale) == (clock.now(), clock.monotonic(), 0.5)
    assert seen.objects is running.objects
