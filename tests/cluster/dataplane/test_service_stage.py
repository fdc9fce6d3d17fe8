from typing import Any

import pytest

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import Action, Code, Decision, Drop, Local, Reject, Stage, Via
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.service_stage import Sender, sender_of
from cluster.wire.flow import Origin, OriginKind

HTTP = {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}
POD, HERE, AWAY = "10.244.1.5", "10.244.1.2", "10.244.2.2"
NODE, OTHER_NODE, OUTSIDE = "172.30.0.1", "172.30.0.2", "203.0.113.7"
CLUSTER_IP, NODE_PORT = "10.96.1.1:80", "172.30.0.1:30080"
BALANCER, EXTERNAL = "127.65.0.1:80", "198.51.100.7:80"
EXTERNAL_FRONTS = [NODE_PORT, BALANCER, EXTERNAL]


@pytest.fixture
def cluster(make: Any) -> Any:
    """A node's view with one Service on every front; here and away say where its endpoints are."""

    def build(*endpoints: Any, node: str = "node-1", **spec: Any) -> NodeView:
        pods = [make.pod("client", POD), make.pod("here", HERE), make.pod("away", AWAY)]
        spec = {
            "type": "LoadBalancer",
            "ports": [HTTP],
            "externalIPs": ["198.51.100.7"],
            "ingress": [{"ip": "127.65.0.1"}],
            **spec,
        }
        view: NodeView = make.view(
            make.node("node-1", external="127.64.0.1"),
            make.node("node-2"),
            *pods,
            make.service("cart", **spec),
            make.slice("cart", *endpoints),
            node=node,
        )
        return view

    return build


def chosen(decision: Decision) -> str:
    return decision.flow.destination.ip


def seen_source(decision: Decision) -> str:
    return decision.flow.source.ip


def code(decision: Decision) -> Code | None:
    return decision.steps[-1].code


@pytest.mark.parametrize("front", [CLUSTER_IP, *EXTERNAL_FRONTS, "127.64.0.1:30080"])
@pytest.mark.parametrize("source", [POD, NODE, OUTSIDE])
def test_every_front_leads_to_an_endpoint_for_every_sender(
    make: Any, cluster: Any, front: str, source: str
) -> None:
    """S-84, S-8, S-92, S-93, S-96, S-117."""
    view = cluster(AWAY)
    decision = make.decide(view, source, front)
    assert decision.verdict == Via("node-2")
    assert str(decision.flow.destination) == f"{AWAY}:8080"
    first = decision.steps[0]
    assert first.stage is Stage.SERVICE and first.action is Action.FORWARDED
    assert str(first.before.destination) == front


@pytest.mark.parametrize("front", [CLUSTER_IP, *EXTERNAL_FRONTS])
@pytest.mark.parametrize("source", [POD, NODE, OUTSIDE])
def test_without_any_endpoint_every_front_refuses(
    make: Any, cluster: Any, front: str, source: str
) -> None:
    """S-85, S-170, O-11, O-22: for policy Local too."""
    for policy in ("Cluster", "Local"):
        view = cluster(internalTrafficPolicy=policy, externalTrafficPolicy=policy)
        decision = make.decide(view, source, front)
        assert isinstance(decision.verdict, Reject) and code(decision) is Code.NO_ENDPOINT
        assert decision.steps[-1].detail["reply"] == "ICMP port-unreachable"


@pytest.mark.parametrize("source", [POD, NODE, OUTSIDE])
def test_internal_policy_local_without_a_local_endpoint_is_silence(
    make: Any, cluster: Any, source: str
) -> None:
    """S-86, S-170, O-31."""
    decision = make.decide(cluster(AWAY, internalTrafficPolicy="Local"), source, CLUSTER_IP)
    assert isinstance(decision.verdict, Drop)
    assert code(decision) is Code.NO_LOCAL_ENDPOINT_INTERNAL


@pytest.mark.parametrize("front", EXTERNAL_FRONTS)
@pytest.mark.parametrize("source", [OUTSIDE, OTHER_NODE])
def test_external_policy_local_without_a_local_endpoint_is_silence_for_outsiders(
    make: Any, cluster: Any, front: str, source: str
) -> None:
    """S-87, S-170; another node is an outsider too."""
    decision = make.decide(cluster(AWAY, externalTrafficPolicy="Local"), source, front)
    assert isinstance(decision.verdict, Drop)
    assert code(decision) is Code.NO_LOCAL_ENDPOINT_EXTERNAL


@pytest.mark.parametrize("front", EXTERNAL_FRONTS)
@pytest.mark.parametrize(("source", "seen"), [(POD, POD), (NODE, NODE)])
def test_pods_and_processes_of_the_node_take_the_cluster_path(
    make: Any, cluster: Any, front: str, source: str, seen: str
) -> None:
    """S-88, S-103, S-104, S-171."""
    decision = make.decide(cluster(AWAY, externalTrafficPolicy="Local"), source, front)
    assert decision.verdict == Via("node-2")
    assert seen_source(decision) == seen


def test_each_policy_governs_its_own_fronts_only(make: Any, cluster: Any) -> None:
    """S-89."""
    view = cluster(AWAY, internalTrafficPolicy="Local")
    assert make.decide(view, OUTSIDE, NODE_PORT).verdict == Via("node-2")
    view = cluster(AWAY, externalTrafficPolicy="Local")
    assert make.decide(view, OUTSIDE, CLUSTER_IP).verdict == Via("node-2")


def test_policy_local_uses_local_endpoints_only(make: Any, cluster: Any) -> None:
    """S-59, S-102."""
    view = cluster(HERE, AWAY, externalTrafficPolicy="Local", internalTrafficPolicy="Local")
    for draw in (0.0, 0.99):
        assert chosen(make.decide(view, OUTSIDE, NODE_PORT, draw=draw)) == HERE
        assert chosen(make.decide(view, POD, CLUSTER_IP, draw=draw)) == HERE


def test_a_pod_reaches_a_cluster_ip_under_its_own_address(make: Any, cluster: Any) -> None:
    """S-99, P-2."""
    decision = make.decide(cluster(AWAY), POD, CLUSTER_IP)
    assert seen_source(decision) == POD
    assert Stage.MASQUERADE not in {step.stage for step in decision.steps}


@pytest.mark.parametrize("source", [OUTSIDE, OTHER_NODE, "127.64.0.1"])
def test_who_is_no_pod_reaches_a_cluster_ip_under_the_nodes_address(
    make: Any, cluster: Any, source: str
) -> None:
    """S-100, O-6."""
    decision = make.decide(cluster(AWAY), source, CLUSTER_IP)
    assert seen_source(decision) == NODE
    step = next(step for step in decision.steps if step.stage is Stage.MASQUERADE)
    assert step.detail == {"rule": "off-cluster-to-cluster-ip", "address": NODE}
    assert step.before.source.ip == source and step.after.source.ip == NODE


@pytest.mark.parametrize("front", EXTERNAL_FRONTS)
@pytest.mark.parametrize("source", [POD, OUTSIDE, NODE])
def test_external_policy_cluster_always_hides_the_client(
    make: Any, cluster: Any, front: str, source: str
) -> None:
    """S-101, S-107, S-171."""
    assert seen_source(make.decide(cluster(AWAY), source, front)) == NODE


@pytest.mark.parametrize("front", EXTERNAL_FRONTS)
def test_external_policy_local_shows_the_client(make: Any, cluster: Any, front: str) -> None:
    """S-102."""
    decision = make.decide(cluster(HERE, externalTrafficPolicy="Local"), OUTSIDE, front)
    assert decision.verdict == Local() and seen_source(decision) == OUTSIDE


def test_a_pod_that_is_chosen_to_answer_itself_sees_its_node(make: Any, cluster: Any) -> None:
    """S-105, O-6."""
    decision = make.decide(cluster(POD), POD, CLUSTER_IP)
    assert decision.verdict == Local()
    assert seen_source(decision) == NODE and chosen(decision) == POD
    step = next(step for step in decision.steps if step.stage is Stage.MASQUERADE)
    assert step.detail["rule"] == "hairpin"


def test_an_undefined_port_of_an_active_cluster_ip_is_refused(make: Any, cluster: Any) -> None:
    """S-90, S-94, O-31."""
    for destination, protocol in (("10.96.1.1:81", "TCP"), ("10.96.1.1:80", "UDP")):
        decision = make.decide(cluster(AWAY), POD, destination, protocol=protocol)
        assert isinstance(decision.verdict, Reject)
        assert code(decision) is Code.UNDEFINED_SERVICE_PORT
        assert f"default/cart has no {protocol} port" in decision.steps[-1].reason


def test_an_unallocated_service_address_is_silence(make: Any, cluster: Any) -> None:
    """S-90, O-31."""
    decision = make.decide(cluster(AWAY), POD, "10.96.7.7:80")
    assert isinstance(decision.verdict, Drop) and code(decision) is Code.UNALLOCATED_SERVICE_IP


def test_virtual_addresses_are_not_chained(make: Any, cluster: Any) -> None:
    """S-15: an endpoint that is another Service's ClusterIP leads nowhere."""
    decision = make.decide(cluster("10.96.1.1"), POD, CLUSTER_IP)
    assert isinstance(decision.verdict, Drop) and code(decision) is Code.NO_ROUTE


def test_source_ranges_guard_the_balancer_address_only(make: Any, cluster: Any) -> None:
    """S-115, S-172, O-23."""
    view = cluster(AWAY, loadBalancerSourceRanges=["198.51.100.0/24"])
    for source in (OUTSIDE, POD):
        decision = make.decide(view, source, BALANCER)
        assert isinstance(decision.verdict, Drop) and code(decision) is Code.SOURCE_RANGE
        assert decision.flow.destination.ip == "127.65.0.1", "dropped before DNAT"
        assert source in decision.steps[-1].reason
        assert "198.51.100.0/24" in decision.steps[-1].reason
        for front in (NODE_PORT, CLUSTER_IP, EXTERNAL):
            assert make.decide(view, source, front).verdict == Via("node-2")
    assert make.decide(view, "198.51.100.9", BALANCER).verdict == Via("node-2")


def test_a_source_range_with_the_node_lets_the_balancers_own_address_pass(
    make: Any, cluster: Any
) -> None:
    """S-115."""
    with_node = cluster(AWAY, loadBalancerSourceRanges=["172.30.0.0/24"])
    assert make.decide(with_node, "127.65.0.1", BALANCER).verdict == Via("node-2")
    without = cluster(AWAY, loadBalancerSourceRanges=["198.51.100.0/24"])
    assert code(make.decide(without, "127.65.0.1", BALANCER)) is Code.SOURCE_RANGE


def test_a_balancer_of_mode_proxy_is_left_to_the_balancer(make: Any, cluster: Any) -> None:
    """S-114: the flow leaves for the balancer instead of being translated here."""
    view = cluster(AWAY, ingress=[{"ip": "127.65.0.1", "ipMode": "Proxy"}])
    decision = make.decide(view, POD, BALANCER)
    assert Stage.SERVICE not in {step.stage for step in decision.steps}
    assert decision.flow.destination.ip == "127.65.0.1"


def test_affinity_is_one_record_for_all_fronts_of_a_port(make: Any, cluster: Any) -> None:
    """S-68, S-69, S-71."""
    view, affinity = cluster(HERE, AWAY, sessionAffinity="ClientIP"), AffinityTable()
    first = make.decide(view, OUTSIDE, NODE_PORT, draw=0.9, affinity=affinity)
    assert first.pin is not None and first.pin.timeout_seconds == 10800.0
    assert first.pin.endpoint.ip == AWAY == chosen(first)
    affinity.remember(first.pin, now=0.0)
    for front in (NODE_PORT, BALANCER, EXTERNAL, CLUSTER_IP):
        again = make.decide(view, OUTSIDE, front, draw=0.0, affinity=affinity, now=10799.0)
        assert chosen(again) == AWAY
        assert again.steps[0].reason == "session affinity, 2 of 2 endpoints"
        assert again.pin == first.pin, "the timer begins anew"
    late = make.decide(view, OUTSIDE, NODE_PORT, draw=0.0, affinity=affinity, now=10800.0)
    assert chosen(late) == HERE
    other = make.decide(view, "203.0.113.8", NODE_PORT, draw=0.0, affinity=affinity)
    assert chosen(other) == HERE


def test_affinity_to_an_endpoint_that_is_gone_is_drawn_anew(make: Any, cluster: Any) -> None:
    """S-70."""
    affinity = AffinityTable()
    both = cluster(HERE, AWAY, sessionAffinity="ClientIP")
    first = make.decide(both, OUTSIDE, NODE_PORT, draw=0.9, affinity=affinity)
    affinity.remember(first.pin, now=0.0)
    left = make.decide(cluster(HERE, sessionAffinity="ClientIP"), OUTSIDE, NODE_PORT,
                       affinity=affinity)  # fmt: skip
    assert chosen(left) == HERE and left.pin is not None and left.pin.endpoint.ip == HERE


def test_without_affinity_nothing_is_to_be_remembered(make: Any, cluster: Any) -> None:
    """S-64."""
    assert make.decide(cluster(HERE), OUTSIDE, NODE_PORT).pin is None


@pytest.mark.parametrize(
    ("source", "origin", "sender"),
    [
        (POD, Origin(OriginKind.POD, "default/client"), Sender.POD),
        ("10.244.2.77", Origin(OriginKind.POD, "default/x"), Sender.POD),
        (NODE, Origin(OriginKind.NODE, "node-1"), Sender.NODE),
        (NODE, Origin(OriginKind.POD, "default/host-network-pod"), Sender.NODE),
        ("127.0.0.1", Origin(OriginKind.NODE, "node-1"), Sender.NODE),
        (OTHER_NODE, Origin(OriginKind.NODE, "node-2"), Sender.OUTSIDE),
        (OTHER_NODE, Origin(OriginKind.POD, "default/away"), Sender.OUTSIDE),
        (OUTSIDE, Origin(OriginKind.OUTSIDE, OUTSIDE), Sender.OUTSIDE),
    ],
)
def test_the_proxy_tells_senders_by_their_source(
    make: Any, cluster: Any, source: str, origin: Origin, sender: Sender
) -> None:
    """S-99, S-100, N-65, N-135."""
    context = make.context(source, CLUSTER_IP, origin=origin)
    assert sender_of(context, cluster(AWAY)) is sender


def test_a_service_step_tells_everything_about_the_choice(make: Any, cluster: Any) -> None:
    """O-3, O-4, O-5."""
    leaving = {"ready": False, "serving": True, "terminating": True}
    target = {"targetRef": {"kind": "Pod", "namespace": "default", "name": "away"}}
    view = cluster(make.endpoint(AWAY, zone="b", **target), make.endpoint(HERE, **leaving))
    step = make.decide(view, OUTSIDE, NODE_PORT).steps[0]
    assert step.detail == {
        "service": {"namespace": "default", "name": "cart", "port": "http", "protocol": "TCP"},
        "front": {"kind": "NodePort", "address": "172.30.0.1:30080"},
        "trafficPolicy": "Cluster",
        "endpoint": {
            "address": "10.244.2.2:8080",
            "state": "ready",
            "namespace": "default",
            "pod": "away",
            "node": "node-2",
            "zone": "b",
        },
        "choice": "only candidate",
        "candidates": {
            "position": 1,
            "count": 1,
            "of": 2,
            "filter": "ready",
            "topology": "no hints",
            "addresses": ["10.244.2.2:8080"],
        },
    }
