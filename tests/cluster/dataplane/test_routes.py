from typing import Any

import pytest

from cluster.dataplane.node_view import NetworkSettings
from cluster.dataplane.routes import RouteKind


@pytest.mark.parametrize(
    ("ip", "prefix", "kind", "node"),
    [
        ("10.244.1.7", "10.244.1.0/24", RouteKind.LOCAL_PODS, "node-1"),
        ("10.244.2.7", "10.244.2.0/24", RouteKind.NODE, "node-2"),
        ("10.244.9.7", "10.244.0.0/16", RouteKind.UNREACHABLE, ""),
        ("10.96.0.10", "10.96.0.0/16", RouteKind.UNREACHABLE, ""),
        ("172.30.0.1", "172.30.0.1/32", RouteKind.HOST, "node-1"),
        ("172.30.0.2", "172.30.0.2/32", RouteKind.HOST, "node-2"),
        ("127.64.0.2", "127.64.0.2/32", RouteKind.HOST, "node-2"),
        ("172.30.0.9", "172.30.0.0/16", RouteKind.UNREACHABLE, ""),
        ("172.30.255.254", "172.30.255.254/32", RouteKind.HOST, ""),
        ("203.0.113.7", "203.0.113.0/24", RouteKind.OUTSIDE, ""),
        ("192.0.2.1", "0.0.0.0/0", RouteKind.OUTSIDE, ""),
    ],
)
def test_the_longest_prefix_tells_where_an_address_lies(
    make: Any, ip: str, prefix: str, kind: RouteKind, node: str
) -> None:
    """O-10, P-18, P-120, P-124."""
    view = make.view(make.node("node-1"), make.node("node-2", external="127.64.0.2"))
    route = view.routes.find(ip)
    assert (route.prefix, route.kind, route.node) == (prefix, kind, node)


def test_the_next_hop_is_the_other_nodes_internal_address(make: Any) -> None:
    view = make.view(make.node("node-2"))
    assert view.routes.find("10.244.2.7").next_hop == "172.30.0.2"


def test_a_deleted_node_leaves_no_route(make: Any) -> None:
    """P-19, P-77."""
    view = make.without(make.view(make.node("node-2")), make.node("node-2"))
    assert view.routes.find("10.244.2.7").kind is RouteKind.UNREACHABLE
    assert view.routes.find("172.30.0.2").kind is RouteKind.UNREACHABLE


def test_the_node_itself_is_reached_with_or_without_its_node_object(make: Any) -> None:
    view = make.view(make.node("node-1"))
    view = make.without(view, make.node("node-1"))
    route = view.routes.find("172.30.0.1")
    assert (route.kind, route.node) == (RouteKind.HOST, "node-1")


def test_a_node_that_moves_its_range_is_followed(make: Any) -> None:
    moved = make.node("node-2")
    moved["spec"]["podCIDR"] = "10.244.77.0/24"
    view = make.with_documents(make.view(make.node("node-2")), moved)
    assert view.routes.find("10.244.2.7").kind is RouteKind.UNREACHABLE
    assert view.routes.find("10.244.77.7").node == "node-2"


def test_a_smaller_range_inside_a_larger_one_wins(make: Any) -> None:
    """Blocks of any size may lie in another node's range."""
    whole, block = make.node("node-2"), make.node("node-3")
    block["spec"]["podCIDR"] = "10.244.2.64/26"
    view = make.view(whole, block)
    assert view.routes.find("10.244.2.63").node == "node-2"
    assert view.routes.find("10.244.2.64").node == "node-3"
    assert view.routes.find("10.244.2.128").node == "node-2"


def test_a_single_node_may_own_the_whole_pod_range(make: Any) -> None:
    node = make.node("node-1")
    node["spec"]["podCIDR"] = "10.244.0.0/16"
    assert make.view(node).routes.find("10.244.9.9").kind is RouteKind.LOCAL_PODS


def test_two_nodes_that_claim_one_range_are_ranked_the_same_in_any_order(make: Any) -> None:
    other = make.node("node-3")
    other["spec"]["podCIDR"] = "10.244.2.0/24"
    for documents in ([make.node("node-2"), other], [other, make.node("node-2")]):
        assert make.view(*documents).routes.find("10.244.2.7").node == "node-2"


def test_dual_stack_ranges_are_routes_of_their_own(make: Any) -> None:
    node = make.node("node-2")
    node["spec"]["podCIDRs"] = ["10.244.2.0/24", "fd44:0:0:2::/64"]
    view = make.view(node)
    assert view.routes.find("fd44:0:0:2::9").node == "node-2"
    assert view.routes.find("fd44:0:0:3::9").kind is RouteKind.OUTSIDE


def test_the_ranges_are_settings(make: Any) -> None:
    settings = NetworkSettings(pod_cidr="10.0.0.0/8", outside_cidr="198.51.100.0/24")
    view = make.view(settings=settings)
    assert view.routes.find("10.9.9.9").kind is RouteKind.UNREACHABLE
    assert view.routes.find("198.51.100.1").prefix == "198.51.100.0/24"
