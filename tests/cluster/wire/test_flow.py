"""Flows: who talks to whom, and where they came from."""

import pytest

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind

CLIENT, SERVICE = SocketAddress("10.244.1.2", 40000), SocketAddress("10.96.0.20", 80)
POD, NODE = SocketAddress("10.244.2.3", 8080), SocketAddress("172.30.0.1", 40000)
FLOW = Flow(Protocol.TCP, CLIENT, SERVICE)


def test_a_flow_reads_from_source_to_destination():
    assert str(FLOW) == "TCP 10.244.1.2:40000 -> 10.96.0.20:80"


def test_a_reply_is_the_flow_from_the_other_end():
    assert FLOW.reply() == Flow(Protocol.TCP, SERVICE, CLIENT)
    assert FLOW.reply().reply() == FLOW


def test_translation_changes_one_end_and_leaves_the_flow_it_began_with():
    translated = FLOW.to(POD).by(NODE)
    assert translated == Flow(Protocol.TCP, NODE, POD)
    assert (FLOW.source, FLOW.destination) == (CLIENT, SERVICE)
    with pytest.raises(AttributeError):
        FLOW.source = NODE  # type: ignore[misc]


def test_flows_are_told_apart_by_all_five():
    others = {FLOW, FLOW.to(POD), FLOW.by(NODE), Flow(Protocol.UDP, CLIENT, SERVICE)}
    assert len({*others, Flow(Protocol.TCP, CLIENT, SERVICE)}) == 4


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin(OriginKind.POD, "shop/cart-1"), "pod/shop/cart-1"),
        (Origin(OriginKind.NODE, "node-2", "node-2"), "node/node-2"),
        (Origin(OriginKind.OUTSIDE, "203.0.113.7"), "internet"),
    ],
)
def test_an_origin_is_named_for_people(origin: Origin, text: str):
    assert str(origin) == text


def test_a_context_says_nothing_that_was_not_said():
    context = FlowContext(
        flow_id="4c1f9a2b7d3e6f80",
        flow=FLOW.to(POD),
        original=FLOW,
        origin=Origin(OriginKind.POD, "shop/client"),
    )
    assert (context.kind, context.entry, context.hops, context.sender) == (
        FlowKind.TRAFFIC,
        Entry.ADMIT,
        0,
        "",
    )
