"""Active health checks, against real listeners."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.aio.streams import address_of, listen
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.checks import CHECK_SECONDS, HealthChecks
from cluster.gateway.health import NodeHealth
from cluster.wire.addresses import SocketAddress


@pytest.fixture
def hung() -> Iterator[socket.socket]:
    """A process that hangs: the kernel shakes hands, nobody answers."""
    with listen(SocketAddress("127.0.0.1", 0)) as door:
        yield door


class Checked:
    """Checks, and how often they said that something changed."""

    def __init__(self, clock: Any, *nodes: BackendNode) -> None:
        self.nodes = list(nodes)
        self.health = NodeHealth()
        self.changes = 0
        self.checks = HealthChecks(
            lambda: self.nodes, self.health, self._changed, clock, timeout_seconds=0.05
        )

    def _changed(self) -> None:
        self.changes += 1


async def test_a_node_that_works_is_healthy(world: Any, clock: Any) -> None:
    checked = Checked(clock, BackendNode("node-1", world.node().address))
    await checked.checks.check()
    assert checked.health.healthy("node-1")
    assert checked.changes == 0


async def test_a_dead_process_is_noticed_by_one_check(world: Any, clock: Any) -> None:
    node = world.node()
    checked = Checked(clock, BackendNode("node-1", node.address))
    await node.stop()
    await checked.checks.check()
    assert not checked.health.healthy("node-1")
    assert "Connection refused" in checked.health.reason("node-1")
    assert checked.changes == 1


async def test_a_process_that_hangs_is_noticed_by_two(clock: Any, hung: socket.socket) -> None:
    checked = Checked(clock, BackendNode("node-1", address_of(hung)))
    await checked.checks.check()
    assert checked.health.healthy("node-1")
    await checked.checks.check()
    assert not checked.health.healthy("node-1")
    assert checked.changes == 1


async def test_a_node_that_comes_back_is_healthy_again(
    world: Any, clock: Any, hung: socket.socket
) -> None:
    checked = Checked(clock, BackendNode("node-1", address_of(hung)))
    for _ in range(2):
        await checked.checks.check()
    checked.nodes = [BackendNode("node-1", world.node().address)]
    await checked.checks.check()
    assert checked.health.healthy("node-1")
    assert checked.changes == 2


async def test_a_node_that_is_gone_is_forgotten(clock: Any, hung: socket.socket) -> None:
    checked = Checked(clock, BackendNode("node-1", address_of(hung)))
    for _ in range(2):
        await checked.checks.check()
    checked.nodes = [BackendNode("node-2")]
    await checked.checks.check()
    assert checked.health.reason("node-1") == ""


async def test_checks_go_on_by_the_clock(world: Any, make: Any, clock: Any, port: int) -> None:
    """The gateway's own checks find a node that died, and the front falls silent."""
    node = world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    await node.stop()
    assert world.gateway.health.healthy("node-1")

    def unhealthy() -> bool:
        clock.advance(CHECK_SECONDS)
        return not world.gateway.health.healthy("node-1")

    await world.settle(unhealthy)
    assert world.gateway.fronts.states()["silent"] == 1


async def test_while_nothing_is_balanced_nobody_is_asked(world: Any) -> None:
    world.node()
    assert list(world.gateway._nodes()) == []
