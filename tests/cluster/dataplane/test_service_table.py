from typing import Any

import pytest

from cluster.dataplane.node_view import NodeView
from cluster.dataplane.served_port import Front, FrontKind
from cluster.dataplane.service_table import NOTHING_HELD
from cluster.objects.core import parse_service
from cluster.objects.discovery import parse_endpoint_slice
from cluster.wire.addresses import Protocol, SocketAddress

TCP, UDP = Protocol.TCP, Protocol.UDP
HTTP = {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}


def front(view: NodeView, ip: str, port: int, protocol: Protocol = TCP) -> Front | None:
    return view.services.at(SocketAddress(ip, port), protocol)


def backends(found: Front | None) -> list[str]:
    assert found is not None
    return [str(each.address) for each in found.served.backends]


@pytest.fixture
def balanced(make: Any) -> NodeView:
    return make.view(
        make.service(
            "cart",
            type="LoadBalancer",
            ports=[HTTP],
            externalIPs=["198.51.100.7"],
            ingress=[{"ip": "127.65.0.1"}],
        ),
        make.slice("cart", "10.244.1.2", "10.244.2.2"),
    )


def test_every_front_of_a_service_works_at_the_same_time(balanced: NodeView) -> None:
    """S-8, S-84, S-96."""
    kinds = {
        "10.96.1.1": FrontKind.CLUSTER_IP,
        "198.51.100.7": FrontKind.EXTERNAL_IP,
        "127.65.0.1": FrontKind.LOAD_BALANCER,
    }
    for ip, kind in kinds.items():
        found = front(balanced, ip, 80)
        assert found is not None and found.kind is kind
        assert backends(found) == ["10.244.1.2:8080", "10.244.2.2:8080"]
    node_port = balanced.services.at_node_port(SocketAddress("172.30.0.1", 30080), TCP)
    assert node_port is not None and node_port.kind is FrontKind.NODE_PORT


def test_a_front_exists_for_its_protocol_and_port_only(balanced: NodeView) -> None:
    """S-94."""
    assert front(balanced, "10.96.1.1", 80, UDP) is None
    assert front(balanced, "10.96.1.1", 81) is None
    assert balanced.services.at_node_port(SocketAddress("172.30.0.1", 30080), UDP) is None


def test_one_number_over_tcp_and_udp_shares_a_node_port(make: Any) -> None:
    """S-28, S-179: two fronts, each with its own endpoints."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "nodePort": 30053},
    ]
    listed = [{**port, "port": 1053 + index} for index, port in enumerate(ports)]
    view = make.view(
        make.service("dns", ports=ports, type="NodePort"),
        make.slice("dns", "10.244.1.2", ports=listed),
    )
    udp = view.services.at_node_port(SocketAddress("172.30.0.1", 30053), UDP)
    tcp = view.services.at_node_port(SocketAddress("172.30.0.1", 30053), TCP)
    assert backends(udp) == ["10.244.1.2:1053"] and backends(tcp) == ["10.244.1.2:1054"]


def test_headless_and_external_name_services_have_no_front(make: Any) -> None:
    """S-9, S-10, S-176."""
    view = make.view(
        make.service("headless", clusterIP="None", clusterIPs=["None"]),
        make.service("named", type="ExternalName", clusterIP="", clusterIPs=[]),
        make.slice("headless", "10.244.1.2"),
    )
    assert len(view.services.fronts) == 0


def test_a_service_without_slices_has_its_front_and_no_backend(make: Any) -> None:
    """S-85: the front exists, so that it can refuse."""
    assert backends(front(make.view(make.service("cart")), "10.96.1.1", 80)) == []


def test_a_slice_is_tied_by_its_label_not_by_its_name(make: Any) -> None:
    """S-13, S-14."""
    view = make.view(
        make.service("cart"),
        make.slice("", "10.244.1.2", name="cart-abcde"),
        make.slice("cart", "192.0.2.1", name="by-hand"),
    )
    assert backends(front(view, "10.96.1.1", 80)) == ["192.0.2.1:8080"]


def test_slices_of_another_namespace_do_not_count(make: Any) -> None:
    view = make.view(make.service("cart"), make.slice("cart", "10.244.1.2", namespace="other"))
    assert backends(front(view, "10.96.1.1", 80)) == []


def test_a_slice_whose_label_changes_moves_to_the_other_service(make: Any) -> None:
    moved = make.slice("cart", "10.244.1.2", name="s")
    view = make.view(make.service("cart"), make.service("web", "10.96.1.2"), moved)
    view = make.with_documents(view, make.slice("web", "10.244.1.2", name="s"))
    assert backends(front(view, "10.96.1.1", 80)) == []
    assert backends(front(view, "10.96.1.2", 80)) == ["10.244.1.2:8080"]


def test_dual_stack_fronts_use_endpoints_of_their_own_family(make: Any) -> None:
    """S-51, S-52."""
    view = make.view(
        make.service(
            "cart",
            clusterIPs=["10.96.1.1", "fd96::1"],
            type="NodePort",
            ports=[HTTP],
            externalIPs=["2001:db8::7"],
        ),
        make.slice("cart", "10.244.1.2"),
        make.slice("cart", "fd44::2", name="cart-6", address_type="IPv6"),
    )
    assert backends(front(view, "10.96.1.1", 80)) == ["10.244.1.2:8080"]
    assert backends(front(view, "fd96::1", 80)) == ["[fd44::2]:8080"]
    assert backends(front(view, "2001:db8::7", 80)) == ["[fd44::2]:8080"]
    six = view.services.at_node_port(SocketAddress("fd30::1", 30080), TCP)
    assert backends(six) == ["[fd44::2]:8080"]


def test_the_fronts_of_the_other_family_are_disregarded(make: Any) -> None:
    """S-52."""
    view = make.view(
        make.service(
            "cart",
            type="LoadBalancer",
            externalIPs=["2001:db8::7"],
            loadBalancerSourceRanges=["2001:db8::/32"],
            ingress=[{"ip": "127.65.0.1"}],
        )
    )
    assert front(view, "2001:db8::7", 80) is None
    found = front(view, "127.65.0.1", 80)
    assert found is not None and found.served.source_ranges == ()


def test_an_active_cluster_ip_is_known_whatever_the_port(balanced: NodeView, make: Any) -> None:
    """S-90."""
    assert balanced.services.owner_of("10.96.1.1") == ("default", "cart")
    assert balanced.services.owner_of("10.96.1.2") is None
    gone = make.without(balanced, make.service("cart"))
    assert gone.services.owner_of("10.96.1.1") is None


def test_a_deleted_service_leaves_no_front_behind(balanced: NodeView, make: Any) -> None:
    """S-30."""
    gone = make.without(balanced, make.service("cart"))
    assert len(gone.services.fronts) == len(gone.services.held) == 0


def test_endpoints_that_came_before_their_service_are_used(make: Any) -> None:
    view = make.view(make.slice("cart", "10.244.1.2"))
    view = make.with_documents(view, make.service("cart"))
    assert backends(front(view, "10.96.1.1", 80)) == ["10.244.1.2:8080"]


def test_two_services_that_claim_one_address_are_ranked_by_name(make: Any) -> None:
    """Every node and every order of events must see the same one win."""
    first = make.service("a", "10.96.1.1", externalIPs=["198.51.100.7"])
    second = make.service("b", "10.96.1.2", externalIPs=["198.51.100.7"])
    for documents in ([first, second], [second, first]):
        view = make.view(*documents)
        found = front(view, "198.51.100.7", 80)
        assert found is not None and found.served.service == ("default", "a")
        left = front(make.without(view, first), "198.51.100.7", 80)
        assert left is not None and left.served.service == ("default", "b")


def test_a_change_of_one_service_leaves_the_others_as_they_are(make: Any) -> None:
    documents = [make.service(f"s{i}", f"10.96.2.{i}") for i in range(1, 200)]
    before = make.view(*documents)
    after = make.with_documents(before, make.slice("s7", "10.244.1.2"))
    assert after.services.held.changed_keys(before.services.held) == {("default", "s7")}
    same = before.services.held[("default", "s8")]
    assert after.services.held[("default", "s8")] is same
    assert backends(front(before, "10.96.2.7", 80)) == [], "the old view is what it was"


def test_one_service_and_its_slices_can_be_replaced_whole(make: Any) -> None:
    key = ("default", "cart")
    table = make.view(
        make.service("cart"),
        make.slice("cart", "10.244.1.2", name="old"),
    ).services
    service = parse_service(make.service("cart"))
    table = table.with_service(
        key, service, [parse_endpoint_slice(make.slice("cart", "10.244.1.9", name="new"))]
    )
    found = table.at(SocketAddress("10.96.1.1", 80), TCP)
    assert backends(found) == ["10.244.1.9:8080"]
    assert len(table.with_service(key, None, []).fronts) == 0


def test_a_node_in_another_zone_chooses_anew(make: Any) -> None:
    """S-77."""
    hints = {"hints": {"forZones": [{"name": "b"}]}}
    near = {"hints": {"forZones": [{"name": "a"}]}}
    documents = (
        make.service("cart"),
        make.slice(
            "cart", make.endpoint("10.244.1.2", **near), make.endpoint("10.244.2.2", **hints)
        ),
    )
    view = make.view(make.node("node-1", zone="a"), *documents)
    for zone, ip in (("a", "10.244.1.2"), ("b", "10.244.2.2")):
        moved = make.with_documents(view, make.node("node-1", zone=zone))
        found = front(moved, "10.96.1.1", 80)
        assert found is not None
        assert [each.address.ip for each in found.served.everywhere.backends] == [ip]


def test_what_is_served_otherwise_is_told_with_what_it_was(make: Any, balanced: NodeView) -> None:
    """Of however many Services: node ports and health checks follow only those."""
    table = balanced.services
    key = ("default", "cart")
    assert list(table.changed_since(table)) == []
    other = make.with_documents(balanced, make.service("db", "10.96.1.2")).services
    assert [each for each, _, _ in other.changed_since(table)] == [("default", "db")]
    gone = make.without(balanced, make.service("cart")).services
    assert list(gone.changed_since(table)) == [(key, table.held[key], NOTHING_HELD)]
    again = make.with_documents(balanced, make.slice("cart", "10.244.1.2", "10.244.2.2")).services
    assert again is table, "it reads as it did"
