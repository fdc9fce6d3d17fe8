"""Many at once, with nodes that pause and pods that are replaced: none is lost, none astray."""

import asyncio
import itertools
from functools import partial
from itertools import chain
from typing import Any

import pytest

from cluster.wire.addresses import SocketAddress
from tests.processes.flows.client import WAIT_SECONDS, dial
from tests.processes.flows.ground import WAYS, Ground, until
from tests.processes.flows.objects import TALKERS, container, service

ways = pytest.mark.parametrize("way", WAYS)
BURST = 500
PAUSED = 60  # connections while a node stands still
SOME = 10  # answers by each way, before a change and after it


async def answered(front: SocketAddress, token: str) -> str:
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
            *(answered(front, f"token-{number}") for number in range(BURST))
        )
    assert set(names) == set(TALKERS)


@ways
@pytest.mark.parametrize("process", ["gateway", "node-1", "node-2"])
async def test_a_process_that_pauses_for_a_moment_loses_no_connection(
    ground: Ground, way: str, process: str
) -> None:
    """Begun while it stands still; all are answered once it goes on."""
    front = await ground.front("every", way)
    async with ground.stopped(process):
        begun = [
            asyncio.create_task(answered(front, f"token-{number}")) for number in range(PAUSED)
        ]
        if process != "node-2":
            meanwhile = await ground.front("local", "near")
            assert await answered(meanwhile, "meanwhile") == "talker-2"
    async with asyncio.timeout(WAIT_SECONDS):
        names = await asyncio.gather(*begun)
    assert set(names) <= set(TALKERS)


async def test_pods_that_are_replaced_refuse_nobody(ground: Ground) -> None:
    """A rolling update while connections come all the time: each is answered, by old or new."""
    objects = [rolling("one"), service("rolling", 30060, {"app": "rolling"})]
    await ground.cluster.apply(objects)
    try:
        names: dict[str, list[str]] = {way: [] for way in WAYS}
        done = asyncio.Event()
        callers = [
            asyncio.create_task(call(await ground.front("rolling", way), names[way], done, way))
            for way in WAYS
        ]
        await until(partial(fewest, names), lambda count: count >= SOME)
        old = set(chain.from_iterable(names.values()))
        await ground.cluster.apply(rolling("two"))
        count = await fewest(names)
        await until(partial(fewest, names), lambda now: now >= count + SOME)
        done.set()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*callers)
        last = {each for answers in names.values() for each in answers[-SOME:]}
        assert not last & old, "after the update only new pods answer"
    finally:
        await ground.cluster.delete(objects)


async def call(front: SocketAddress, names: list[str], done: asyncio.Event, who: str) -> None:
    for number in itertools.count():
        if done.is_set():
            return
        names.append(await answered(front, f"{who}-{number}"))


async def fewest(names: dict[str, list[str]]) -> int:
    """How many answers came by the way that has had the fewest."""
    return min(map(len, names.values()))


def rolling(version: str) -> dict[str, Any]:
    """A Deployment whose pods are taken out of service before they end."""
    talker = {**container(), "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "rolling"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "rolling"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": "rolling", "version": version}},
                "spec": {"containers": [talker]},
            },
        },
    }
