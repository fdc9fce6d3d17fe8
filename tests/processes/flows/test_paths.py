"""Which way connections go: that the cluster of each path is really one of that path."""

import pytest

from tests.processes.flows.ground import WAYS, Ground, passed_by
from tests.processes.flows.held import holders

MANY = 10


@pytest.mark.parametrize("way", WAYS)
async def test_the_pods_node_alone_holds_a_connection_that_was_handed_over(
    ground: Ground, way: str
) -> None:
    """Where it is relayed, the process that accepted it does."""
    for _ in range(MANY):
        async with ground.connected(way=way) as client:
            passed = passed_by(await client.ask("who a"), way)
            holder = passed[-1] if ground.path == "hand-over" else passed[0]
            assert await holders(ground, client) == [holder]
