import pytest

from cluster.dataplane.endpoints import (
    Backend,
    Candidates,
    backends_of,
    cluster_candidates,
    local_candidates,
)
from cluster.objects.core import ServicePort
from cluster.objects.discovery import EndpointSlice, parse_endpoint_slice
from cluster.wire.addresses import Protocol, SocketAddress

HTTP = ServicePort(name="http", port=80)


def backend(
    ip: str,
    node: str = "node-1",
    *,
    ready: bool = True,
    serving: bool = True,
    terminating: bool = False,
    zones: str = "",
    nodes: str = "",
) -> Backend:
    return Backend(
        address=SocketAddress(ip, 8080),
        node=node,
        ready=ready,
        serving=serving,
        terminating=terminating,
        zone_hints=frozenset(zones.split()),
        node_hints=frozenset(nodes.split()),
    )


def leaving(ip: str, node: str = "node-1", *, serving: bool = True) -> Backend:
    return backend(ip, node, ready=False, serving=serving, terminating=True)


def ips(candidates: Candidates) -> list[str]:
    return [each.address.ip for each in candidates.backends]


def everywhere(*backends: Backend, zone: str = "") -> Candidates:
    return cluster_candidates(backends, "node-1", zone)


def here(*backends: Backend) -> Candidates:
    return local_candidates(backends, "node-1")


def sliced(
    *ports: tuple[str, str, int | None], ips: str = "10.244.1.2", **more: object
) -> EndpointSlice:
    listed = [{"name": n, "protocol": p, "port": number} for n, p, number in ports]
    endpoints = [{"addresses": [ip], **more} for ip in ips.split()]
    return parse_endpoint_slice({"metadata": {}, "ports": listed, "endpoints": endpoints})


def test_backends_are_tied_by_port_name_and_protocol_not_by_number() -> None:
    """S-54, S-175: the slice's number is the target's, whatever the Service's is."""
    listed = sliced(("http", "TCP", 9000), ("admin", "TCP", 80), ("http", "UDP", 80))
    found = backends_of(HTTP, [listed], "IPv4")
    assert [each.address for each in found] == [("10.244.1.2", 9000)]


def test_an_unnamed_service_port_takes_the_unnamed_slice_port() -> None:
    """S-54."""
    listed = sliced(("", "TCP", 9000), ("http", "TCP", 80))
    found = backends_of(ServicePort(port=80), [listed], "IPv4")
    assert [each.address.port for each in found] == [9000]


def test_pods_of_one_service_may_listen_on_different_numbers() -> None:
    """S-17: a named targetPort gives one slice per number."""
    slices = [sliced(("http", "TCP", 81)), sliced(("http", "TCP", 82), ips="10.244.1.3")]
    found = backends_of(HTTP, slices, "IPv4")
    assert [str(each.address) for each in found] == ["10.244.1.2:81", "10.244.1.3:82"]


def test_one_address_in_several_slices_is_one_backend() -> None:
    """S-57; where the slices disagree for a moment, the ready word counts."""
    stale = sliced(("http", "TCP", 80), conditions={"ready": False})
    fresh = sliced(("http", "TCP", 80), ips="10.244.1.2 10.244.1.3")
    for slices in ([stale, fresh], [fresh, stale]):
        found = backends_of(HTTP, slices, "IPv4")
        assert [(each.address.ip, each.ready) for each in found] == [
            ("10.244.1.2", True),
            ("10.244.1.3", True),
        ]


def test_slices_of_the_other_family_are_not_mixed_in() -> None:
    """S-51."""
    assert backends_of(HTTP, [sliced(("http", "TCP", 80))], "IPv6") == ()


def test_a_udp_port_takes_udp_endpoints() -> None:
    dns = ServicePort(name="dns", protocol=Protocol.UDP, port=53)
    listed = sliced(("dns", "UDP", 53), ("dns", "TCP", 5353))
    assert [b.address.port for b in backends_of(dns, [listed], "IPv4")] == [53]


def test_every_ready_endpoint_is_a_candidate_wherever_it_is() -> None:
    """S-58, S-93."""
    found = everywhere(backend("1.0.0.1"), backend("1.0.0.2", "node-2"), backend("1.0.0.3", ""))
    assert ips(found) == ["1.0.0.1", "1.0.0.2", "1.0.0.3"]
    assert not found.fallback


def test_one_ready_endpoint_excludes_every_terminating_one() -> None:
    """S-61."""
    found = everywhere(leaving("1.0.0.1"), backend("1.0.0.2", "node-2"))
    assert ips(found) == ["1.0.0.2"]


def test_without_a_ready_endpoint_the_terminating_ones_that_serve_take_over() -> None:
    """S-58, S-62, S-132."""
    found = everywhere(leaving("1.0.0.1"), leaving("1.0.0.2", serving=False), leaving("1.0.0.3"))
    assert ips(found) == ["1.0.0.1", "1.0.0.3"]
    assert found.fallback and found.of == 3


def test_a_pod_that_is_not_ready_and_not_terminating_is_no_fallback() -> None:
    """S-58, S-143."""
    assert ips(everywhere(backend("1.0.0.1", ready=False, serving=False))) == []
    assert ips(everywhere(backend("1.0.0.1", ready=False, serving=True))) == []


def test_published_though_not_ready_is_ready() -> None:
    """S-141: publishNotReadyAddresses shows terminating pods as ready."""
    found = everywhere(backend("1.0.0.1", ready=True, serving=False, terminating=True))
    assert ips(found) == ["1.0.0.1"]


def test_local_candidates_are_the_ready_endpoints_of_this_node() -> None:
    """S-59, S-63: an endpoint without a node is never local."""
    found = here(backend("1.0.0.1"), backend("1.0.0.2", "node-2"), backend("1.0.0.3", ""))
    assert ips(found) == ["1.0.0.1"]
    assert found.where == " on node-1"


def test_local_falls_back_to_terminating_endpoints_here_never_to_remote_ones() -> None:
    """S-59."""
    found = here(leaving("1.0.0.1"), leaving("1.0.0.2", "node-2"), backend("1.0.0.3", "node-2"))
    assert ips(found) == ["1.0.0.1"]
    assert found.fallback


def test_a_ready_remote_endpoint_turns_the_fallback_off_for_cluster_but_not_for_local() -> None:
    """S-60, S-174."""
    both = (leaving("1.0.0.1"), backend("1.0.0.2", "node-2"))
    assert ips(everywhere(*both)) == ["1.0.0.2"]
    assert ips(here(*both)) == ["1.0.0.1"]


def test_zone_hints_keep_traffic_in_the_zone() -> None:
    """S-75, S-77."""
    found = everywhere(backend("1.0.0.1", zones="a"), backend("1.0.0.2", zones="b"), zone="b")
    assert ips(found) == ["1.0.0.2"]
    assert found.topology == "zone hints: b" and found.where == " in zone b" and found.of == 2


def test_node_hints_come_before_zone_hints() -> None:
    """S-76."""
    found = everywhere(
        backend("1.0.0.1", zones="a", nodes="node-1"),
        backend("1.0.0.2", zones="a", nodes="node-2"),
        zone="a",
    )
    assert ips(found) == ["1.0.0.1"]
    assert found.topology == "node hints: node-1"


@pytest.mark.parametrize("nodes", ["node-2", ""])
def test_unusable_node_hints_leave_the_zone_hints(nodes: str) -> None:
    """S-76: none for this node, or one endpoint without."""
    found = everywhere(
        backend("1.0.0.1", zones="a", nodes="node-3"),
        backend("1.0.0.2", zones="b", nodes=nodes),
        zone="a",
    )
    assert ips(found) == ["1.0.0.1"]


def test_one_ready_endpoint_without_a_hint_disables_topology() -> None:
    """S-78, S-173."""
    found = everywhere(backend("1.0.0.1", zones="a"), backend("1.0.0.2"), zone="a")
    assert ips(found) == ["1.0.0.1", "1.0.0.2"]
    assert found.topology == "not used: 1.0.0.2:8080 has no zone hint"


def test_an_endpoint_that_is_not_ready_needs_no_hint() -> None:
    """S-77: every ready endpoint."""
    found = everywhere(
        backend("1.0.0.1", zones="a"), backend("1.0.0.2", zones="b"), leaving("1.0.0.3"), zone="a"
    )
    assert ips(found) == ["1.0.0.1"]


@pytest.mark.parametrize(("zone", "why"), [("", "this node has no zone"), ("c", "for c")])
def test_traffic_crosses_zones_when_none_is_hinted_for_here(zone: str, why: str) -> None:
    """S-77, S-79, S-81."""
    found = everywhere(backend("1.0.0.1", zones="a"), backend("1.0.0.2", zones="b"), zone=zone)
    assert ips(found) == ["1.0.0.1", "1.0.0.2"]
    assert why in found.topology


def test_hints_do_not_count_for_the_terminating_fallback_nor_for_local() -> None:
    """S-80."""
    gone = (leaving("1.0.0.1"), leaving("1.0.0.2", "node-2"))
    assert len(everywhere(*gone, zone="a").backends) == 2
    local = here(backend("1.0.0.1", zones="b"), backend("1.0.0.2", "node-2", zones="a"))
    assert ips(local) == ["1.0.0.1"]
    assert "Local" in local.topology


def test_without_hints_nothing_is_said_against_them() -> None:
    assert everywhere(backend("1.0.0.1"), zone="a").topology == "no hints"
