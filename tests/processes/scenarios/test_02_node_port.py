"""Scenario 2: the node port straight at each node, also at one without a pod of the Service."""

from typing import Any

from cluster.objects.resources import SERVICES

PORT = 30080


async def test_every_node_answers_whether_or_not_it_runs_a_pod(shop: Any, read: Any) -> None:
    """S-93, S-101, S-107."""
    homes = {pod.node for pod in await shop.pods("frontend")}
    nodes = await shop.nodes()
    assert set(nodes) - homes, "a node without a pod of the Service belongs to this scenario"
    for node in nodes:
        answer = await shop.curl(f"http://{node}:{PORT}/")
        assert answer.status == 200
        assert read.processes(answer.trace)[0] == node
        assert str(answer.trace.original.destination) == f"{await shop.internal_ip(node)}:{PORT}"
        masquerade = read.hop(answer.trace, "masquerade").step
        assert masquerade.after.source.ip == await shop.internal_ip(node)
        if node not in homes:
            assert read.processes(answer.trace) == [node, answer.trace.endpoint.node]


async def test_a_pod_and_a_nodes_process_use_it_too(shop: Any, read: Any) -> None:
    """S-101, S-171: the pod shows up as its node."""
    frontend = await shop.pod("frontend")
    other = next(name for name in await shop.nodes() if name != frontend.node)
    for source in (f"pod/{frontend.name}", f"node/{frontend.node}"):
        answer = await shop.curl(f"http://{await shop.internal_ip(other)}:{PORT}/", source)
        assert answer.status == 200
        assert read.processes(answer.trace)[:2] == [frontend.node, other]
        assert read.hop(answer.trace, "service").process == other
        seen = read.hop(answer.trace, "deliver").step.after.source.ip
        assert seen == await shop.internal_ip(other)


async def test_the_node_port_is_that_of_its_protocol_alone(shop: Any) -> None:
    """S-94: a TCP node port takes no datagram, a UDP one no connection."""
    node = (await shop.nodes())[0]
    failure = await shop.failure(f"http://{node}:30999/")
    assert failure.kind == "refused"


async def test_a_port_of_no_service_is_refused_by_the_node(shop: Any) -> None:
    """Nobody listens there, as on any host."""
    node = (await shop.nodes())[0]
    service = await shop.document(SERVICES, "frontend")
    assert [port["nodePort"] for port in service["spec"]["ports"]] == [PORT]
    failure = await shop.failure(f"http://{node}:{PORT + 1}/")
    assert (failure.kind, failure.trace.code) == ("refused", "PORT_CLOSED")


async def test_local_policy_keeps_the_client_and_the_traffic_where_it_is(
    shop: Any, read: Any
) -> None:
    """S-102, S-87, S-89: with a pod here the client is seen; without one there is silence."""
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "cart-local", "namespace": "shop"},
        "spec": {
            "type": "NodePort",
            "externalTrafficPolicy": "Local",
            "selector": {"app": "cart"},
            "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30081}],
        },
    }
    homes = {pod.node for pod in await shop.pods("cart")}
    (without,) = set(await shop.nodes()) - homes
    async with shop.applied(document):
        for node in homes:
            answer = await shop.curl(f"http://{node}:30081/", "203.0.113.9")
            assert answer.json()["client"] == "203.0.113.9"
            assert read.processes(answer.trace) == [node]
        silent = await shop.failure(f"http://{without}:30081/")
        assert silent.kind == "timeout"
        inside = await shop.curl(
            f"http://{await shop.cluster_ip('cart-local')}/", f"node/{without}"
        )
        assert inside.status == 200, "internal traffic is not the policy's"
