"""DNS messages, there and back, and whatever else may arrive."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.dns import (
    Address,
    Data,
    Edns,
    Message,
    Opaque,
    Question,
    Rcode,
    Record,
    RRType,
    Soa,
    Srv,
    Target,
    Text,
    decode,
    encode,
    rcode_name,
)
from cluster.wire.dns_names import label_text

names = st.lists(st.binary(min_size=1, max_size=12).map(label_text), max_size=4).map(".".join)
u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
soas = st.builds(
    Soa, mname=names, rname=names, serial=u32, refresh=u32, retry=u32, expire=u32, minimum=u32
)
typed_data: st.SearchStrategy[tuple[int, Data]] = st.one_of(
    st.tuples(st.just(1), st.builds(Address, st.ip_addresses(v=4).map(str))),
    st.tuples(st.just(28), st.builds(Address, st.ip_addresses(v=6).map(str))),
    st.tuples(st.sampled_from([2, 5, 12]), st.builds(Target, names)),
    st.tuples(st.just(33), st.builds(Srv, u16, u16, u16, names)),
    st.tuples(st.just(6), soas),
    st.tuples(
        st.just(16), st.builds(Text, st.lists(st.binary(max_size=40), max_size=3).map(tuple))
    ),
    st.tuples(st.sampled_from([15, 64, 257]), st.builds(Opaque, st.binary(max_size=40))),
)
records = st.builds(
    lambda name, typed, ttl: Record(name, typed[0], ttl, typed[1]),
    names,
    typed_data,
    st.integers(0, 2**31 - 1),
)
sections = st.lists(records, max_size=3).map(tuple)
messages = st.builds(
    Message,
    id=u16,
    response=st.booleans(),
    opcode=st.integers(0, 15),
    authoritative=st.booleans(),
    truncated=st.booleans(),
    recursion_desired=st.booleans(),
    recursion_available=st.booleans(),
    authentic=st.booleans(),
    checking_disabled=st.booleans(),
    rcode=st.integers(0, 15),
    questions=st.lists(st.builds(Question, names, u16, u16), max_size=2).map(tuple),
    answers=sections,
    authority=sections,
    additional=sections,
    edns=st.none()
    | st.builds(
        Edns,
        udp_bytes=u16,
        version=u8,
        dnssec_ok=st.booleans(),
        options=st.lists(st.tuples(u16, st.binary(max_size=20)), max_size=2).map(tuple),
    ),
)

QUERY = Message(id=0xABCD, recursion_desired=True, questions=(Question("web.ns", RRType.A),))


def many(count: int) -> tuple[Record, ...]:
    return tuple(
        Record("web.ns", RRType.A, 30, Address(f"10.0.{i >> 8}.{i & 255}")) for i in range(count)
    )


@given(messages)
def test_every_message_survives_the_wire(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_worse_than_a_wire_error(raw: bytes) -> None:
    try:
        decode(raw)
    except WireError:
        return


@given(messages, st.data())
def test_a_message_with_any_bytes_changed_does_nothing_worse(
    message: Message, data: st.DataObject
) -> None:
    raw = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    except WireError:
        return


@given(messages, st.integers(600, 1200))
def test_a_bounded_message_keeps_its_bound_and_can_be_read(message: Message, limit: int) -> None:
    """D-93, D-97: whole records go, from the end; header counts fit."""
    whole = encode(replace(message, edns=None))
    raw = encode(replace(message, edns=None), limit)
    read = decode(raw)
    if len(whole) <= limit:
        assert raw == whole
    else:
        kept = read.answers + read.authority + read.additional
        every = message.answers + message.authority + message.additional
        assert len(raw) <= limit
        assert read.truncated
        assert kept == every[: len(kept)] and len(kept) < len(every)


def test_a_query_is_what_every_resolver_sends() -> None:
    assert encode(QUERY) == bytes.fromhex("abcd 0100 0001 0000 0000 0000") + (
        b"\x03web\x02ns\x00\x00\x01\x00\x01"
    )


def test_truncation_at_512_bytes_sets_tc_and_keeps_the_question() -> None:
    """D-93."""
    answer = replace(QUERY.reply(), answers=many(100))
    raw = encode(answer, 512)
    read = decode(raw)
    assert len(raw) <= 512
    assert read.truncated
    assert read.questions == QUERY.questions
    assert read.answers == answer.answers[: len(read.answers)]
    assert len(read.answers) == (512 - 12 - 12) // 16  # each with its name as a pointer


def test_compression_makes_room() -> None:
    """D-97: 30 addresses fit 512 bytes only because the name is written once."""
    assert not decode(encode(replace(QUERY.reply(), answers=many(30)), 512)).truncated


def test_the_opt_record_stays_when_others_go() -> None:
    """D-94."""
    answer = replace(QUERY.reply(), answers=many(100), edns=Edns(udp_bytes=1232))
    raw = encode(answer, 600)
    assert len(raw) <= 600
    assert decode(raw).edns == Edns(udp_bytes=1232)


def test_an_extended_rcode_needs_edns() -> None:
    """D-96: BADVERS is 16."""
    bad = replace(QUERY.reply(Rcode.BADVERS), edns=Edns())
    assert decode(encode(bad)).rcode == Rcode.BADVERS
    with pytest.raises(WireError, match="EDNS"):
        encode(QUERY.reply(Rcode.BADVERS))


def test_a_reply_echoes_id_question_and_rd_and_claims_nothing_else() -> None:
    """D-98, D-100."""
    query = replace(QUERY, questions=(Question("WeB.nS", RRType.A),), checking_disabled=True)
    reply = query.reply(Rcode.NXDOMAIN)
    assert (reply.id, reply.questions, reply.response) == (0xABCD, query.questions, True)
    assert reply.recursion_desired and reply.checking_disabled
    assert not reply.authoritative and not reply.recursion_available


def test_a_ttl_with_its_highest_bit_counts_as_zero() -> None:
    """RFC 2181 section 8."""
    raw = bytearray(encode(replace(QUERY.reply(), answers=many(1))))
    raw[-10:-6] = b"\x7f\xff\xff\xff"
    assert decode(bytes(raw)).answers[0].ttl == 2**31 - 1
    raw[-10:-6] = b"\x80\x00\x00\x00"
    assert decode(bytes(raw)).answers[0].ttl == 0
    raw[-10:-6] = b"\xff\xff\xff\xff"
    assert decode(bytes(raw)).answers[0].ttl == 0


OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 11,
        bytes.fromhex("0000 0100 0001 0000 0000 0000"),  # a question is promised
        bytes.fromhex("0000 0100 0000 ffff 0000 0000"),  # 65535 records are promised
        bytes.fromhex("0000 0100 0001 0000 0000 0000") + b"\x01a\x00\x00\x01",
        bytes.fromhex("0000 0100 0000 0000 0000 0002") + OPT + OPT,
        bytes.fromhex("0000 0100 0000 0000 0000 0001") + b"\x01a" + OPT,
        bytes.fromhex("0000 0100 0000 0000 0000 0001") + OPT[:-2] + b"\x00\x03\x00\x0a\x00",
        bytes.fromhex("0000 0100 0000 0000 0000 0001") + OPT[:-2] + b"\x00\x05\x00\x0a\x00\x09a",
        bytes.fromhex("0000 8100 0000 0001 0000 0000")
        + b"\x00\x00\x01\x00\x01"
        + b"\0" * 4
        + b"\x00\x09",
    ],
)
def test_a_malformed_message_is_the_peers_fault(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode(raw)


def test_what_follows_the_last_record_is_ignored() -> None:
    assert decode(encode(QUERY) + b"garbage") == QUERY


def test_a_record_of_more_than_65535_bytes_cannot_be_written() -> None:
    record = Record("a", 99, 0, Opaque(b"x" * 65536))
    with pytest.raises(WireError, match="65535"):
        encode(Message(answers=(record,)))


def test_rcodes_have_names() -> None:
    assert rcode_name(3) == "NXDOMAIN"
    assert rcode_name(9) == "RCODE9"
