"""Datagrams between processes: what goes in comes out, and nothing else does."""

from dataclasses import replace
from hashlib import blake2s

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.datagrams import (
    DATAGRAM_BYTES_MAX,
    Datagram,
    by_head,
    decode,
    encode,
    head_of,
    payload_bytes_max,
    read_head,
)
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind

KEY = bytes(range(32))

ipv4 = st.ip_addresses(v=4).map(str)
ipv6 = st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None).map(str)
names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60)


def flows(ips: st.SearchStrategy[str]) -> st.SearchStrategy[Flow]:
    addresses = st.builds(SocketAddress, ips, st.integers(0, 65535))
    return st.builds(Flow, st.just(Protocol.UDP), addresses, addresses)


def contexts(ips: st.SearchStrategy[str]) -> st.SearchStrategy[FlowContext]:
    return st.builds(
        FlowContext,
        flow_id=st.integers(0, 2**64 - 1).map("{:016x}".format),
        flow=flows(ips),
        original=flows(ips),
        origin=st.builds(Origin, st.sampled_from(OriginKind), names, names),
        kind=st.sampled_from(FlowKind),
        entry=st.sampled_from(Entry),
        hops=st.integers(0, 255),
        sender=names,
    )


datagrams = st.builds(
    Datagram,
    contexts(ipv4) | contexts(ipv6) | contexts(ipv4 | ipv6),
    st.binary(max_size=600),
    st.booleans(),
    st.booleans(),
)

FLOW = Flow(Protocol.UDP, SocketAddress("10.244.1.5", 5353), SocketAddress("10.96.0.10", 53))
CONTEXT = FlowContext(
    flow_id="0123456789abcdef",
    flow=FLOW.to(SocketAddress("10.244.2.3", 10053)),
    original=FLOW,
    origin=Origin(OriginKind.POD, "shop/cart", "node-1"),
    kind=FlowKind.DNS,
    hops=3,
    sender="node-1",
)


def resealed(data: bytes, head_bytes: int) -> bytes:
    """The same bytes with a good MAC."""
    mac = blake2s(data[:4] + data[12:head_bytes], key=KEY, digest_size=8).digest()
    return data[:4] + mac + data[12:]


@given(datagrams)
def test_a_datagram_comes_out_as_it_went_in(datagram: Datagram) -> None:
    assert decode(encode(datagram, KEY), KEY) == datagram


@given(datagrams, st.data())
def test_any_flipped_bit_of_a_head_is_refused(datagram: Datagram, data: st.DataObject) -> None:
    altered = bytearray(encode(datagram, KEY))
    head_bytes = len(altered) - len(datagram.payload)
    place = data.draw(st.integers(0, head_bytes * 8 - 1))
    altered[place // 8] ^= 1 << place % 8
    with pytest.raises(WireError):
        decode(bytes(altered), KEY)


@given(datagrams, st.data())
def test_a_head_cut_short_is_refused(datagram: Datagram, data: st.DataObject) -> None:
    encoded = encode(datagram, KEY)
    head_bytes = len(encoded) - len(datagram.payload)
    with pytest.raises(WireError):
        decode(encoded[: data.draw(st.integers(0, head_bytes - 1))], KEY)


@given(datagrams, st.binary(max_size=40))
def test_a_head_is_the_same_before_every_payload(datagram: Datagram, payload: bytes) -> None:
    head = head_of(datagram.context, KEY, reply=datagram.reply, refused=datagram.refused)
    assert encode(datagram, KEY) == head + datagram.payload
    assert encode(replace(datagram, payload=payload), KEY) == head + payload
    assert read_head(head, KEY).bytes == len(head)


@given(st.lists(datagrams, max_size=4, unique_by=lambda each: each.context.flow_id), st.data())
def test_payloads_are_found_by_their_heads_in_order(
    flows: list[Datagram], data: st.DataObject
) -> None:
    came = data.draw(st.lists(st.sampled_from(flows or [Datagram(CONTEXT)]), max_size=30))
    numbered = [replace(each, payload=b"%d" % number) for number, each in enumerate(came)]
    expected: dict[bytes, list[bytes]] = {}
    for each in numbered:
        head = encode(replace(each, payload=b""), KEY)
        expected.setdefault(head, []).append(each.payload)
    assert by_head([encode(each, KEY) for each in numbered]) == expected


@given(st.lists(st.binary(max_size=200)))
def test_garbage_is_found_whole_under_heads_that_nobody_wrote(garbage: list[bytes]) -> None:
    found = by_head(garbage)
    assert sorted(head + each for head, payloads in found.items() for each in payloads) == sorted(
        garbage
    )
    for head, payloads in found.items():
        with pytest.raises(WireError):
            read_head(head + payloads[0], KEY)


@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(WireError):
        decode(garbage, KEY)
    with pytest.raises(WireError):
        decode(b"KD\x02\x00" + garbage, KEY)


def test_another_clusters_key_opens_nothing() -> None:
    with pytest.raises(WireError, match="another cluster"):
        decode(encode(Datagram(CONTEXT, b"query"), KEY), bytes(32))


def test_a_payload_is_bounded_by_what_udp_carries() -> None:
    longest = payload_bytes_max(CONTEXT)
    encoded = encode(Datagram(CONTEXT, bytes(longest)), KEY)
    assert len(encoded) == DATAGRAM_BYTES_MAX
    assert decode(encoded, KEY).payload == bytes(longest)
    with pytest.raises(WireError, match=f"limit of this flow is {longest}"):
        encode(Datagram(CONTEXT, bytes(longest + 1)), KEY)


def test_an_ipv4_flow_costs_few_bytes() -> None:
    assert DATAGRAM_BYTES_MAX - payload_bytes_max(CONTEXT) < 80


def test_names_too_long_for_a_head_are_not_written() -> None:
    with pytest.raises(WireError, match="1024"):
        encode(Datagram(replace(CONTEXT, sender="x" * 1025)), KEY)
    with pytest.raises(WireError, match="256 hops"):
        encode(Datagram(replace(CONTEXT, hops=256)), KEY)


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (0, b"XX", "magic"),
        (2, b"\x01", "version 1"),
        (3, b"\x10", "flags 0x10"),
        (21, b"\x09", "origin 9"),
        (22, b"\x09", "kind 9"),
        (23, b"\xff\xff", "names have 65535 bytes"),
        (49, b"\xff", "UTF-8"),
        (49 + len("shop/cart"), b".", "2 names"),
    ],
)
def test_an_authentic_datagram_with_a_wrong_field_is_refused(
    place: int, value: bytes, complaint: str
) -> None:
    encoded = encode(Datagram(CONTEXT, b""), KEY)
    altered = encoded[:place] + value + encoded[place + len(value) :]
    with pytest.raises(WireError, match=complaint):
        decode(resealed(altered, len(altered)) + b"query", KEY)


def test_a_datagram_without_names_is_refused() -> None:
    encoded = encode(Datagram(CONTEXT), KEY)
    with pytest.raises(WireError, match="1 names"):
        decode(resealed(encoded[:23] + b"\0\0" + encoded[25:49], 49), KEY)
