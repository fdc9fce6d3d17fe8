"""Events of one turn make one view; versions are waited for."""

import asyncio
from typing import Any

from cluster.gateway.balancer_view import WATCHED

SERVICES, ENDPOINT_SLICES, NODES = WATCHED


async def test_events_of_one_turn_are_one_change(world: Any, make: Any, monkeypatch: Any) -> None:
    calls: list[int] = []
    monkeypatch.setattr(world.gateway.watch, "_on_changed", lambda: calls.append(1))
    for number in (1, 2, 3):
        world.informers[NODES].feed(("", f"node-{number}"), make.node(number))
    assert len(world.gateway.watch.current.nodes) == 0
    await world.settle(lambda: calls)
    assert calls == [1]
    assert len(world.gateway.watch.current.nodes) == 3


async def test_programmed_waits_for_versions_and_brings_them_into_use(
    world: Any, make: Any
) -> None:
    watch = world.gateway.watch
    waiting = asyncio.ensure_future(watch.programmed({"nodes": 1, "pods": 99}, 10))
    await asyncio.sleep(0)
    assert not waiting.done()
    world.informers[NODES].feed(("", "node-1"), make.node())
    assert await waiting
    assert "node-1" in watch.current.nodes


async def test_programmed_gives_up_when_its_time_is_over(world: Any) -> None:
    assert not await world.gateway.watch.programmed({"services": 7}, 0.01)


async def test_a_start_does_not_wait_for_the_api_for_ever(build: Any) -> None:
    world = build()
    assert not await world.gateway.watch.synced(0.01)
