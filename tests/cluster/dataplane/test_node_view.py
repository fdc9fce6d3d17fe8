from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.dataplane.conntrack import Conntrack, Entry
from cluster.dataplane.decision import Via
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view, forget_stale
from cluster.objects.resources import CONFIG_MAPS, SERVICES

Document = dict[str, Any]
DNS = {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053}
DNS_TARGET = {"name": "dns", "port": 5353, "protocol": "UDP"}


def test_an_empty_view_knows_itself_and_nothing_else(make: Any) -> None:
    view = empty_view("node-1", "172.30.0.1", NetworkSettings())
    assert view.own_addresses == {"172.30.0.1"} and view.zone == "" and not view.nodes
    assert view.with_changes([]) == view


def test_a_view_learns_its_zone_and_addresses_from_its_own_node(make: Any) -> None:
    view = make.view(make.node("node-1", zone="a", external="127.64.0.1"), make.node("node-2"))
    assert view.zone == "a"
    assert view.own_addresses == {"172.30.0.1", "127.64.0.1"}
    assert set(view.nodes) == {"node-1", "node-2"}
    gone = make.without(view, make.node("node-1"))
    assert gone.zone == "" and gone.own_addresses == {"172.30.0.1"}


def test_of_several_events_for_one_object_the_last_counts(make: Any) -> None:
    first, last = make.pod("a", "10.244.1.2"), make.pod("a", "10.244.1.3")
    view = empty_view("node-1", "172.30.0.1", NetworkSettings()).with_changes(
        [make.change(first), make.change(first, gone=True), make.change(last)]
    )
    assert view.pods.at("10.244.1.2") is None and view.pods.at("10.244.1.3") is not None


def test_resources_that_decisions_do_not_read_are_passed_over(make: Any) -> None:
    view = make.view()
    document = {"metadata": {"namespace": "a", "name": "b"}}
    assert view.with_changes([(CONFIG_MAPS, None, document)]) == view


def test_an_unreadable_object_is_named_and_left_out_and_the_rest_goes_on(make: Any) -> None:
    broken = make.service("broken", "not-an-address")
    view = make.view(broken, make.service("cart"))
    assert list(view.services.services) == [("default", "cart")]
    problem = view.unreadable[(SERVICES.plural, ("default", "broken"))]
    assert "not-an-address" in problem
    mended = make.with_documents(view, make.service("broken", "10.96.1.9"))
    assert len(mended.unreadable) == 0 and len(mended.services.services) == 2


def test_an_object_that_became_unreadable_is_no_longer_used(make: Any) -> None:
    view = make.view(make.service("cart"))
    view = make.with_documents(view, make.service("cart", "10.96.1"))
    assert len(view.services.fronts) == 0


def test_a_change_shares_every_table_it_does_not_touch(make: Any) -> None:
    before = make.view(make.node("node-1"), make.service("cart"), make.policy("deny"))
    after = make.with_documents(before, make.pod("a", "10.244.1.2"))
    assert after.services is before.services
    assert after.policies is before.policies
    assert after.routes is before.routes
    assert after.pods is not before.pods


def test_the_masquerade_address_is_of_the_destinations_family(make: Any) -> None:
    node = make.node("node-1")
    node["status"]["addresses"].append({"type": "InternalIP", "address": "fd30::1"})
    view = make.view(node)
    assert view.masquerade_ip("10.244.2.2") == "172.30.0.1"
    assert view.masquerade_ip("fd44::2") == "fd30::1"


# Whatever happens, in whatever order and batches, the view is the one built from what is left.


def documents() -> st.SearchStrategy[tuple[str, Document]]:
    names = st.sampled_from("abc")
    ips = st.sampled_from(["10.244.1.2", "10.244.1.3", "10.244.2.2"])
    conditions = st.sampled_from([{"ready": True}, {"ready": False, "serving": True,
                                                    "terminating": True}])  # fmt: skip
    hints = st.sampled_from([{}, {"forZones": [{"name": "a"}]}])

    def metadata(name: str, **more: Any) -> Document:
        return {"namespace": "default", "name": name, **more}

    pods = st.builds(
        lambda name, ip, phase, label, created: {
            "kind": "Pod",
            "metadata": metadata(name, labels={"app": label}, creationTimestamp=created),
            "spec": {"nodeName": f"node-{ip.split('.')[2]}", "hostNetwork": ip.endswith("3")},
            "status": {"phase": phase, "podIP": ip},
        },
        names,
        ips,
        st.sampled_from(["Running", "Failed"]),
        names,
        st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
    )
    services = st.builds(
        lambda name, ip, node_port, external: {
            "kind": "Service",
            "metadata": metadata(name),
            "spec": {
                "clusterIP": ip,
                "type": "NodePort",
                "externalIPs": external,
                "ports": [{"port": 80, "nodePort": node_port}],
            },
        },
        names,
        st.sampled_from(["10.96.0.1", "10.96.0.2", "None"]),
        st.sampled_from([30001, 30002]),
        st.lists(st.sampled_from(["198.51.100.1", "198.51.100.2"]), unique=True),
    )
    slices = st.builds(
        lambda name, service, listed: {
            "kind": "EndpointSlice",
            "metadata": metadata(f"slice-{name}", labels={"kubernetes.io/service-name": service}),
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 8080}],
            "endpoints": [
                {"addresses": [ip], "conditions": c, "hints": h, "nodeName": "node-1"}
                for ip, c, h in listed
            ],
        },
        names,
        st.sampled_from(["a", "b", ""]),
        st.lists(st.tuples(ips, conditions, hints), max_size=3),
    )
    policies = st.builds(
        lambda name, label: {
            "kind": "NetworkPolicy",
            "metadata": metadata(name),
            "spec": {"podSelector": {"matchLabels": {"app": label}}},
        },
        names,
        names,
    )
    namespaces = st.builds(
        lambda name, team: {"kind": "Namespace", "metadata": {"name": name, "labels": {"t": team}}},
        names,
        names,
    )
    nodes = st.builds(
        lambda number, cidr, zone: {
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {"topology.kubernetes.io/zone": zone} if zone else {},
            },
            "spec": {"podCIDR": f"10.244.{cidr}.0/24"},
            "status": {"addresses": [{"type": "InternalIP", "address": f"172.30.0.{number}"}]},
        },
        st.integers(1, 3),
        st.integers(1, 2),
        st.sampled_from(["", "a", "b"]),
    )
    broken = st.just({"kind": "Service", "metadata": metadata("a"), "spec": {"clusterIP": "x"}})
    every = st.one_of(pods, services, slices, policies, namespaces, nodes, broken)
    return st.tuples(st.sampled_from(["set", "set", "set", "gone"]), every)


def identity(document: Document) -> tuple[str, str, str]:
    metadata = document["metadata"]
    return document["kind"], metadata.get("namespace", ""), metadata["name"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(documents(), max_size=6), max_size=8))
def test_a_view_grown_by_changes_is_the_view_built_from_what_is_left(
    make: Any, batches: list[list[tuple[str, Document]]]
) -> None:
    grown = make.view()
    left: dict[tuple[str, str, str], Document] = {}
    for batch in batches:
        for what, document in batch:
            left.pop(identity(document), None)
            if what == "set":
                left[identity(document)] = document
        grown = grown.with_changes(
            [make.change(document, gone=what == "gone") for what, document in batch]
        )
    assert grown == make.view(*left.values())


def dns_view(make: Any, *endpoints: Document | str) -> NodeView:
    view: NodeView = make.view(
        make.node("node-1"),
        make.service("dns", "10.96.0.10", type="NodePort", ports=[DNS]),
        make.slice("dns", *endpoints, ports=[DNS_TARGET]),
    )
    return view


def tracked(make: Any, table: Conntrack, front: str, endpoint: str, client: str) -> Entry:
    context = make.context(client, front, protocol="UDP")
    entry = table.open(
        context.flow, make.flow(client, endpoint, "UDP"), context, Via("node-2"), now=0.0
    )
    assert isinstance(entry, Entry)
    return entry


def test_udp_flows_leave_an_endpoint_that_no_longer_serves(make: Any) -> None:
    """S-126, S-177, P-57: at the ClusterIP and at the node port alike."""
    before = dns_view(make, "10.244.2.2", "10.244.2.3")
    table = Conntrack()
    stale = [
        tracked(make, table, "10.96.0.10:53", "10.244.2.2:5353", "10.244.1.5:1000"),
        tracked(make, table, "172.30.0.1:30053", "10.244.2.2:5353", "203.0.113.1:1000"),
    ]
    kept = tracked(make, table, "10.96.0.10:53", "10.244.2.3:5353", "10.244.1.5:1001")
    after = dns_view(make, "10.244.2.3")
    forgotten = forget_stale(table, before, after)
    assert sorted(map(id, forgotten)) == sorted(map(id, stale))
    assert list(table.entries(now=0.0)) == [kept]


def test_udp_flows_stay_with_an_endpoint_that_terminates_but_serves(make: Any) -> None:
    """S-128."""
    before = dns_view(make, "10.244.2.2", "10.244.2.3")
    table = Conntrack()
    tracked(make, table, "10.96.0.10:53", "10.244.2.2:5353", "10.244.1.5:1000")
    leaving = {"ready": False, "serving": True, "terminating": True}
    after = dns_view(make, make.endpoint("10.244.2.2", **leaving), "10.244.2.3")
    assert forget_stale(table, before, after) == []
    stopped = {"ready": False, "serving": False, "terminating": True}
    gone = dns_view(make, make.endpoint("10.244.2.2", **stopped), "10.244.2.3")
    assert len(forget_stale(table, after, gone)) == 1


def test_udp_flows_into_the_void_are_cleared_when_endpoints_appear(make: Any) -> None:
    """S-127."""
    before, table = make.view(make.node("node-1")), Conntrack()
    tracked(make, table, "10.96.0.10:53", "10.96.0.10:53", "10.244.1.5:1000")
    assert len(forget_stale(table, before, dns_view(make, "10.244.2.2"))) == 1


def test_udp_flows_of_a_deleted_service_are_forgotten(make: Any) -> None:
    """S-126."""
    before, table = dns_view(make, "10.244.2.2"), Conntrack()
    tracked(make, table, "10.96.0.10:53", "10.244.2.2:5353", "10.244.1.5:1000")
    assert len(forget_stale(table, before, make.view(make.node("node-1")))) == 1


def test_established_tcp_flows_outlive_every_change(make: Any) -> None:
    """S-125, N-84."""
    ports, target = [{"port": 80}], [{"name": "", "port": 8080}]
    before = make.view(
        make.service("web", ports=ports), make.slice("web", "10.244.2.2", ports=target)
    )
    table = Conntrack()
    context = make.context("10.244.1.5:1000", "10.96.1.1:80")
    onward = make.flow("10.244.1.5:1000", "10.244.2.2:8080")
    table.open(context.flow, onward, context, Via("node-2"), now=0.0)
    assert forget_stale(table, before, make.view()) == [] and len(table) == 1
