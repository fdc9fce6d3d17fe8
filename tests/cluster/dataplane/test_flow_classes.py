"""What is kept of a class of flows is what would be decided for each of them anew."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import Code, Decision, Deliver, Via
from cluster.dataplane.flow_classes import LOTS_MAX, FlowClasses, decided_here
from cluster.dataplane.node_view import NodeView
from cluster.trace.draft import Outline, outline_of
from cluster.trace.record import Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind
from tests.cluster.dataplane.conftest import Make

HERE, AWAY, NODE, OUTSIDE = "10.244.1.2", "10.244.2.2", "172.30.0.1", "203.0.113.7"
ADDRESSES = [HERE, "10.244.1.3", "10.244.1.9", AWAY, "10.244.2.3", NODE, "172.30.0.2", OUTSIDE]
FRONTS = ["10.96.1.1", "10.96.1.2", "10.96.1.3", "10.96.9.9", "127.65.0.1", "198.51.100.7"]
PORTS = [80, 8080, 30080, 30081, 53]
ORIGINS = [
    Origin(OriginKind.POD, "default/here", "node-1"),
    Origin(OriginKind.POD, "default/other", "node-1"),
    Origin(OriginKind.NODE, "node-1", "node-1"),
    Origin(OriginKind.OUTSIDE, OUTSIDE),
]
make = Make()


class Both:
    """One node's decisions: kept by class, and each anew; the memory of both goes the same way."""

    def __init__(self, view: NodeView, listening: Callable[[Flow], bool]) -> None:
        self.view = view
        self.listening = listening
        self.made = 0
        self.classes = FlowClasses(self._finish)
        self.kept, self.anew = AffinityTable(), AffinityTable()

    def _finish(self, context: FlowContext, decision: Decision) -> tuple[Outline, Decision]:
        self.made += 1
        return outline_of(context, decision, Outcome.PASSED), decision

    def decide(self, context: FlowContext, *, now: float = 0.0, draw: float = 0.0) -> Decision:
        """Decide both ways, and see that they are the same."""
        outline, first = self.classes.ruled(
            context, self.view, self.kept, self.listening, now=now, draw=draw
        )
        anew = decided_here(context, self.view, self.anew, self.listening, now=now, draw=draw)
        assert tuple(outline.steps_from(context.flow.source)) == anew.steps
        assert outline.onward(context.flow) == anew.flow
        assert (first.verdict, first.pin) == (anew.verdict, anew.pin)
        if anew.pin is not None:
            self.kept.remember(anew.pin, now=now)
            self.anew.remember(anew.pin, now=now)
        return anew


def flow(source: str, destination: str, protocol: str = "TCP") -> FlowContext:
    origin = Origin(OriginKind.POD, "default/here", "node-1")
    return make.context(source, destination, protocol=protocol, origin=origin)


def cluster(**service: Any) -> NodeView:
    return make.view(
        make.node("node-1"),
        make.node("node-2"),
        make.pod("here", HERE),
        make.pod("other", "10.244.1.3"),
        make.pod("away", AWAY),
        make.service("web", "10.96.1.1", **service),
        make.slice("web", "10.244.1.3", AWAY),
    )


def test_a_second_flow_of_a_class_makes_nothing_new() -> None:
    both = Both(cluster(), lambda _: True)
    verdicts = [
        both.decide(flow(f"{HERE}:{port}", "10.96.1.1:80"), draw=0.9).verdict
        for port in range(40000, 40050)
    ]
    assert set(verdicts) == {Via("node-2")} and both.made == 1 == len(both.classes)


def test_every_lot_is_kept_by_itself() -> None:
    """S-64, O-4."""
    both = Both(cluster(), lambda _: True)
    draws = [0.1, 0.9, 0.2, 0.8]
    there = [both.decide(flow(HERE, "10.96.1.1:80"), draw=draw).flow.destination for draw in draws]
    assert [each.ip for each in there] == ["10.244.1.3", AWAY] * 2 and both.made == 2


def test_memory_chooses_before_chance() -> None:
    """S-64, S-68: and is not taken for it."""
    both = Both(cluster(sessionAffinity="ClientIP"), lambda _: True)
    first = both.decide(flow(HERE, "10.96.1.1:80"), draw=0.9)
    again = both.decide(flow(f"{HERE}:7", "10.96.1.1:80"), draw=0.1)
    late = both.decide(flow(f"{HERE}:8", "10.96.1.1:80"), draw=0.1, now=10801.0)
    assert [each.flow.destination.ip for each in (first, again, late)] == [AWAY, AWAY, "10.244.1.3"]
    assert "session affinity" in again.steps[0].reason and "random" in late.steps[0].reason


def test_who_listens_is_asked_for_each_flow() -> None:
    open_ports = set[int]()
    both = Both(cluster(), lambda flow: flow.destination.port in open_ports)
    refused = both.decide(flow(HERE, "10.244.1.3:8080"))
    open_ports.add(8080)
    taken = both.decide(flow(f"{HERE}:41000", "10.244.1.3:8080"))
    open_ports.clear()
    both.decide(flow(f"{HERE}:41001", "10.244.1.3:8080"))
    assert refused.steps[-1].code is Code.PORT_CLOSED and isinstance(taken.verdict, Deliver)
    assert both.made == 2


def test_what_a_change_touches_is_decided_anew() -> None:
    both = Both(cluster(), lambda _: True)
    both.decide(flow(HERE, "10.96.1.1:80"), draw=0.9)
    both.view = make.without(both.view, make.slice("web"))
    gone = both.decide(flow(HERE, "10.96.1.1:80"), draw=0.9)
    assert gone.steps[-1].code is Code.NO_ENDPOINT and len(both.classes) == 1


CHANGES = {
    "another Service": [make.service("db", "10.96.1.2"), make.slice("db", AWAY)],
    "another pod": [make.pod("stranger", "10.244.2.9")],
    "a policy elsewhere": [make.policy("deny", namespace="shop", policyTypes=["Ingress"])],
    "the same again": [
        make.pod("away", AWAY),
        make.node("node-2"),
        make.slice("web", "10.244.1.3", AWAY),
    ],
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_a_change_does_not_touch_still_counts(change: str) -> None:
    """A cluster in which something always changes somewhere decides no flow twice for that."""
    both = Both(cluster(), lambda _: True)
    flows = [flow(HERE, "10.96.1.1:80"), flow(AWAY, f"{HERE}:8080")]
    for context in flows:
        both.decide(context, draw=0.9)
    before = both.view
    both.view = make.with_documents(before, *CHANGES[change])
    assert (both.view is before) == (change == "the same again")
    for context in flows:
        both.decide(context, draw=0.9)
    assert both.made == 2


def test_what_is_kept_is_bounded_and_what_is_asked_for_stays() -> None:
    both = Both(cluster(), lambda _: True)
    both.classes = FlowClasses(both._finish, kept_max=20)
    for number in range(200):
        both.decide(flow(HERE, f"10.244.1.3:{1000 + number}"))
        both.decide(flow(HERE, "10.244.1.3:8080"))
        assert len(both.classes) <= 22
    assert both.made == 201


def test_a_service_of_many_endpoints_is_bounded_too() -> None:
    endpoints = [f"10.244.2.{number}" for number in range(2, 202)]
    more = [f"10.244.3.{number}" for number in range(2, 202)]
    view = make.with_documents(
        cluster(), make.node("node-3"), make.slice("web", *endpoints, *more, name="web-2")
    )
    both = Both(view, lambda _: True)
    for step in range(401):
        both.decide(flow(HERE, "10.96.1.1:80"), draw=(step + 0.5) / 401)
    assert both.made == 401 and len(both.classes) <= LOTS_MAX


def test_who_opened_a_flow_tells_classes_apart_though_its_source_is_the_same() -> None:
    """N-64, N-139: behind the node's address, a pod reaches itself, and others do not."""
    view = make.with_documents(cluster(), make.policy("deny", policyTypes=["Ingress"]))
    both = Both(view, lambda _: True)

    def arrives(opened_by: str) -> Decision:
        original = make.flow(opened_by, "10.96.1.1:80")
        outside = Origin(OriginKind.OUTSIDE, OUTSIDE)
        return both.decide(make.context(NODE, "10.244.1.3:8080", origin=outside, original=original))

    denied, own = arrives(OUTSIDE), arrives("10.244.1.3")
    assert denied.steps[-1].code is Code.POLICY_DENIED
    assert isinstance(own.verdict, Deliver)


def test_a_pod_whose_address_is_not_known_yet_is_told_apart_by_its_untranslated_source() -> None:
    """N-135: by name, only until its source is translated."""
    documents = [make.pod("late"), make.policy("deny", policyTypes=["Egress"])]
    both = Both(make.with_documents(cluster(), *documents), lambda _: True)
    late = Origin(OriginKind.POD, "default/late", "node-1")
    translated = make.flow("10.244.1.9:50000", "10.96.1.1:80")
    passed = both.decide(
        make.context("10.244.1.9", "10.96.1.1:80", origin=late, original=translated)
    )
    denied = both.decide(make.context("10.244.1.9", "10.96.1.1:80", origin=late))
    assert denied.steps[-1].code is Code.POLICY_DENIED
    assert passed.steps[-1].code is None


SELECTORS = st.sampled_from([{}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}])
PEERS = st.one_of(
    SELECTORS.map(lambda each: {"podSelector": each}),
    st.sampled_from([{"ipBlock": {"cidr": "172.30.0.0/16"}}, {"namespaceSelector": {}}]),
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "peers": st.lists(PEERS, min_size=1, max_size=2),
        "ports": st.lists(st.sampled_from(PORTS).map(lambda p: {"port": p}), max_size=2),
    },
)


@st.composite
def policies(draw: st.DrawFn) -> list[Any]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        kind, word = draw(st.sampled_from([("ingress", "from"), ("egress", "to")]))
        rules = [
            {word: each.get("peers", []), "ports": each.get("ports", [])}
            for each in draw(st.lists(RULES, max_size=2))
        ]
        spec = {"policyTypes": [kind.capitalize()], kind: rules}
        found.append(make.policy(f"np-{number}", pods=draw(SELECTORS), **spec))
    return found


@st.composite
def services(draw: st.DrawFn) -> list[Any]:
    found = []
    for number in (1, 2, 3):
        tcp = draw(st.sampled_from(["TCP", "UDP"]))
        ports = [{"name": "p", "port": 80, "protocol": tcp, "nodePort": 30079 + number}]
        spec: dict[str, Any] = {"type": "LoadBalancer", "ports": ports}
        spec["sessionAffinity"] = draw(st.sampled_from(["None", "ClientIP"]))
        for name in ("externalTrafficPolicy", "internalTrafficPolicy"):
            spec[name] = draw(st.sampled_from(["Cluster", "Local"]))
        if number == 1:
            spec |= {"ingress": [{"ip": "127.65.0.1"}], "externalIPs": ["198.51.100.7"]}
            if draw(st.booleans()):
                spec["loadBalancerSourceRanges"] = ["203.0.113.0/28"]
        found.append(make.service(f"s{number}", f"10.96.1.{number}", **spec))
        endpoints = draw(st.lists(st.sampled_from(ADDRESSES[:5]), max_size=4, unique=True))
        slice_ports = [{"name": "p", "port": 8080, "protocol": tcp}]
        found.append(make.slice(f"s{number}", *endpoints, ports=slice_ports))
    return found


@st.composite
def pods(draw: st.DrawFn) -> list[Any]:
    names = ["here", "other", "late", "away", "far"]
    found = []
    for name, ip in zip(names, ADDRESSES, strict=False):
        labels = draw(st.sampled_from([{}, {"app": "a"}, {"app": "b"}]))
        phase = draw(st.sampled_from(["Running", "Running", "Running", "Failed"]))
        if draw(st.integers(0, 4)):
            found.append(make.pod(name, ip, labels=labels, phase=phase))
    if draw(st.booleans()):
        found.append(make.pod("host", NODE, node="node-1", host_network=True))
    return found


PARTS: dict[str, Any] = {
    "protocol": st.sampled_from([Protocol.TCP, Protocol.TCP, Protocol.UDP]),
    "source": st.sampled_from(ADDRESSES),
    "port": st.integers(1, 3),
    "opened": st.sampled_from([*ADDRESSES, ""]),  # "" is where it comes from now
    "opened_port": st.integers(1, 3),
    "there": st.sampled_from(ADDRESSES + FRONTS),
    "at": st.sampled_from(PORTS),
    "origin": st.sampled_from(ORIGINS),
    "entry": st.sampled_from([Entry.FRONT, Entry.FRONT, Entry.ADMIT]),
}


def context_of(parts: dict[str, Any]) -> FlowContext:
    source, there = (
        SocketAddress(parts["source"], parts["port"]),
        SocketAddress(parts["there"], parts["at"]),
    )
    opened = SocketAddress(parts["opened"] or parts["source"], parts["opened_port"])
    return FlowContext(
        flow_id="0123456789abcdef",
        flow=Flow(parts["protocol"], source, there),
        original=Flow(parts["protocol"], opened, there),
        origin=parts["origin"],
        entry=parts["entry"],
    )


@st.composite
def related_flows(draw: st.DrawFn) -> list[tuple[FlowContext, float, int]]:
    """Flows that differ from one another in a part or two: what tells classes apart."""
    base = draw(st.fixed_dictionaries(PARTS))
    flows = []
    for _ in range(draw(st.integers(2, 10))):
        changed = draw(st.lists(st.sampled_from(sorted(PARTS)), max_size=2))
        parts = base | {name: draw(PARTS[name]) for name in changed}
        draw_lot, now = draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(0, 20000))
        flows.append((context_of(parts), draw_lot, now))
    return flows


NODES = [make.node("node-1", external="127.64.0.1"), make.node("node-2"), make.namespace("default")]


@pytest.mark.parametrize("again", [1, 3])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    documents=st.tuples(pods(), services(), policies()),
    then=st.one_of(pods(), services(), policies()),
    flows=related_flows(),
    open_ports=st.sets(st.sampled_from(PORTS)),
)
def test_kept_and_anew_are_the_same_for_any_flows_in_any_cluster(
    again: int, documents: Any, then: list[Any], flows: Any, open_ports: set[int]
) -> None:
    """O-2 to O-12: verdict, addresses, every step with its reason and detail, and what is to be
    remembered; before and after a change."""
    view = make.view(*NODES, *(each for kind in documents for each in kind))
    both = Both(view, lambda flow: flow.destination.port in open_ports)
    for number in range(again):
        for context, draw, now in flows:
            both.decide(context, draw=draw, now=float(now))
        both.view = make.with_documents(both.view, *then[number::2])
