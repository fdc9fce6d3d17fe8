"""The preamble: what goes in comes out, and nothing else does."""

import hmac

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.preamble import (
    CONTEXT_BYTES_MAX,
    HEADER_BYTES,
    REASON_CHARACTERS_MAX,
    Answer,
    AnswerOutcome,
    Reader,
    decode_context,
    decode_verdict,
    encode_context,
    encode_verdict,
    parse_header,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(32)

addresses = st.builds(
    SocketAddress,
    st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)),
    st.integers(0, 65535),
)
flows = st.builds(Flow, st.sampled_from(Protocol), addresses, addresses)
names = st.text(max_size=253)
contexts = st.builds(
    FlowContext,
    flow_id=st.integers(0, 2**64 - 1).map("{:016x}".format),
    flow=flows,
    original=flows,
    origin=st.builds(Origin, st.sampled_from(OriginKind), names, names),
    kind=st.sampled_from(FlowKind),
    entry=st.sampled_from(Entry),
    hops=st.integers(0, 255),
    sender=names,
)
answers = st.builds(
    Answer,
    outcome=st.sampled_from(AnswerOutcome),
    code=st.text(max_size=40),
    reason=st.text(max_size=REASON_CHARACTERS_MAX),
    hops=st.integers(0, 255),
    endpoint=st.dictionaries(st.text(max_size=10), st.text(max_size=60), max_size=5),
)

FLOW = Flow(Protocol.TCP, SocketAddress("203.0.113.7", 40000), SocketAddress("127.65.0.1", 80))
CONTEXT = FlowContext(
    flow_id="0123456789abcdef",
    flow=FLOW,
    original=FLOW,
    origin=Origin(OriginKind.OUTSIDE, "203.0.113.7"),
    entry=Entry.FRONT,
    hops=1,
    sender="gateway",
)
ANSWER = Answer(
    outcome=AnswerOutcome.REFUSED, code="PORT_CLOSED", reason="nothing listens on 8080", hops=5
)


def parts(message: bytes) -> tuple[bytes, bytes]:
    return message[:HEADER_BYTES], message[HEADER_BYTES:]


def sealed(fields: object, label: bytes = b"context\0") -> tuple[bytes, bytes]:
    """A message with a good MAC around anything at all."""
    body = fields if isinstance(fields, bytes) else msgpack.packb(fields)
    mac = hmac.digest(KEY, label + body, "sha256")
    return b"KH" + len(body).to_bytes(2, "big") + mac, body


@given(contexts)
def test_a_context_comes_out_as_it_went_in(context: FlowContext) -> None:
    assert decode_context(*parts(encode_context(context, KEY)), KEY) == context


@given(answers)
def test_a_verdict_comes_out_as_it_went_in(answer: Answer) -> None:
    assert decode_verdict(*parts(encode_verdict(answer, KEY)), KEY) == answer


@given(contexts, st.data())
def test_a_context_is_read_from_any_split_of_its_bytes_and_nothing_behind_it(
    context: FlowContext, data: st.DataObject
) -> None:
    stream = encode_context(context, KEY) + b"the program's first bytes"
    reader = Reader()
    while reader.wanted:
        count = data.draw(st.integers(1, reader.wanted))
        reader.feed(stream[:count])
        stream = stream[count:]
    assert stream == b"the program's first bytes"
    assert decode_context(reader.header, reader.body, KEY) == context


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    for encoded, decode in (
        (encode_context(CONTEXT, KEY), decode_context),
        (encode_verdict(ANSWER, KEY), decode_verdict),
    ):
        place = data.draw(st.integers(0, len(encoded) * 8 - 1))
        altered = bytearray(encoded)
        altered[place // 8] ^= 1 << place % 8
        with pytest.raises(WireError):
            decode(*parts(bytes(altered)), KEY)


@given(st.binary(max_size=200))
def test_a_reader_takes_garbage_for_nothing_else(garbage: bytes) -> None:
    reader = Reader()
    with pytest.raises(WireError):
        while True:
            chunk, garbage = garbage[: reader.wanted], garbage[reader.wanted :]
            reader.feed(chunk)
            decode_context(reader.header, reader.body, KEY)


def test_garbage_is_refused_at_its_second_byte_not_after_a_whole_header() -> None:
    reader = Reader()
    reader.feed(b"K")
    with pytest.raises(WireError, match="begins with b'KX'"):
        reader.feed(b"X")


def test_a_key_of_another_cluster_opens_nothing() -> None:
    with pytest.raises(WireError, match="another cluster"):
        decode_context(*parts(encode_context(CONTEXT, OTHER_KEY)), KEY)


def test_a_context_cannot_be_sent_back_as_a_verdict() -> None:
    with pytest.raises(WireError, match="MAC of a verdict"):
        decode_verdict(*parts(encode_context(CONTEXT, KEY)), KEY)


def test_lengths_out_of_bounds_are_refused_by_the_header_alone() -> None:
    for length in (0, CONTEXT_BYTES_MAX + 1, 65535):
        with pytest.raises(WireError, match=str(length)):
            parse_header(b"KH" + length.to_bytes(2, "big") + bytes(32))
    with pytest.raises(WireError, match="35 bytes"):
        parse_header(b"KH" + bytes(33))


def test_a_body_shorter_than_its_header_says_is_refused() -> None:
    header, body = parts(encode_context(CONTEXT, KEY))
    with pytest.raises(WireError, match=f"{len(body) - 1} bytes"):
        decode_context(header, body[:-1], KEY)


def test_a_reason_too_long_for_the_wire_is_cut() -> None:
    answer = Answer(outcome=AnswerOutcome.DROPPED, reason="ä" * 5000)
    decoded = decode_verdict(*parts(encode_verdict(answer, KEY)), KEY)
    assert decoded.reason == "ä" * REASON_CHARACTERS_MAX


def test_a_context_too_long_for_the_wire_is_not_written() -> None:
    origin = Origin(OriginKind.POD, "x" * CONTEXT_BYTES_MAX)
    context = FlowContext(flow_id="0" * 16, flow=FLOW, original=FLOW, origin=origin)
    with pytest.raises(WireError, match=str(CONTEXT_BYTES_MAX)):
        encode_context(context, KEY)


GOOD = msgpack.unpackb(parts(encode_context(CONTEXT, KEY))[1])


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (0, 2, "version 2"),
        (1, "0123456789ABCDEF", "16 hexadecimal digits"),
        (1, 7, "not a text"),
        (2, "ICMP", "ICMP"),
        (3, "10.244.1", "not an IP address"),
        (4, 65536, "0 to 65535"),
        (4, True, "0 to 65535"),
        (4, -1, "0 to 65535"),
        (12, "alien", "alien"),
        (13, "x" * 700, "not a text"),
        (15, "mystery", "mystery"),
        (16, "middle", "middle"),
        (17, 256, "0 to 255"),
        (18, None, "not a text"),
    ],
)
def test_an_authentic_context_with_a_wrong_field_is_refused(
    place: int, value: object, complaint: str
) -> None:
    fields = [*GOOD]
    fields[place] = value
    with pytest.raises(WireError, match=complaint):
        decode_context(*sealed(fields), KEY)


@pytest.mark.parametrize("body", [b"\xc1", b"\x93\x01", b"\xa3abc", b"\x90", msgpack.packb({})])
def test_an_authentic_body_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode_context(*sealed(body), KEY)


def test_a_context_with_one_field_more_is_refused() -> None:
    with pytest.raises(WireError, match="20 fields, version 1 has 19"):
        decode_context(*sealed([*GOOD, "more"]), KEY)


def test_an_endpoint_that_is_no_map_of_texts_is_refused() -> None:
    for endpoint in ([], {"pod": 1}, {1: "pod"}):
        with pytest.raises(WireError):
            decode_verdict(*sealed([1, "accepted", "", "", 0, endpoint], b"verdict\0"), KEY)
