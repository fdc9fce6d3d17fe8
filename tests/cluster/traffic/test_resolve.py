"""What an outside client's names mean."""

from typing import Any

import pytest

from cluster.traffic.resolve import Known, Target, resolve
from cluster.traffic.unreached import Symptom, Unreached
from cluster.wire.addresses import Protocol, SocketAddress


@pytest.fixture
def known(made: Any) -> Known:
    inside = made.service("cart", type="ClusterIP", clusterIP="10.96.0.20")
    moved = made.service("frontend", ip="127.65.0.1")
    moved["metadata"]["annotations"] = {
        "kubehop.dev/real-addresses": '{"80/TCP": "127.65.0.1:8080", "53/UDP": "127.65.0.1:8053"}'
    }
    pending = made.service("waiting")
    other = made.service("blog", ip="127.65.0.2", namespace="press")
    return Known((inside, moved, pending, other), (made.node(1, "127.64.9.1"), made.node(2)))


def real(target: Target) -> str:
    return str(target.real)


@pytest.mark.parametrize(
    "host",
    [
        "frontend.shop",
        "frontend.shop.svc",
        "frontend.shop.svc.cluster.local",
        "frontend.shop.svc.cluster.local.",
        "FRONTEND.shop",
        "127.65.0.1",
    ],
)
def test_a_load_balancer_has_names_and_an_address(known: Known, host: str) -> None:
    target = resolve(host, 443, known)
    assert target.real == SocketAddress("127.65.0.1", 443)
    assert target.what == "Service shop/frontend" and target.node == ""


def test_a_short_name_is_looked_up_in_the_callers_namespace(known: Known) -> None:
    assert real(resolve("frontend", 443, known, namespace="shop")) == "127.65.0.1:443"


def test_a_short_name_that_one_load_balancer_bears_is_that_one(known: Known) -> None:
    """Outside there is no namespace to be in; two of a name need their namespaces."""
    assert real(resolve("blog", 80, known, namespace="shop")) == "127.65.0.2:80"
    twice = Known(
        (*known.services, {**known.services[3], "metadata": {"name": "blog", "namespace": "home"}}),
        (),
    )
    with pytest.raises(Unreached) as caught:
        resolve("blog", 80, twice, namespace="shop")
    assert caught.value.kind is Symptom.NXDOMAIN
    assert real(resolve("blog", 80, twice, namespace="home")) == "127.65.0.2:80"


@pytest.mark.parametrize("host", ["frontend.shop", "127.65.0.1"])
def test_a_port_that_could_not_be_bound_is_dialled_where_it_is_served(
    known: Known, host: str
) -> None:
    """docs/architecture.md: the annotation kubehop.dev/real-addresses, by port and protocol."""
    assert real(resolve(host, 80, known)) == "127.65.0.1:8080"
    assert real(resolve(host, 53, known)) == "127.65.0.1:53"
    assert real(resolve(host, 53, known, protocol=Protocol.UDP)) == "127.65.0.1:8053"


@pytest.mark.parametrize("host", ["node-1", "172.30.0.1", "127.64.9.1"])
def test_a_node_is_dialled_at_its_real_address(known: Known, host: str) -> None:
    target = resolve(host, 30080, known)
    assert target == Target(real=SocketAddress("127.64.9.1", 30080), what="node-1", node="node-1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.9"])
def test_this_machine_needs_nobody_to_know_it(host: str) -> None:
    assert real(resolve(host, 8080, Known())).endswith(":8080")


@pytest.mark.parametrize(
    ("host", "kind", "words"),
    [
        ("cart", "unreachable", "Service shop/cart is of type ClusterIP"),
        ("10.96.0.20", "unreachable", "cluster IP of Service shop/cart"),
        ("waiting", "unreachable", "has no load balancer's address yet"),
        ("10.244.1.5", "unreachable", "--from pod/NAME"),
        ("node-2", "unreachable", "kubehop.dev/address"),
        ("nobody", "nxdomain", "blog.press, frontend.shop, node-1, node-2, waiting.shop"),
        ("frontend.press", "nxdomain", "no Service of this name"),
        ("frontend.shop.pod", "nxdomain", "no Service of this name"),
        ("example.com", "nxdomain", "no Service of this name"),
    ],
)
def test_what_an_outside_client_cannot_reach_is_explained(
    known: Known, host: str, kind: str, words: str
) -> None:
    with pytest.raises(Unreached, match=words) as caught:
        resolve(host, 80, known, namespace="shop")
    assert caught.value.kind == kind
