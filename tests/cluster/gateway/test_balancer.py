"""Which fronts there are, and which node a new flow gets."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.dataplane.decision import Code, Drop
from cluster.gateway.backend_nodes import EXCLUDE_LABEL, parse_backend_node
from cluster.gateway.balancer import (
    Chosen,
    FrontPlan,
    FrontState,
    Place,
    choose_node,
    merge,
    nodes_passing_health_check,
    oldest_first,
    parse_balanced,
    plan_service,
)
from cluster.objects.discovery import parse_endpoint_slice
from cluster.wire.addresses import Protocol, SocketAddress

IP = "127.65.211.1"


def everybody(_: str) -> bool:
    return True


def nobody(_: str) -> bool:
    return False


def plans(
    make: Any,
    services: Sequence[Any],
    slices: Sequence[Any] = (),
    nodes: Sequence[Any] | None = None,
    healthy: Any = everybody,
) -> dict[str, FrontPlan]:
    """The fronts by name."""
    parsed = [parse_endpoint_slice(each) for each in slices]
    balanced = [each for each in map(parse_balanced, services) if each is not None]
    known = [parse_backend_node(each) for each in (nodes or [make.node(n) for n in (1, 2, 3)])]
    found = merge(
        plan_service(
            each,
            [s for s in parsed if (s.meta.namespace, s.service) == each.service.meta.key],
            known,
            healthy,
        )
        for each in oldest_first(balanced)
    )
    assert all(place == plan.place for place, plan in found.items())
    return {str(place): plan for place, plan in found.items()}


def names(plan: FrontPlan) -> list[str]:
    return [node.name for node in plan.nodes]


def test_a_service_with_an_address_and_an_endpoint_is_served_by_every_node(make: Any) -> None:
    """S-107: with policy Cluster any node may take the first hop."""
    plan = plans(make, [make.service()], [make.slice("10.244.2.5")])[f"{IP}:80/TCP"]
    assert plan.state is FrontState.SERVING
    assert names(plan) == ["node-1", "node-2", "node-3"]
    assert plan.node_port == 30080


def test_a_service_that_has_no_address_yet_has_no_front(make: Any) -> None:
    """S-108."""
    assert plans(make, [make.service(ip="")], [make.slice("10.244.2.5")]) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "NodePort"},
        {"type": "ClusterIP"},
        {"loadBalancerClass": "example.com/other"},
        {"deleting": True},
    ],
)
def test_what_is_not_this_balancers_has_no_front(make: Any, changes: dict[str, Any]) -> None:
    """S-112, S-124: another class is another's; another type, or deletion, ends it."""
    assert plans(make, [make.service(**changes)], [make.slice("10.244.2.5")]) == {}


def test_each_port_and_protocol_is_a_front_of_its_own(make: Any) -> None:
    """S-123: mixed protocols are valid; SCTP is not carried."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "signal", "port": 53, "protocol": "SCTP"},
    ]
    assert set(plans(make, [make.service(ports=ports)])) == {f"{IP}:53/UDP", f"{IP}:53/TCP"}


def test_of_two_services_that_claim_one_front_the_older_keeps_it(make: Any) -> None:
    young = make.service("a-young", created="2026-02-01T00:00:00Z")
    old = make.service("z-old", created="2026-01-01T00:00:00Z")
    for services in ([young, old], [old, young]):
        assert plans(make, services)[f"{IP}:80/TCP"].service == ("shop", "z-old")


def test_without_any_endpoint_the_front_is_closed(make: Any) -> None:
    """S-85: so that the client is refused."""
    plan = plans(make, [make.service()])[f"{IP}:80/TCP"]
    assert plan.state is FrontState.CLOSED
    assert plan.code is Code.NO_ENDPOINT
    assert plan.reason == "shop/web:http has no usable endpoint"
    unready = make.slice(make.endpoint(ready=False))
    assert plans(make, [make.service()], [unready])[f"{IP}:80/TCP"].state is FrontState.CLOSED


def test_terminating_endpoints_serve_when_none_is_ready(make: Any) -> None:
    """S-58: nodes fall back to them, so the front stays."""
    slices = [make.slice(make.endpoint(ready=False, terminating=True))]
    plan = plans(make, [make.service()], slices)[f"{IP}:80/TCP"]
    assert plan.state is FrontState.SERVING


def test_with_policy_local_only_nodes_with_a_ready_endpoint_are_sent_to(make: Any) -> None:
    """S-122."""
    service = make.service(externalTrafficPolicy="Local")
    slices = [make.slice("10.244.1.5", make.endpoint("10.244.2.5", ready=False))]
    plan = plans(make, [service], slices)[f"{IP}:80/TCP"]
    assert names(plan) == ["node-1"]
    assert plan.local_only


def test_with_policy_local_terminating_endpoints_do_not_pass_the_check(make: Any) -> None:
    """S-120, S-178: though S-59's fallback would still serve, the front falls silent."""
    service = make.service(externalTrafficPolicy="Local")
    slices = [make.slice(make.endpoint(ready=False, terminating=True))]
    plan = plans(make, [service], slices)[f"{IP}:80/TCP"]
    assert plan.state is FrontState.SILENT
    assert plan.code is Code.NO_NODE
    assert "externalTrafficPolicy Local and no ready endpoint on any of 3 nodes" in plan.reason


def test_the_health_check_counts_the_service_not_the_port(make: Any) -> None:
    """S-118, S-120: distinct ready endpoints of the Service on the node, whatever their port."""
    slices = [
        parse_endpoint_slice(make.slice("10.244.1.5", name="a")),
        parse_endpoint_slice(make.slice("10.244.2.5", name="b", protocol="UDP")),
        parse_endpoint_slice(make.slice(make.endpoint("10.244.3.5", terminating=True), name="c")),
    ]
    assert nodes_passing_health_check(slices) == {"node-1", "node-2"}


def test_excluded_nodes_are_not_sent_to(make: Any) -> None:
    """S-111."""
    nodes = [make.node(1, labels={EXCLUDE_LABEL: "true"}), make.node(2)]
    plan = plans(make, [make.service()], [make.slice("10.244.1.5")], nodes)[f"{IP}:80/TCP"]
    assert names(plan) == ["node-2"]


@pytest.mark.parametrize(
    ("nodes", "healthy", "why"),
    [
        ([1], nobody, "none of 1 nodes answers health checks"),
        ([], everybody, "node-9: label node.kubernetes.io/exclude"),
    ],
)
def test_without_a_node_to_send_to_the_front_is_silent_and_says_why(
    make: Any, nodes: list[int], healthy: Any, why: str
) -> None:
    documents = [make.node(n) for n in nodes] or [make.node(9, labels={EXCLUDE_LABEL: ""})]
    slices = [make.slice("10.244.1.5")]
    plan = plans(make, [make.service()], slices, documents, healthy)[f"{IP}:80/TCP"]
    assert plan.state is FrontState.SILENT
    assert why in plan.reason


def test_a_cluster_without_nodes_is_named_as_such(make: Any) -> None:
    balanced = parse_balanced(make.service())
    assert balanced is not None
    slices = [parse_endpoint_slice(make.slice("10.244.1.5"))]
    (found,) = plan_service(balanced, slices, [], everybody)
    assert found.place == Place(SocketAddress(IP, 80), Protocol.TCP)
    assert found.reason == "the cluster has no node"


@pytest.fixture
def plan(make: Any) -> FrontPlan:
    return plans(make, [make.service()], [make.slice("10.244.1.5")])[f"{IP}:80/TCP"]


@given(draw=st.floats(0, 1, exclude_max=True))
def test_every_draw_chooses_a_healthy_node(draw: float) -> None:
    from cluster.gateway.backend_nodes import BackendNode

    plan = FrontPlan(
        place=Place(SocketAddress(IP, 80), Protocol.TCP),
        service=("shop", "web"),
        uid="",
        port="http",
        node_port=30080,
        local_only=False,
        state=FrontState.SERVING,
        reason="",
        code=None,
        nodes=tuple(BackendNode(f"node-{n}") for n in range(5)),
    )
    chosen = choose_node(plan, lambda name: name != "node-3", draw=draw, tried=["node-0"])
    assert isinstance(chosen, Chosen)
    assert chosen.node.name in {"node-1", "node-2", "node-4"}


def test_the_reason_tells_the_choice_and_the_node_port(plan: FrontPlan) -> None:
    """O-4, O-5."""
    chosen = choose_node(plan, everybody, draw=0.5)
    assert isinstance(chosen, Chosen)
    assert chosen.reason == "node-2, 2 of 3 healthy nodes, node port 30080"


def test_a_local_choice_says_so(make: Any) -> None:
    service = make.service(externalTrafficPolicy="Local")
    plan = plans(make, [service], [make.slice("10.244.3.5")])[f"{IP}:80/TCP"]
    chosen = choose_node(plan, everybody, draw=0.9)
    assert isinstance(chosen, Chosen)
    assert "node-3, 1 of 1 healthy node with an endpoint of its own (Local)" in chosen.reason


def test_a_dead_node_is_skipped(plan: FrontPlan) -> None:
    chosen = choose_node(plan, lambda name: name == "node-3", draw=0.0)
    assert isinstance(chosen, Chosen)
    assert chosen.node.name == "node-3"


def test_when_nobody_is_left_the_flow_is_dropped(plan: FrontPlan) -> None:
    drop = choose_node(plan, everybody, draw=0.0, tried=["node-1", "node-2", "node-3"])
    assert drop == Drop(Code.NO_NODE, "none of 3 nodes answers")
