"""Scenario 1: curl -> gateway -> node port on a node -> kube-proxy's choice -> pod."""

from typing import Any

from cluster.objects.resources import SERVICES

URL = "http://frontend/"


async def test_a_request_passes_gateway_and_node_and_comes_to_a_pod(shop: Any, read: Any) -> None:
    """S-8, S-54, S-101, O-1, O-2, O-4, O-5, O-6, O-10, O-11."""
    answer = await shop.curl(URL)
    assert (answer.status, answer.text) == (200, "welcome to the shop\n")
    trace = answer.trace
    assert trace.complete and trace.missing == ()
    assert read.stages(trace) == [
        "balance", "service", "masquerade", "route", "ingress", "deliver",
    ]  # fmt: skip
    assert read.processes(trace)[0] == "gateway"
    entry = read.processes(trace)[1]
    assert read.processes(trace)[-1] == trace.endpoint.node
    balance = read.hop(trace, "balance").step
    assert entry in balance.reason and "3 healthy nodes" in balance.reason
    service = read.hop(trace, "service").step
    assert (service.detail["service"]["name"], service.detail["front"]["kind"]) == (
        "frontend",
        "LoadBalancer",
    )
    assert service.reason in ("random, 1 of 2 endpoints", "random, 2 of 2 endpoints")
    candidates = service.detail["candidates"]
    assert candidates["filter"] == "ready"
    assert sorted(candidates["addresses"]) == await shop.endpoints("frontend")
    assert str(service.after.destination) == f"{trace.endpoint.ip}:8080"
    masquerade = read.hop(trace, "masquerade").step
    assert masquerade.before.source.ip == "203.0.113.1"
    assert masquerade.after.source.ip == await shop.internal_ip(entry)


async def test_the_destination_is_the_load_balancers_until_the_node_translates_it(
    shop: Any, read: Any
) -> None:
    """S-107, O-3."""
    status = (await shop.document(SERVICES, "frontend"))["status"]
    (ingress,) = status["loadBalancer"]["ingress"]
    trace = (await shop.curl(URL)).trace
    assert str(trace.original.destination) == f"{ingress['ip']}:80"
    assert read.hop(trace, "balance").step.after.destination == trace.original.destination
    assert read.hop(trace, "service").step.before.destination == trace.original.destination
    assert [each.number for each in trace.hops] == list(range(len(trace.hops)))


async def test_nodes_and_pods_are_drawn_anew_for_each_connection(shop: Any, read: Any) -> None:
    """S-64: some end on the node that they entered, others do not."""
    pods = {pod.name for pod in await shop.pods("frontend")}
    entries, ends, crossed = set(), set(), set()
    for _ in range(60):
        trace = (await shop.curl(URL)).trace
        entries.add(read.processes(trace)[1])
        ends.add(trace.endpoint.pod)
        crossed.add(len(read.processes(trace)) == 3)
        if len(entries) == 3 and ends == pods and crossed == {True, False}:
            return
    raise AssertionError(f"60 requests: entered {entries}, ended {ends}, crossed {crossed}")


async def test_each_outside_client_keeps_its_address_up_to_the_first_node(
    shop: Any, read: Any
) -> None:
    """The gateway hides nobody; the node translates whom it does not know (S-101)."""
    for client in ("203.0.113.7", "203.0.113.8"):
        trace = (await shop.curl(URL, client)).trace
        assert trace.original.source.ip == client
        assert read.hop(trace, "masquerade").step.before.source.ip == client


async def test_a_pod_uses_the_load_balancers_address_without_leaving_the_cluster(
    shop: Any, read: Any
) -> None:
    """S-117, S-114, S-101: the node captures it, and translates the source all the same."""
    frontend = await shop.pod("frontend")
    status = (await shop.document(SERVICES, "frontend"))["status"]
    (ingress,) = status["loadBalancer"]["ingress"]
    assert ingress.get("ipMode", "VIP") == "VIP"
    answer = await shop.curl(f"http://{ingress['ip']}/", f"pod/{frontend.name}")
    assert answer.status == 200
    assert "gateway" not in read.processes(answer.trace)
    masquerade = read.hop(answer.trace, "masquerade").step
    assert masquerade.after.source.ip == await shop.internal_ip(frontend.node)


async def test_what_the_frontend_asks_the_cart_has_a_trace_of_its_own(shop: Any) -> None:
    """The request from outside sets off another, from the frontend's pod by the cart's name."""
    answer = await shop.curl("http://frontend/cart")
    assert answer.status == 200
    cart = answer.json()["cart"]
    assert cart["servedBy"] in {pod.name for pod in await shop.pods("cart")}
    assert cart["client"] == answer.trace.endpoint.ip, "pods see pods without translation"
