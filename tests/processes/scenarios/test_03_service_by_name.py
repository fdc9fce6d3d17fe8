"""Scenario 3: pod -> Service by name, through the cluster DNS pods."""

from typing import Any

import pytest

from cluster.trace.query import Query
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind

QUERIES = {
    "cart": ["cart.shop.svc.cluster.local"],
    "cart.shop": ["cart.shop.shop.svc.cluster.local", "cart.shop.svc.cluster.local"],
    "cart.shop.svc": [
        "cart.shop.svc.shop.svc.cluster.local",
        "cart.shop.svc.svc.cluster.local",
        "cart.shop.svc.cluster.local",
    ],
    "cart.shop.svc.cluster.local": [
        "cart.shop.svc.cluster.local.shop.svc.cluster.local",
        "cart.shop.svc.cluster.local.svc.cluster.local",
        "cart.shop.svc.cluster.local.cluster.local",
        "cart.shop.svc.cluster.local",
    ],
    "cart.shop.svc.cluster.local.": ["cart.shop.svc.cluster.local"],
}


@pytest.mark.parametrize("name", QUERIES)
async def test_each_form_of_the_name_is_the_services_address(
    shop: Any, read: Any, name: str
) -> None:
    """D-69, D-78, D-79, D-82, O-13: ndots and the search list, as the trace shows them."""
    frontend = await shop.pod("frontend")
    answer = await shop.curl(f"http://{name}/", f"pod/{frontend.name}")
    assert answer.status == 200
    trace = answer.trace
    assert str(trace.original.destination) == f"{await shop.cluster_ip('cart')}:80"
    resolve = read.hop(trace, "resolve").step.detail
    asked = [each["name"].rstrip(".") for each in resolve["queries"]]
    assert asked == QUERIES[name]
    *misses, hit = resolve["queries"]
    assert [each["rcode"] for each in misses] == ["NXDOMAIN"] * len(misses)
    assert hit["answers"] == [trace.original.destination.ip]


async def test_the_pod_reaches_the_service_without_translation_of_its_source(
    shop: Any, read: Any
) -> None:
    """S-84, S-99, O-7, O-16, O-20."""
    frontend = await shop.pod("frontend")
    answer = await shop.curl("http://cart/", f"pod/{frontend.name}")
    trace = answer.trace
    assert answer.json()["client"] == frontend.ip
    assert "masquerade" not in read.stages(trace)
    expected = ["resolve", "service", "egress", "route", "ingress", "deliver"]
    assert read.stages(trace) == expected
    assert trace.origin.name == f"shop/{frontend.name}" and trace.origin.node == frontend.node
    assert trace.client_saw == "connected"
    assert "no policy selects" in read.hop(trace, "egress").step.reason


async def test_short_names_are_of_the_pods_own_namespace(shop: Any) -> None:
    """D-82: `cart` is nobody's name in another namespace, `cart.shop` is the shop's."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "visitor", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "pause"}]},
    }
    async with shop.applied(pod):
        answer = await shop.curl("http://cart.shop/", "pod/default/visitor")
        assert answer.status == 200
        failure = await shop.failure("http://cart/", "pod/default/visitor", 5)
        assert failure.kind == "nxdomain"


async def test_queries_are_flows_to_the_dns_pods_behind_their_service(shop: Any, read: Any) -> None:
    """D-77: kube-dns at 10.96.0.10 is a Service like any other, its pods run `coredns`."""
    frontend = await shop.pod("frontend")
    await shop.curl("http://cart/", f"pod/{frontend.name}")
    query = Query(
        kind=FlowKind.DNS,
        source=SocketAddress(frontend.ip, 0),
        destination=SocketAddress("10.96.0.10", 53),
    )
    trace = await shop.cluster.trace(query)
    assert trace.outcome == "delivered"
    assert trace.endpoint.namespace == "kube-system" and trace.endpoint.pod.startswith("coredns-")
    assert trace.endpoint.port == 53
    assert read.hop(trace, "service").step.detail["service"]["name"] == "kube-dns"


async def test_the_frontends_own_program_finds_the_cart_by_its_short_name(shop: Any) -> None:
    """An unmodified aiohttp client in a pod resolves as a pod does (D-82)."""
    answer = await shop.curl("http://frontend/cart")
    source = SocketAddress(answer.trace.endpoint.ip, 0)
    destination = SocketAddress(await shop.cluster_ip("cart"), 80)
    trace = await shop.cluster.trace(Query(source=source, destination=destination))
    assert trace.origin.name == str(answer.trace.endpoint)
    assert trace.endpoint.pod == answer.json()["cart"]["servedBy"]
