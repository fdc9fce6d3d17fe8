"""Whose datagrams go where, and for how long."""

import pytest

from cluster.gateway.balancer import Place
from cluster.gateway.udp_flows import STREAM_SECONDS, UNREPLIED_SECONDS, UdpFlow, UdpFlows
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind

PLACE = Place(SocketAddress("127.65.0.1", 53), Protocol.UDP)


def flow(number: int = 1, now: float = 0.0, node: str = "node-1") -> UdpFlow:
    client = SocketAddress("127.66.0.7", 40000 + number)
    tuple_ = Flow(Protocol.UDP, client, PLACE.address)
    origin = Origin(OriginKind.OUTSIDE, "203.0.113.7")
    context = FlowContext(flow_id=f"{number:016x}", flow=tuple_, original=tuple_, origin=origin)
    return UdpFlow(
        place=PLACE,
        client=client,
        node=node,
        tunnel=SocketAddress("127.0.0.1", 7000),
        context=context,
        head=b"head",
        last_seen=now,
    )


@pytest.fixture
def flows() -> UdpFlows:
    return UdpFlows()


def test_a_client_finds_its_flow_and_a_reply_its_client(flows: UdpFlows) -> None:
    opened = flow()
    flows.open(opened)
    assert flows.from_client(opened.key, 10, now=1) is opened
    assert flows.from_node(opened.context.flow_id, 1, 20, now=2) is opened
    assert (opened.bytes_in, opened.bytes_out, opened.replies) == (10, 20, 1)
    assert flows.from_node(opened.context.flow_id, 3, 30, now=2) is opened
    assert (opened.bytes_out, opened.replies) == (50, 4)
    assert flows.from_client((PLACE, SocketAddress("127.66.0.8", 1)), 1, now=1) is None
    assert flows.from_node("f" * 16, 1, 1, now=1) is None


def test_an_unanswered_flow_lives_thirty_seconds_from_its_last_datagram(flows: UdpFlows) -> None:
    """S-129."""
    opened = flow()
    flows.open(opened)
    assert flows.from_client(opened.key, 1, now=20) is opened
    assert flows.expire(20 + UNREPLIED_SECONDS - 0.1) == []
    assert flows.from_client(opened.key, 1, now=20 + UNREPLIED_SECONDS) is None
    assert flows.expire(20 + UNREPLIED_SECONDS) == [opened]
    assert len(flows) == 0


def test_an_answered_flow_lives_two_minutes(flows: UdpFlows) -> None:
    """S-129."""
    opened = flow()
    flows.open(opened)
    flows.from_node(opened.context.flow_id, 1, 1, now=10)
    assert flows.expire(10 + STREAM_SECONDS - 0.1) == []
    assert flows.expire(10 + STREAM_SECONDS) == [opened]


def test_only_those_whose_time_is_up_expire(flows: UdpFlows) -> None:
    old, busy, answered = flow(1), flow(2), flow(3)
    for each in (old, busy, answered):
        flows.open(each)
    flows.from_client(busy.key, 1, now=15)
    flows.from_node(answered.context.flow_id, 1, 1, now=1)
    assert flows.expire(UNREPLIED_SECONDS) == [old]
    assert len(flows) == 2


def test_flows_of_a_node_that_is_gone_are_forgotten(flows: UdpFlows) -> None:
    first, second = flow(1, node="node-1"), flow(2, node="node-2")
    for each in (first, second):
        flows.open(each)
    flows.from_node(first.context.flow_id, 1, 1, now=1)
    assert flows.forget(lambda each: each.node == "node-1") == [first]
    assert flows.from_client(first.key, 1, now=2) is None
    assert flows.from_client(second.key, 1, now=2) is second


def test_the_table_is_bounded() -> None:
    flows = UdpFlows(flows_max=1)
    assert not flows.full
    flows.open(flow())
    assert flows.full
    flows.expire(UNREPLIED_SECONDS)
    assert not flows.full
