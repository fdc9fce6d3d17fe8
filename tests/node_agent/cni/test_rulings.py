"""One ruling per flow: decided by the view, recorded with its reasons."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Drop, Host, Outside, Reject, Stage, Via
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from node_agent.cni.rulings import outcome_of

VIP = "10.96.0.20"
ORIGIN = Origin(OriginKind.POD, "default/client", "node-1")


def opened(node: Any, destination: str, port: int, **more: Any) -> FlowContext:
    source = SocketAddress("10.244.1.200", 40000)
    flow = Flow(Protocol.TCP, source, SocketAddress(destination, port))
    context: FlowContext = node.rulings.opened(ORIGIN, flow, FlowKind.TRAFFIC)
    return replace(context, **more)


@pytest.fixture
async def web(world: Any) -> Any:
    """A pod on each of two nodes, a Service over the second."""
    await world.pod("local", 1)
    pod = await world.pod("web", 2)
    world.service("web", VIP, pod.ip, sessionAffinity="ClientIP")
    return pod


async def test_every_flow_has_a_name_of_its_own(world: Any) -> None:
    """O-1."""
    node = world.node(1)
    names = {opened(node, VIP, 80).flow_id for _ in range(100)}
    assert len(names) == 100 and all(len(name) == 16 for name in names)


async def test_a_flow_to_another_node_is_passed_on_with_its_hops_counted(
    world: Any, web: Any
) -> None:
    node = world.nodes[1]
    ruling = node.rulings.rule(opened(node, VIP, 80))
    assert ruling.verdict == Via("node-2")
    assert ruling.context.flow.destination == SocketAddress(web.ip, 8080)
    assert ruling.context.original.destination == SocketAddress(VIP, 80)
    assert (ruling.context.hops, ruling.context.sender) == (len(ruling.steps), "node-1")
    (segment,) = node.segments()
    assert (segment.outcome, segment.next_process) == (Outcome.PASSED, "node-2")
    assert segment.flow_id == ruling.flow_id and segment.decided_seconds >= 0


async def test_what_arrives_is_only_admitted_and_says_who_sent_it(world: Any, web: Any) -> None:
    node = world.nodes[2]
    context = opened(node, web.ip, 8080, entry=Entry.ADMIT, sender="node-1", hops=4)
    ruling = node.rulings.rule(context)
    assert ruling.verdict == Reject(Code.PORT_CLOSED, ruling.verdict.reason)
    first = node.segments()[0].hops[0]
    assert (first.number, first.step.action) == (4, Action.RECEIVED)
    assert first.step.detail["from"] == "node-1"


async def test_a_local_pod_is_decided_in_both_halves_at_once(world: Any) -> None:
    pod = await world.pod("local", 1)
    world.isolate("deny-all")
    node = world.nodes[1]
    ruling = node.rulings.rule(opened(node, pod.ip, 8080))
    assert isinstance(ruling.verdict, Drop) and ruling.verdict.code is Code.POLICY_DENIED
    assert Stage.INGRESS in [step.stage for step in ruling.steps]


async def test_the_outside_is_closed_with_a_reason(world: Any) -> None:
    node = world.node(1)
    ruling = node.rulings.rule(opened(node, "198.51.100.7", 443))
    assert isinstance(ruling.verdict, Reject) and ruling.verdict.code is Code.OUTSIDE_CLOSED
    assert ruling.steps[-1].code is Code.OUTSIDE_CLOSED


async def test_affinity_is_remembered_by_rulings_and_not_by_explanations(
    world: Any, web: Any
) -> None:
    """S-68."""
    other = await world.pod("other", 1)
    world.service("web", VIP, web.ip, other.ip, sessionAffinity="ClientIP")
    node = world.nodes[1]

    def asked() -> SocketAddress:
        destination: SocketAddress = node.rulings.explain(opened(node, VIP, 80)).flow.destination
        return destination

    assert len({asked() for _ in range(50)}) == 2
    assert node.segments() == []  # nothing was made, so nothing is recorded
    pinned = node.rulings.rule(opened(node, VIP, 80)).context.flow.destination
    assert {asked() for _ in range(50)} == {pinned}


async def test_what_comes_after_the_decision_is_added_to_its_record(world: Any, web: Any) -> None:
    """O-11, O-20: what ended it is its last hop; what the client saw is a field of its own."""
    node = world.nodes[1]
    ruling = node.rulings.rule(opened(node, VIP, 80))
    node.rulings.saw(ruling.flow_id, ClientSaw.CONNECTED)
    node.rulings.lost(ruling, Stage.TUNNEL, Code.NODE_UNREACHABLE, "node-2 does not answer")
    (segment,) = node.segments()
    assert segment.client_saw is ClientSaw.CONNECTED
    assert (segment.outcome, segment.code) == (Outcome.DROPPED, Code.NODE_UNREACHABLE)
    assert segment.reason == "node-2 does not answer" and segment.next_process == ""
    last = segment.hops[-1]
    assert (last.number, last.step.action) == (len(segment.hops) - 1, Action.DROPPED)
    assert last.step.reason == segment.reason and last.process == "node-1"


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Host("", SocketAddress("172.30.255.254", 6443)), Outcome.DELIVERED),
        (Reject(Code.NO_ENDPOINT, ""), Outcome.REFUSED),
        (Drop(Code.POLICY_DENIED, ""), Outcome.DROPPED),
        (Via("node-2"), Outcome.PASSED),
        (Outside(SocketAddress("203.0.113.7", 80)), Outcome.PASSED),
    ],
)
def test_how_a_verdict_shows(verdict: Any, outcome: Outcome) -> None:
    assert outcome_of(verdict) is outcome


async def test_a_socket_handed_over_is_told_of_by_who_has_it(world: Any, web: Any) -> None:
    """O-20."""
    first, second = world.nodes[1], world.nodes[2]
    ruling = first.rulings.rule(opened(first, VIP, 80))
    first.rulings.handed_over(ruling)
    (segment,) = first.segments()
    assert segment.handed_over and segment.complete
    arrived = second.rulings.rule(ruling.context)
    second.rulings.saw(arrived.flow_id, ClientSaw.CONNECTED)
    assert second.segments()[0].client_saw is ClientSaw.UNKNOWN, "it did not begin there"
    second.rulings.saw(arrived.flow_id, ClientSaw.CONNECTED, opener=False)
    assert second.segments()[0].client_saw is ClientSaw.CONNECTED
