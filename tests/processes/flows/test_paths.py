"""Which way connections go: that the cluster of each path is really one of that path."""

from contextlib import AsyncExitStack

import pytest

from tests.processes.flows.ground import WAYS, Ground, until

MANY = 20


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_but_the_pods_node_holds_a_connection_that_was_handed_over(
    ground: Ground, way: str
) -> None:
    """Where it is relayed, each process on the way holds two sockets for it."""
    before = await ground.sockets()
    held = dict.fromkeys(before, 0)
    async with AsyncExitStack() as stack:
        for _ in range(MANY):
            client = await stack.enter_async_context(ground.connected(way=way))
            assert await client.ask("who a") != ""
            for segment in (await ground.trace(client)).segments:
                last = segment.process == "node-2"
                relayed = ground.path == "relay" and not last
                held[segment.process] += 2 if relayed else int(last)

        async def grown() -> dict[str, int]:
            now = await ground.sockets()
            return {name: len(now[name]) - len(before[name]) for name in now}

        assert await until(grown, lambda now: now == held) == held
    await until(lambda: ground.opened_since(before), lambda more: not more)
