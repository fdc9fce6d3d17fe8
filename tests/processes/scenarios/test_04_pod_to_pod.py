"""Scenario 4: pod -> pod by IP, on one node and from node to node."""

from typing import Any

from cluster.objects.resources import NODES

PORT = 8080


async def test_on_one_node_by_the_local_route(shop: Any, read: Any) -> None:
    """P-2, P-5, N-139, O-7, O-10: one process decides both halves."""
    visitor, cart = await shop.pair("cart", same_node=True)
    answer = await shop.curl(f"http://{cart.ip}:{PORT}/", f"pod/{visitor.name}")
    trace = answer.trace
    assert answer.json()["client"] == visitor.ip
    assert read.processes(trace) == [cart.node]
    assert read.stages(trace) == ["egress", "route", "ingress", "deliver"]
    route = read.hop(trace, "route").step
    assert route.reason == f"{await _pod_cidr(shop, cart.node)} local pods"


async def test_on_another_node_by_the_route_table_and_the_tunnel(shop: Any, read: Any) -> None:
    """P-2, P-18, N-136, N-139, O-10: each node decides its half, and nobody translates."""
    visitor, cart = await shop.pair("cart", same_node=False)
    answer = await shop.curl(f"http://{cart.ip}:{PORT}/", f"pod/{visitor.name}")
    trace = answer.trace
    assert answer.json()["client"] == visitor.ip
    assert read.processes(trace) == [visitor.node, cart.node]
    assert read.hop(trace, "egress").process == visitor.node
    assert read.hop(trace, "ingress").process == cart.node
    route = read.hop(trace, "route").step
    assert route.reason == f"{await _pod_cidr(shop, cart.node)} via {cart.node}"
    assert trace.flow.source == trace.original.source
    assert trace.flow.destination == trace.original.destination


async def test_a_pod_reaches_itself_by_its_own_address(shop: Any) -> None:
    """P-4."""
    cart = await shop.pod("cart")
    answer = await shop.curl(f"http://{cart.ip}:{PORT}/", f"pod/{cart.name}")
    assert answer.json()["client"] == cart.ip


async def test_every_pod_has_an_address_of_its_own_in_its_nodes_range(shop: Any) -> None:
    """P-1, P-12, P-18."""
    pods = await shop.pods()
    assert len({pod.ip for pod in pods}) == len(pods)
    for pod in pods:
        network = (await _pod_cidr(shop, pod.node)).removesuffix("0/24")
        assert pod.ip.startswith(network)


async def test_a_node_reaches_its_own_pods(shop: Any, read: Any) -> None:
    """P-3, N-61."""
    cart = await shop.pod("cart")
    answer = await shop.curl(f"http://{cart.ip}:{PORT}/", f"node/{cart.node}")
    assert answer.status == 200
    assert "the pod's own node" in read.hop(answer.trace, "ingress").step.reason


async def test_a_port_that_nobody_listens_on_is_refused_by_the_pod(shop: Any, read: Any) -> None:
    """P-9, O-11, O-20."""
    visitor, cart = await shop.pair("cart", same_node=False)
    failure = await shop.failure(f"http://{cart.ip}:81/", f"pod/{visitor.name}")
    assert failure.kind == "refused"
    assert failure.trace.code == "PORT_CLOSED" and failure.trace.client_saw == "connection refused"
    assert read.hop(failure.trace, "deliver").process == cart.node


async def test_an_address_of_nobody_is_met_with_silence(shop: Any) -> None:
    """P-10, O-12, O-25."""
    visitor = await shop.pod("frontend")
    network = (await _pod_cidr(shop, visitor.node)).removesuffix("0/24")
    failure = await shop.failure(f"http://{network}250:{PORT}/", f"pod/{visitor.name}")
    assert failure.kind == "timeout"
    assert failure.trace.code == "UNKNOWN_L3_TARGET_ADDRESS"


async def test_the_machines_own_network_is_closed_to_pods(shop: Any) -> None:
    """What is no address of the cluster is outside, and the real outside is not opened."""
    visitor = await shop.pod("frontend")
    failure = await shop.failure("http://192.0.2.1/", f"pod/{visitor.name}")
    assert failure.trace.code == "OUTSIDE_CLOSED"


async def _pod_cidr(shop: Any, node: str) -> str:
    return str((await shop.cluster.api.get(NODES, node))["spec"]["podCIDR"])
