"""What a node does on each of its node ports."""

from typing import Any

import pytest

from cluster.wire.addresses import Protocol
from node_agent.proxy.node_ports import PortPlan, PortState, port_plans

HERE, AWAY = "10.244.1.5", "10.244.2.6"


@pytest.mark.parametrize(
    ("backends", "policy", "state"),
    [
        ((), "Cluster", PortState.CLOSED),
        ((), "Local", PortState.CLOSED),
        ((AWAY,), "Cluster", PortState.SERVING),
        ((AWAY,), "Local", PortState.SILENT),
        ((AWAY, HERE), "Local", PortState.SERVING),
    ],
)
async def test_endpoints_and_policy_decide(
    world: Any, backends: tuple[str, ...], policy: str, state: PortState
) -> None:
    """S-58, S-59, S-85, S-87."""
    node = world.node(1)
    world.service("web", "10.96.0.20", *backends, node_port=30080, externalTrafficPolicy=policy)
    plan = PortPlan(30080, Protocol.TCP, state, ("default", "web"))
    assert port_plans(node.view) == {(30080, Protocol.TCP): plan}


async def test_one_number_may_serve_both_protocols(world: Any) -> None:
    node = world.node(1)
    world.service("web", "10.96.0.20", HERE, node_port=30053)
    world.service("dns", "10.96.0.53", HERE, node_port=30053, protocol="UDP")
    assert set(port_plans(node.view)) == {(30053, Protocol.TCP), (30053, Protocol.UDP)}


async def test_a_service_without_node_ports_has_none(world: Any) -> None:
    node = world.node(1)
    world.service("web", "10.96.0.20", HERE)
    assert port_plans(node.view) == {}
