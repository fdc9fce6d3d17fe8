"""Many at once, with nodes that pause and pods that are replaced: none is lost, none astray."""

import asyncio
import itertools
from typing import Any

import pytest

from tests.processes.flows.client import WAIT_SECONDS, dial
from tests.processes.flows.ground import WAYS, Ground, until
from tests.processes.flows.objects import TALKERS, container, service

ways = pytest.mark.parametrize("way", WAYS)
BURST = 500
PAUSED = 60  # connections while a node stands still
AFTER = 40  # answers after the last change


async def answered(ground: Ground, front: Any, token: str) -> str:
    """A connection of its own with a token; which pod it reached, for the token must come back."""
    client = await dial(front)
    try:
        name, _, _, echoed = (await client.ask(f"who {token}")).split()
        assert echoed == token
        assert await client.ask(f"{token} again") == f"{token} again"
        return name
    finally:
        await client.close()


@ways
async def test_five_hundred_connections_at_once_are_all_answered(ground: Ground, way: str) -> None:
    """Each by one of the pods, with its own token; every pod gets some."""
    front = await ground.front("every", way)
    async with asyncio.timeout(WAIT_SECONDS):
        names = await asyncio.gather(
            *(answered(ground, front, f"token-{number}") for number in range(BURST))
        )
    assert set(names) == set(TALKERS)


@ways
@pytest.mark.parametrize("node", ["node-1", "node-2"])
async def test_a_node_that_pauses_for_a_moment_loses_no_connection(
    ground: Ground, way: str, node: str
) -> None:
    """Begun while it stands still; all are answered once it goes on."""
    front = await ground.front("every", way)
    async with ground.stopped(node):
        begun = [
            asyncio.create_task(answered(ground, front, f"token-{number}"))
            for number in range(PAUSED)
        ]
        others = {"node-1", "node-2", "node-3"} - {node}
        other = await ground.front("local", "near") if node != "node-2" else None
        assert others
        if other is not None:
            assert await answered(ground, other, "meanwhile") == "talker-2"
    async with asyncio.timeout(WAIT_SECONDS):
        names = await asyncio.gather(*begun)
    assert set(names) <= set(TALKERS)


@ways
async def test_pods_that_are_replaced_refuse_nobody(ground: Ground, way: str) -> None:
    """A rolling update while connections come all the time: each is answered, by old or new."""
    objects = [rolling("one"), service("rolling", 30060, {"app": "rolling"})]
    await ground.cluster.apply(objects)
    try:
        front = await ground.front("rolling", way)
        names: list[str] = []
        done = asyncio.Event()
        callers = [
            asyncio.create_task(call(ground, front, names, done, f"{way}-{each}"))
            for each in range(4)
        ]
        await until(lambda: counted(names), lambda count: count >= AFTER)
        old = set(names)
        await ground.cluster.apply(rolling("two"))
        count = len(names)
        await until(lambda: counted(names), lambda now: now >= count + AFTER)
        done.set()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*callers)
        assert not set(names[-4:]) & old, "after the update only new pods answer"
    finally:
        await ground.cluster.delete(objects)


async def call(ground: Ground, front: Any, names: list[str], done: asyncio.Event, who: str) -> None:
    for number in itertools.count():
        if done.is_set():
            return
        names.append(await answered(ground, front, f"{who}-{number}"))


async def counted(names: list[str]) -> int:
    return len(names)


def rolling(version: str) -> dict[str, Any]:
    """A Deployment whose pods are taken out of service before they end."""
    talker = {**container(), "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "rolling"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "rolling"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": "rolling", "version": version}},
                "spec": {"containers": [talker]},
            },
        },
    }
