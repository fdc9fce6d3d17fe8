"""What processes say when sockets change hands: every message there and back, nothing else."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.handover import (
    ENDED_MAX,
    FLOWS_MAX,
    PASSED_MAX,
    VERSION,
    Died,
    Ended,
    Flows,
    Handed,
    Hello,
    decode,
    encode_died,
    encode_ended,
    encode_flows,
    encode_hello,
)

CLIENT, VIP = SocketAddress("203.0.113.7", 40000), SocketAddress("127.65.0.1", 80)
FLOW = Flow(Protocol.TCP, CLIENT, VIP)
CONTEXT = FlowContext(
    flow_id="00c0ffee00c0ffee",
    flow=FLOW.to(SocketAddress("10.244.2.5", 8080)),
    original=FLOW,
    origin=Origin(OriginKind.OUTSIDE, "203.0.113.7"),
    entry=Entry.ADMIT,
    hops=4,
    sender="node-1",
)
HANDED = Handed(CONTEXT, ("gateway#01234567", "node-1#89abcdef"))

addresses = st.builds(
    SocketAddress, st.ip_addresses().map(str), st.integers(min_value=0, max_value=65535)
)
flows = st.builds(Flow, st.just(Protocol.TCP), addresses, addresses)
texts = st.text(max_size=40)
contexts = st.builds(
    FlowContext,
    flow_id=texts,
    flow=flows,
    original=flows,
    origin=st.builds(Origin, st.sampled_from(OriginKind), texts, texts),
    kind=st.sampled_from(FlowKind),
    entry=st.sampled_from(Entry),
    hops=st.integers(min_value=0, max_value=255),
    sender=texts,
)
instances = st.lists(texts, max_size=PASSED_MAX).map(tuple)
handed = st.builds(Handed, contexts, instances, st.booleans(), st.sampled_from([4, 6]))


@given(st.lists(handed, min_size=1, max_size=5))
def test_flows_arrive_as_they_were_sent(several: list[Handed]) -> None:
    assert decode(encode_flows(several)) == Flows(tuple(several))


def test_the_other_messages_arrive_as_they_were_sent() -> None:
    assert decode(encode_hello("gateway#01234567")) == Hello("gateway#01234567")
    assert decode(encode_died(["a#1", "b#2"])) == Died(("a#1", "b#2"))
    ended = Ended(12.5, HANDED.passed, ("00c0ffee00c0ffee",))
    assert decode(encode_ended(ended)) == ended


@given(st.binary(max_size=200))
def test_anything_else_is_an_error_of_the_peer(data: bytes) -> None:
    try:
        decode(data)
    except WireError as error:
        assert str(error)


@given(st.data())
def test_a_flow_with_any_field_exchanged_is_read_as_such_or_refused(data: st.DataObject) -> None:
    """No field goes unchecked: what is read can be sent again and is then the same."""
    version, what, (fields,) = msgpack.unpackb(encode_flows([HANDED]))
    position = data.draw(st.integers(min_value=0, max_value=len(fields) - 1))
    fields[position] = data.draw(
        st.one_of(st.none(), st.integers(), texts, st.floats(), st.lists(texts, max_size=2))
    )
    try:
        read = decode(msgpack.packb([version, what, [fields]]))
    except (WireError, OverflowError):
        return
    assert isinstance(read, Flows)
    assert decode(encode_flows(read.flows)) == read


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ([VERSION + 1, 0, "gateway#1"], "this process speaks"),
        ([VERSION, 9, "gateway#1"], "not a hand-over message"),
        ([VERSION, 0, 7], "is not a text"),
        ([VERSION, 1, []], "holds 1 to"),
        ([VERSION, 1, [[]] * (FLOWS_MAX + 1)], "holds 1 to"),
        ([VERSION, 2, ["x"] * (ENDED_MAX + 1)], "a list of at most"),
        ([VERSION, 3, [1.0, [], ["x"] * (ENDED_MAX + 1)]], "at most"),
        ([VERSION, 3, ["soon", [], []]], "has a time"),
        ([VERSION, 3, [1.0, ["x"] * (PASSED_MAX + 1), []]], "a list of at most"),
    ],
)
def test_the_bounds_are_named(message: object, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        decode(msgpack.packb(message))


@pytest.mark.parametrize(
    ("position", "value", "complaint"),
    [
        (1, "nowhere", "not a hand-over message"),
        (2, 70000, "not an address"),
        (11, 256, "number of hops"),
    ],
)
def test_an_address_port_and_count_are_checked(
    position: int, value: object, complaint: str
) -> None:
    version, what, (fields,) = msgpack.unpackb(encode_flows([HANDED]))
    fields[position] = value
    with pytest.raises(WireError, match=complaint):
        decode(msgpack.packb([version, what, [fields]]))
