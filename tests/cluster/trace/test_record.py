"""Segments: made from decisions, numbered on, written and read."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Decision, Drop, Stage, Step
from cluster.trace.record import ClientSaw, Outcome, Segment, passed_on, segment_of
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin, OriginKind

FLOW = Flow(Protocol.TCP, SocketAddress("10.244.1.5", 4000), SocketAddress("10.96.0.20", 80))
AFTER = FLOW.to(SocketAddress("10.244.2.7", 8080))
CONTEXT = FlowContext(
    flow_id="feed",
    flow=FLOW,
    original=FLOW,
    origin=Origin(OriginKind.POD, "shop/client"),
    hops=3,
    sender="gateway",
)


def decision() -> Decision:
    service = Step(Stage.SERVICE, Action.FORWARDED, FLOW, AFTER, "random, 1 of 2")
    denied = Step(Stage.EGRESS, Action.DROPPED, AFTER, AFTER, "denied", Code.POLICY_DENIED)
    return Decision(Drop(Code.POLICY_DENIED, "denied"), AFTER, (service, denied))


def test_hops_are_numbered_on_from_where_the_flow_comes_from() -> None:
    """O-2, O-3: each with both 5-tuples."""
    segment = segment_of(decision(), CONTEXT, process="node-1", at=7.0, outcome=Outcome.DROPPED)
    assert [hop.number for hop in segment.hops] == [3, 4]
    assert {(hop.process, hop.at) for hop in segment.hops} == {("node-1", 7.0)}
    assert (segment.hops[0].step.before, segment.hops[0].step.after) == (FLOW, AFTER)
    assert (segment.code, segment.reason) == (Code.POLICY_DENIED, "denied")
    onward = passed_on(CONTEXT, segment, segment.flow)
    assert (onward.hops, onward.flow, onward.sender) == (5, AFTER, "node-1")
    assert onward.original == FLOW


@pytest.mark.parametrize(
    "name",
    ["balanced", "denied", "without_endpoints", "closed_port", "datagrams", "unknown_name"],
)
def test_a_segment_survives_json(path: Any, name: str) -> None:
    """O-3, O-4, O-12: the whole of it."""
    for segment in path(name):
        assert Segment.from_json(segment.to_json()) == segment


def test_what_is_no_segment_is_not_read(path: Any) -> None:
    document = path("denied")[0].to_json()
    with pytest.raises(KeyError):
        Segment.from_json({"flowId": "x"})
    with pytest.raises(ValueError, match="nonsense"):
        Segment.from_json({**document, "outcome": "nonsense"})


def test_only_where_a_connection_began_is_known_what_its_client_saw(path: Any) -> None:
    """O-20: and a trace waits for it."""
    dialled, _ = path("denied")
    unknown = replace(dialled, client_saw=ClientSaw.UNKNOWN)
    assert dialled.complete and not unknown.complete
    outside = Origin(OriginKind.OUTSIDE, "203.0.113.1")
    assert not replace(unknown, origin=outside).complete, "its front tells for it"
    arrived = replace(unknown, hops=tuple(replace(hop, number=4) for hop in unknown.hops))
    assert arrived.complete, "only its own node can know"
    (datagram,) = path("datagrams")
    assert replace(datagram, client_saw=ClientSaw.UNKNOWN).complete, "no datagram is owed a reply"
    asked = replace(unknown, kind=FlowKind.DNS, outcome=Outcome.DELIVERED)
    assert asked.complete


def test_who_handed_the_socket_over_has_said_all_it_will_say(path: Any) -> None:
    """O-20: whoever has the socket tells what its client saw."""
    handed = replace(path("denied")[0], client_saw=ClientSaw.UNKNOWN, handed_over=True)
    assert handed.complete
    assert Segment.from_json(handed.to_json()).handed_over
    old = {name: value for name, value in handed.to_json().items() if name != "handedOver"}
    assert not Segment.from_json(old).handed_over
