from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import (
    Action,
    Code,
    Decision,
    Deliver,
    Drop,
    Host,
    Local,
    Outside,
    PodRef,
    Reject,
    Stage,
    Step,
    Via,
)
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.pipeline import admit, decide
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Origin, OriginKind

Document = dict[str, Any]
CLIENT, NEIGHBOUR, REMOTE = "10.244.1.5", "10.244.1.6", "10.244.2.5"
NODE, OTHER_NODE, OUTSIDE = "172.30.0.1", "172.30.0.2", "203.0.113.7"
DENY: Document = {"policyTypes": ["Ingress", "Egress"]}


@pytest.fixture(scope="module")
def base(make: Any) -> list[Document]:
    return [
        make.node("node-1", external="127.64.0.1"),
        make.node("node-2", external="127.64.0.2"),
        make.pod("client", CLIENT, labels={"app": "client"}),
        make.pod("neighbour", NEIGHBOUR, labels={"app": "web"}),
        make.pod("remote", REMOTE, labels={"app": "web"}),
    ]


@pytest.fixture(scope="module")
def on(make: Any, base: list[Document]) -> Any:
    """The view of a node of the small cluster, and what more is in it."""

    def build(node: str = "node-1", *more: Document) -> NodeView:
        view: NodeView = make.view(*base, *more, node=node)
        return view

    return build


def stages(decision: Decision) -> list[Stage]:
    return [step.stage for step in decision.steps]


def at(decision: Decision, stage: Stage) -> Step:
    return next(step for step in decision.steps if step.stage is stage)


def test_a_pod_of_this_node_is_reached_locally_without_translation(make: Any, on: Any) -> None:
    """P-2, P-124, O-10."""
    decision = make.decide(on(), CLIENT, f"{NEIGHBOUR}:8080")
    assert decision.verdict == Local()
    assert stages(decision) == [Stage.EGRESS, Stage.ROUTE]
    assert decision.flow == make.flow(CLIENT, f"{NEIGHBOUR}:8080")
    assert at(decision, Stage.ROUTE).reason == "10.244.1.0/24 local pods"


def test_a_pod_of_another_node_is_reached_through_that_node(make: Any, on: Any) -> None:
    """P-2, O-10."""
    decision = make.decide(on(), CLIENT, f"{REMOTE}:8080")
    assert decision.verdict == Via("node-2")
    step = at(decision, Stage.ROUTE)
    assert step.reason == "10.244.2.0/24 via node-2"
    assert step.detail == {
        "prefix": "10.244.2.0/24",
        "kind": "node",
        "node": "node-2",
        "nextHop": OTHER_NODE,
    }


def test_the_stages_come_in_the_order_of_the_packet(make: Any, on: Any) -> None:
    """N-134, O-1: Service, egress, masquerade, route."""
    service = make.service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    listed = make.slice("web", REMOTE, ports=[{"name": "", "port": 8080}])
    decision = make.decide(on("node-1", service, listed), CLIENT, f"{NODE}:30080")
    assert stages(decision) == [Stage.SERVICE, Stage.EGRESS, Stage.MASQUERADE, Stage.ROUTE]
    for before, after in zip(decision.steps, decision.steps[1:], strict=False):
        assert before.after == after.before, "each hop begins where the last one ended (O-3)"
    assert decision.steps[-1].after == decision.flow


@pytest.mark.parametrize("ip", ["10.244.1.99", "10.244.9.9"])
def test_an_address_of_nobody_is_silence(make: Any, on: Any, ip: str) -> None:
    """P-10, O-25, O-27: never a reset."""
    decision = make.decide(on(), CLIENT, f"{ip}:80")
    assert isinstance(decision.verdict, Drop)
    expected = Code.UNKNOWN_TARGET if ip.startswith("10.244.1.") else Code.NO_ROUTE
    assert decision.verdict.code is expected


def test_an_unknown_address_of_another_node_is_that_nodes_to_judge(make: Any, on: Any) -> None:
    decision = make.decide(on(), CLIENT, "10.244.2.99:80")
    assert decision.verdict == Via("node-2")
    there = make.admit(on("node-2"), CLIENT, "10.244.2.99:80")
    assert isinstance(there.verdict, Drop) and there.verdict.code is Code.UNKNOWN_TARGET


def test_the_address_of_a_finished_pod_is_silence_and_says_whose_it_was(make: Any, on: Any) -> None:
    """P-16, P-62, O-25."""
    view = on("node-1", make.pod("job", "10.244.1.8", phase="Succeeded"))
    for decision in (
        make.decide(view, CLIENT, "10.244.1.8:80"),
        make.admit(view, CLIENT, "10.244.1.8:80"),
    ):
        assert isinstance(decision.verdict, Drop)
        assert decision.verdict.code is Code.STALE_TARGET
        assert "default/job" in decision.verdict.reason


def test_the_nodes_and_the_control_plane_are_hosts(make: Any, on: Any) -> None:
    decision = make.decide(on(), CLIENT, f"{OTHER_NODE}:10250")
    assert decision.verdict == Host("node-2", SocketAddress(OTHER_NODE, 10250))
    decision = make.decide(on(), CLIENT, f"{NODE}:10250")
    assert decision.verdict == Host("node-1", SocketAddress(NODE, 10250))
    decision = make.decide(on(), CLIENT, "172.30.255.254:6443")
    assert decision.verdict == Host("", SocketAddress("172.30.255.254", 6443))
    decision = make.decide(on(), CLIENT, "127.64.0.2:30080")
    assert decision.verdict == Host("node-2", SocketAddress("127.64.0.2", 30080))
    unknown = make.decide(on(), CLIENT, "172.30.0.99:80")
    assert isinstance(unknown.verdict, Drop) and unknown.verdict.code is Code.NO_ROUTE


@pytest.mark.parametrize(
    ("destination", "seen"),
    [
        ("203.0.113.9:80", NODE),
        ("192.0.2.1:80", NODE),
        (f"{OTHER_NODE}:10250", NODE),
        ("172.30.255.254:6443", NODE),
        (f"{NODE}:10250", CLIENT),
        (f"{REMOTE}:80", CLIENT),
        (f"{NEIGHBOUR}:80", CLIENT),
    ],
)
def test_a_pod_bears_its_nodes_address_outside_the_pod_network(
    make: Any, on: Any, destination: str, seen: str
) -> None:
    """P-11, P-128, O-6; its own node sees the pod, since nothing is sent anywhere."""
    decision = make.decide(on(), CLIENT, destination)
    assert decision.flow.source.ip == seen
    if seen == NODE:
        assert at(decision, Stage.MASQUERADE).detail["rule"] == "pod-egress"


def test_a_pod_reaches_an_endpoint_outside_under_its_nodes_address(make: Any, on: Any) -> None:
    """S-13, S-21, P-11, N-59: the API server behind `kubernetes` sees the node."""
    ports = [{"name": "https", "port": 443}]
    api = make.service("kubernetes", "10.96.0.1", ports=ports)
    listed = make.slice("kubernetes", "172.30.255.254", ports=[{"name": "https", "port": 6443}])
    decision = make.decide(on("node-1", api, listed), CLIENT, "10.96.0.1:443")
    assert decision.verdict == Host("", SocketAddress("172.30.255.254", 6443))
    assert decision.flow.source.ip == NODE


def test_the_outside_is_an_outside_verdict(make: Any, on: Any) -> None:
    decision = make.decide(on(), CLIENT, "203.0.113.9:80")
    assert decision.verdict == Outside(SocketAddress("203.0.113.9", 80))


# Egress, at the source


def test_egress_is_judged_on_the_endpoint_not_on_the_service(make: Any, on: Any) -> None:
    """N-43, N-58, N-144, N-149, N-134."""
    service = make.service("web", ports=[{"port": 80}])
    listed = make.slice("web", REMOTE, ports=[{"name": "", "port": 8080}])

    def egress(to: Document, port: int) -> Decision:
        rule = {"to": [to], "ports": [{"port": port}]}
        policy = make.policy("p", policyTypes=["Egress"], egress=[rule])
        decision: Decision = make.decide(
            on("node-1", service, listed, policy), CLIENT, "10.96.1.1:80"
        )
        return decision

    assert egress({"podSelector": {"matchLabels": {"app": "web"}}}, 8080).verdict == Via("node-2")
    for denied in (
        egress({"podSelector": {"matchLabels": {"app": "web"}}}, 80),
        egress({"ipBlock": {"cidr": "10.96.0.0/16"}}, 8080),
    ):
        assert isinstance(denied.verdict, Drop) and denied.verdict.code is Code.POLICY_DENIED
        assert denied.steps[-1].stage is Stage.EGRESS
        assert stages(denied)[0] is Stage.SERVICE


def test_egress_is_judged_before_the_source_is_translated(make: Any, on: Any) -> None:
    """N-137: the policy selects the pod, whose flow leaves as the node's."""
    allow = {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}
    view = on("node-1", make.policy("p", policyTypes=["Egress"], egress=[allow]))
    decision = make.decide(view, CLIENT, "203.0.113.9:80")
    assert decision.verdict == Outside(SocketAddress("203.0.113.9", 80))
    assert stages(decision) == [Stage.EGRESS, Stage.MASQUERADE, Stage.ROUTE]
    assert isinstance(make.decide(view, CLIENT, "192.0.2.1:80").verdict, Drop)


def test_default_deny_egress_cuts_dns_too(make: Any, on: Any) -> None:
    """N-72, N-28."""
    dns = make.service("kube-dns", "10.96.0.10", ports=[{"port": 53, "protocol": "UDP"}])
    listed = make.slice("kube-dns", REMOTE, ports=[{"name": "", "port": 53, "protocol": "UDP"}])
    deny = make.policy("deny", policyTypes=["Egress"])
    allow = make.policy(
        "dns", policyTypes=["Egress"], egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}]
    )
    denied = make.decide(on("node-1", dns, listed, deny), CLIENT, "10.96.0.10:53", protocol="UDP")
    assert isinstance(denied.verdict, Drop) and denied.verdict.code is Code.POLICY_DENIED
    opened = on("node-1", dns, listed, deny, allow)
    assert make.decide(opened, CLIENT, "10.96.0.10:53", protocol="UDP").verdict == Via("node-2")


def test_egress_is_judged_on_the_pods_own_node_only(make: Any, on: Any) -> None:
    """N-136: a flow that enters elsewhere was judged where it began."""
    deny = make.policy("deny", policyTypes=["Egress"])
    service = make.service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    listed = make.slice("web", REMOTE, ports=[{"name": "", "port": 8080}])
    view = on("node-2", service, listed, deny)
    decision = make.decide(view, CLIENT, f"{OTHER_NODE}:30080")
    assert decision.verdict == Local() and Stage.EGRESS not in stages(decision)


@pytest.mark.parametrize(
    ("at_ip", "rule", "passes"),
    [
        (NODE, {"to": [{"podSelector": {}}], "ports": [{"port": 8080}]}, True),
        (NODE, {"to": [{"ipBlock": {"cidr": "172.30.0.0/16"}}]}, False),
        (OTHER_NODE, {"to": [{"podSelector": {}}]}, False),
        (OTHER_NODE, {"to": [{"ipBlock": {"cidr": f"{OTHER_NODE}/32"}}]}, True),
    ],
)
def test_egress_to_a_node_port_is_judged_by_what_the_clients_own_node_makes_of_it(
    make: Any, on: Any, at_ip: str, rule: Document, passes: bool
) -> None:
    """N-60: its own node translates, so the pod behind counts; another does not: the node does."""
    service = make.service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    listed = make.slice("web", REMOTE, ports=[{"name": "", "port": 8080}])
    policy = make.policy("p", policyTypes=["Egress"], egress=[rule])
    decision = make.decide(on("node-1", service, listed, policy), CLIENT, f"{at_ip}:30080")
    assert (at(decision, Stage.EGRESS).action is Action.FORWARDED) is passes
    assert isinstance(decision.verdict, Drop) is not passes


def test_nodes_and_outsiders_have_no_egress_policy(make: Any, on: Any) -> None:
    """N-68, N-138, N-65: nor have pods of the host's network."""
    host = make.pod("host", NODE, host_network=True, node="node-1")
    view = on("node-1", make.policy("deny", policyTypes=["Egress"]), host)
    for origin in (Origin(OriginKind.NODE, "node-1"), Origin(OriginKind.POD, "default/host")):
        decision = make.decide(view, NODE, f"{NEIGHBOUR}:80", origin=origin)
        assert decision.verdict == Local() and stages(decision) == [Stage.ROUTE]
    outsider = make.decide(view, OUTSIDE, f"{NEIGHBOUR}:80")
    assert outsider.verdict == Local() and Stage.EGRESS not in stages(outsider)


def test_a_pod_always_reaches_itself(make: Any, on: Any) -> None:
    """N-63."""
    view = on("node-1", make.policy("deny", **DENY))
    decision = make.decide(view, CLIENT, f"{CLIENT}:80")
    assert decision.verdict == Local()
    assert make.admit(view, CLIENT, f"{CLIENT}:80").verdict == delivered("client", CLIENT)


def test_a_pod_is_isolated_before_the_api_has_its_address(make: Any, on: Any) -> None:
    """N-22, N-23: who dials is known by name until then."""
    view = on("node-1", make.pod("fresh", ""), make.policy("deny", policyTypes=["Egress"]))
    origin = Origin(OriginKind.POD, "default/fresh", "node-1")
    decision = make.decide(view, "10.244.1.77", f"{REMOTE}:80", origin=origin)
    assert isinstance(decision.verdict, Drop) and decision.verdict.code is Code.POLICY_DENIED


# Ingress, at the target


def delivered(name: str, ip: str, node: str = "node-1") -> Deliver:
    return Deliver(PodRef("default", name, f"uid-default-{name}", ip, node))


def test_an_open_pod_that_listens_gets_the_flow(make: Any, on: Any) -> None:
    """O-7, O-11, O-16, P-9."""
    decision = make.admit(on(), REMOTE, f"{NEIGHBOUR}:8080")
    assert decision.verdict == delivered("neighbour", NEIGHBOUR)
    assert stages(decision) == [Stage.INGRESS, Stage.DELIVER]
    assert at(decision, Stage.INGRESS).reason == (
        "allowed: no policy selects default/neighbour for ingress"
    )
    last = decision.steps[-1]
    assert last.action is Action.DELIVERED and last.reason == "default/neighbour listens on 8080"
    assert last.detail["pod"] == {
        "namespace": "default", "name": "neighbour", "uid": "uid-default-neighbour",
        "node": "node-1", "labels": {"app": "web"}, "controller": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "reply", "answers"),
    [("TCP", "RST", "a reset"), ("UDP", "ICMP port-unreachable", "ICMP port-unreachable")],
)
def test_a_port_nobody_listens_on_is_refused_by_the_pod(
    make: Any, on: Any, protocol: str, reply: str, answers: str
) -> None:
    """P-9, O-11, S-65."""
    decision = make.admit(on(), REMOTE, f"{NEIGHBOUR}:8080", listening=False, protocol=protocol)
    reason = f"nothing listens on 8080: the pod's kernel answers with {answers}"
    assert decision.verdict == Reject(Code.PORT_CLOSED, reason)
    last = decision.steps[-1]
    assert last.action is Action.REJECTED and last.detail["reply"] == reply


def test_ingress_that_no_rule_allows_is_silence_even_where_nothing_listens(
    make: Any, on: Any
) -> None:
    """N-21, N-143, O-8, O-21: nobody learns from a reset that the port is closed."""
    view = on("node-1", make.policy("deny"))
    for listening in (True, False):
        decision = make.admit(view, REMOTE, f"{NEIGHBOUR}:8080", listening=listening)
        assert isinstance(decision.verdict, Drop)
        assert decision.verdict.code is Code.POLICY_DENIED
        detail = decision.steps[-1].detail
        assert detail["isolating"] == ["default/deny"] and detail["policy"] is None
        assert detail["pod"] == "default/neighbour"
        assert detail["peer"] == {
            "kind": "pod", "ip": REMOTE, "name": "default/remote", "node": "node-2",
            "labels": {"app": "web"}, "controller": "",
        }  # fmt: skip


@pytest.mark.parametrize("source", [CLIENT, REMOTE])
def test_a_rule_allows_alike_from_the_same_node_and_from_another(
    make: Any, on: Any, source: str
) -> None:
    """N-139, N-13."""
    everyone = {"from": [{"podSelector": {}}]}
    view = on("node-1", make.policy("p", ingress=[everyone]))
    decision = make.admit(view, source, f"{NEIGHBOUR}:8080")
    assert decision.verdict == delivered("neighbour", NEIGHBOUR)
    step = at(decision, Stage.INGRESS)
    assert step.reason == "allowed: default/p, rule 0"
    assert step.detail["policy"] == {
        "kind": "NetworkPolicy", "namespace": "default", "name": "p", "rule": 0,
    }  # fmt: skip


def test_every_address_of_a_pod_is_isolated_each_family_by_its_own_rules(
    make: Any, on: Any
) -> None:
    """N-26, N-56, N-140."""
    both = make.pod("both", NEIGHBOUR, labels={"app": "both"})
    both["status"]["podIPs"] = [{"ip": NEIGHBOUR}, {"ip": "fd00::10"}]

    def reached(*policies: Document) -> list[str]:
        view = on("node-1", both, *policies)
        ends = [("203.0.113.9:1", f"{NEIGHBOUR}:80"), ("[2001:db8::9]:1", "[fd00::10]:80")]
        found = [(to, make.admit(view, source, to).verdict) for source, to in ends]
        return [to for to, verdict in found if isinstance(verdict, Deliver)]

    four, six = f"{NEIGHBOUR}:80", "[fd00::10]:80"
    blocks = {four: "0.0.0.0/0", six: "::/0"}
    assert reached() == [four, six] and reached(make.policy("deny")) == []
    for address, cidr in blocks.items():
        rule = {"from": [{"ipBlock": {"cidr": cidr}}]}
        assert reached(make.policy("deny"), make.policy("p", ingress=[rule])) == [address]


def test_a_connection_needs_both_sides(make: Any, on: Any) -> None:
    """N-14, N-74, N-75."""
    egress = make.policy("e", pods={"matchLabels": {"app": "client"}}, policyTypes=["Egress"])
    view = on("node-1", egress)
    assert isinstance(make.decide(view, CLIENT, f"{NEIGHBOUR}:80").verdict, Drop)
    assert make.admit(view, CLIENT, f"{NEIGHBOUR}:80").verdict == delivered("neighbour", NEIGHBOUR)
    ingress = make.policy("i", pods={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"])
    view = on("node-1", ingress)
    assert make.decide(view, CLIENT, f"{NEIGHBOUR}:80").verdict == Local()
    assert isinstance(make.admit(view, CLIENT, f"{NEIGHBOUR}:80").verdict, Drop)


@pytest.mark.parametrize("source", [NODE, "127.64.0.1"])
def test_a_nodes_own_traffic_to_its_pods_is_never_judged(make: Any, on: Any, source: str) -> None:
    """N-61, N-68, N-145, P-3, P-48: probes work under default deny."""
    view = on("node-1", make.policy("deny"))
    probe = Origin(OriginKind.NODE, "node-1")
    decision = make.admit(view, source, f"{NEIGHBOUR}:8080", origin=probe)
    assert decision.verdict == delivered("neighbour", NEIGHBOUR)
    assert at(decision, Stage.INGRESS).reason == "allowed: from node-1, the pod's own node"


def test_another_nodes_traffic_is_judged_by_its_address(make: Any, on: Any) -> None:
    """N-62."""
    probe = Origin(OriginKind.NODE, "node-2")
    deny = make.policy("deny")
    decision = make.admit(on("node-1", deny), OTHER_NODE, f"{NEIGHBOUR}:80", origin=probe)
    assert isinstance(decision.verdict, Drop)
    assert decision.steps[-1].detail["peer"]["kind"] == "node"
    block = make.policy("p", ingress=[{"from": [{"ipBlock": {"cidr": f"{OTHER_NODE}/32"}}]}])
    opened = make.admit(on("node-1", deny, block), OTHER_NODE, f"{NEIGHBOUR}:80", origin=probe)
    assert opened.verdict == delivered("neighbour", NEIGHBOUR)


def test_a_host_network_client_counts_as_its_node(make: Any, on: Any) -> None:
    """N-65, N-67."""
    deny = make.policy("deny")
    mine = Origin(OriginKind.POD, "default/host-1", "node-1")
    assert make.admit(on("node-1", deny), NODE, f"{NEIGHBOUR}:80", origin=mine).verdict == (
        delivered("neighbour", NEIGHBOUR)
    )
    away = Origin(OriginKind.POD, "default/host-2", "node-2")
    remote = make.admit(on("node-1", deny), OTHER_NODE, f"{NEIGHBOUR}:80", origin=away)
    assert isinstance(remote.verdict, Drop)


@pytest.mark.parametrize("entered", [NODE, OTHER_NODE])
def test_a_masqueraded_client_is_its_entry_nodes_address_to_policy(
    make: Any, on: Any, entered: str
) -> None:
    """N-57, N-135, N-139: default deny holds, wherever the client came in; whom a rule would allow
    is not recognised behind the node's address, the node's address is."""
    internet = Origin(OriginKind.OUTSIDE, OUTSIDE, "node-1")
    original = make.flow(OUTSIDE, f"{entered}:30080")

    def verdict(*policies: Document) -> Any:
        return make.admit(
            on("node-1", *policies),
            entered,
            f"{NEIGHBOUR}:8080",
            origin=internet,
            original=original,
        ).verdict

    deny = make.policy("deny")
    assert isinstance(verdict(deny), Drop)
    client = make.policy("p", ingress=[{"from": [{"ipBlock": {"cidr": f"{OUTSIDE}/32"}}]}])
    assert isinstance(verdict(deny, client), Drop)
    nodes = make.policy("q", ingress=[{"from": [{"ipBlock": {"cidr": "172.30.0.0/16"}}]}])
    assert verdict(deny, nodes) == delivered("neighbour", NEIGHBOUR)


def test_a_pod_behind_a_nodes_address_is_shown_as_that_node(make: Any, on: Any) -> None:
    """N-135, O-17, O-112: what the receiver sees; who opened the flow is in its original."""
    everyone = make.policy("p", ingress=[{"from": [{"podSelector": {}}]}])
    original = make.flow(CLIENT, f"{OTHER_NODE}:30080")
    pod = Origin(OriginKind.POD, "default/client", "node-1")
    decision = make.admit(
        on("node-1", everyone), OTHER_NODE, f"{NEIGHBOUR}:8080", origin=pod, original=original
    )
    assert isinstance(decision.verdict, Drop)
    peer = at(decision, Stage.INGRESS).detail["peer"]
    assert (peer["kind"], peer["ip"], peer["name"]) == ("node", OTHER_NODE, "node-2")
    assert f"from {OTHER_NODE} on" in decision.steps[-1].reason


def test_a_client_that_policy_local_shows_is_judged_by_its_own_address(make: Any, on: Any) -> None:
    """N-57, S-102, N-78."""
    internet = Origin(OriginKind.OUTSIDE, OUTSIDE, "node-1")
    blocks = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]
    view = on("node-1", make.policy("p", ingress=[{"from": blocks}]))
    decision = make.admit(view, OUTSIDE, f"{NEIGHBOUR}:8080", origin=internet)
    assert decision.verdict == delivered("neighbour", NEIGHBOUR)
    assert isinstance(make.admit(view, REMOTE, f"{NEIGHBOUR}:8080").verdict, Drop)


def test_a_pod_reaches_itself_through_a_service_under_default_deny(make: Any, on: Any) -> None:
    """N-64, S-105: decide and admit, one after the other, as the node runs them."""
    service = make.service("web", ports=[{"port": 80}])
    listed = make.slice("web", CLIENT, ports=[{"name": "", "port": 8080}])
    view = on("node-1", service, listed, make.policy("deny", **DENY))
    context = make.context(CLIENT, "10.96.1.1:80", origin=Origin(OriginKind.POD, "default/client"))
    decision = decide(context, view, AffinityTable(), now=0.0, draw=0.0)
    assert decision.verdict == Local() and decision.flow.source.ip == NODE
    admitted = admit(replace(context, flow=decision.flow), view, listening=True)
    assert admitted.verdict == delivered("client", CLIENT)


def test_a_freshly_attached_pod_can_be_probed_before_the_api_knows_its_address(
    make: Any, on: Any
) -> None:
    view = on("node-1", make.pod("fresh", "")).with_attached("10.244.1.77", "default", "fresh")
    probe = Origin(OriginKind.NODE, "node-1")
    assert make.decide(view, NODE, "10.244.1.77:80", origin=probe).verdict == Local()
    decision = make.admit(view, NODE, "10.244.1.77:80", origin=probe)
    assert decision.verdict == delivered("fresh", "10.244.1.77")


def test_a_terminating_pod_is_still_there(make: Any, on: Any) -> None:
    """P-63, S-130: connections may arrive until it exits."""
    view = on("node-1", make.pod("leaving", "10.244.1.9", deleting=True))
    assert make.admit(view, CLIENT, "10.244.1.9:80").verdict == delivered("leaving", "10.244.1.9")


def test_a_flow_for_another_nodes_pod_is_not_admitted(make: Any, on: Any) -> None:
    decision = make.admit(on("node-1"), CLIENT, f"{REMOTE}:80")
    assert isinstance(decision.verdict, Drop) and decision.verdict.code is Code.UNKNOWN_TARGET


def test_a_pod_of_the_hosts_network_answers_at_the_nodes_address(make: Any, on: Any) -> None:
    """P-28, N-65: no policy selects it; where it does not listen, the host is asked."""
    ports = [{"name": "web", "containerPort": 8080, "protocol": "TCP"}]
    other = make.pod("another", NODE, host_network=True, node="node-1")
    host = make.pod("host", NODE, host_network=True, node="node-1", ports=ports)
    view = on("node-1", other, host, make.policy("deny"))
    assert make.decide(view, CLIENT, f"{NODE}:8080").verdict == Local()
    assert make.admit(view, CLIENT, f"{NODE}:8080").verdict == delivered("host", NODE)
    closed = make.admit(view, CLIENT, f"{NODE}:10250", listening=False)
    assert closed.verdict == Host("node-1", SocketAddress(NODE, 10250))
    without = make.admit(on("node-1"), CLIENT, f"{NODE}:8080")
    assert without.verdict == Host("node-1", SocketAddress(NODE, 8080))


def test_nothing_is_remembered_by_a_decision(make: Any, on: Any) -> None:
    """O-19: so that `explain` can ask, and the same state gives the same trace."""
    service = make.service("web", ports=[{"port": 80}], sessionAffinity="ClientIP")
    listed = make.slice("web", NEIGHBOUR, REMOTE, ports=[{"name": "", "port": 8080}])
    view, affinity = on("node-1", service, listed), AffinityTable()
    first = make.decide(view, CLIENT, "10.96.1.1:80", draw=0.9, affinity=affinity)
    assert len(affinity) == 0
    assert make.decide(view, CLIENT, "10.96.1.1:80", draw=0.9, affinity=affinity) == first
    assert first.pin is not None


def test_every_early_end_has_a_code_and_a_reason(make: Any, on: Any) -> None:
    """O-12."""
    view = on("node-1", make.policy("deny", **DENY), make.service("web"))
    for destination in ("10.96.1.1:80", "10.96.1.1:1", "10.96.9.9:1", f"{REMOTE}:1"):
        last = make.decide(view, CLIENT, destination).steps[-1]
        assert last.action in (Action.DROPPED, Action.REJECTED)
        assert last.code is not None and last.reason
        assert last.before == last.after
