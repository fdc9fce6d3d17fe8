"""Which way connections go: that the cluster of each path is really one of that path."""

import pytest

from tests.processes.flows.ground import WAYS, Ground
from tests.processes.flows.held import holders

MANY = 10


@pytest.mark.parametrize("way", WAYS)
async def test_the_pods_node_alone_holds_a_connection_that_was_handed_over(
    ground: Ground, way: str
) -> None:
    """Where it is relayed, the process that accepted it does."""
    for _ in range(MANY):
        async with ground.connected(way=way) as client:
            assert await client.ask("who a") != ""
            (first, *_, last) = [each.process for each in (await ground.trace(client)).segments] * 2
            assert last == "node-2"
            assert await holders(ground, client) == [last if ground.path == "hand-over" else first]
