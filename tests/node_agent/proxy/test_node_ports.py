"""What a node does on each of its node ports."""

from typing import Any

import pytest

from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.wire.addresses import Protocol
from node_agent.proxy.node_ports import Place, PortPlan, PortState, plan_changes

HERE, AWAY = "10.244.1.5", "10.244.2.6"


def port_plans(view: NodeView) -> dict[Place, PortPlan | None]:
    """All of them, as a node that has heard of nothing yet learns of them."""
    return plan_changes(empty_view("node-1", "172.30.0.1", NetworkSettings()), view)


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


async def test_a_change_is_of_the_ports_of_its_services_alone(world: Any) -> None:
    """S-58, S-85: of ten thousand node ports one endpoint's change asks for one."""
    node = world.node(1)
    for number in range(3):
        world.service(f"web-{number}", f"10.96.0.2{number}", HERE, node_port=30080 + number)
    before = node.view
    assert plan_changes(before, before) == {}
    world.service("web-1", "10.96.0.21", node_port=30081)
    world.service("plain", "10.96.0.29", AWAY)
    closed = PortPlan(30081, Protocol.TCP, PortState.CLOSED, ("default", "web-1"))
    assert plan_changes(before, node.view) == {(30081, Protocol.TCP): closed}
    moved = node.view
    world.service("web-1", "10.96.0.21", HERE, node_port=30099)
    changes = plan_changes(moved, node.view)
    assert changes[30081, Protocol.TCP] is None and len(changes) == 2
    assert changes[30099, Protocol.TCP] is not None
