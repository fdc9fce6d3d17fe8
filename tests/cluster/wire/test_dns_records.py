"""The data of resource records."""

import pytest

from cluster.errors import WireError
from cluster.wire.dns_names import NameWriter
from cluster.wire.dns_records import (
    Address,
    Data,
    Opaque,
    Record,
    RRType,
    Soa,
    Srv,
    Target,
    Text,
    decode_data,
    encode_data,
    type_name,
)

SOA = Soa(
    mname="ns.dns.z",
    rname="hostmaster.z",
    serial=7,
    refresh=7200,
    retry=1800,
    expire=86400,
    minimum=30,
)


def encoded(data: Data) -> bytes:
    out = bytearray()
    encode_data(data, out, NameWriter(out))
    return bytes(out)


@pytest.mark.parametrize(
    ("type_", "data", "raw"),
    [
        (RRType.A, Address("10.96.0.20"), bytes([10, 96, 0, 20])),
        (RRType.AAAA, Address("fd00::5"), b"\xfd" + bytes(14) + b"\x05"),
        (RRType.CNAME, Target("a.z"), b"\x01a\x01z\x00"),
        (RRType.NS, Target("a.z"), b"\x01a\x01z\x00"),
        (RRType.PTR, Target("a.z"), b"\x01a\x01z\x00"),
        (RRType.SRV, Srv(0, 50, 8080, "a.z"), b"\x00\x00\x00\x32\x1f\x90\x01a\x01z\x00"),
        (RRType.TXT, Text((b"1.1.0", b"")), b"\x051.1.0\x00"),
        (RRType.MX, Opaque(b"\x00\x0a\x00"), b"\x00\x0a\x00"),
    ],
)
def test_each_type_has_its_format(type_: int, data: Data, raw: bytes) -> None:
    assert encoded(data) == raw
    assert decode_data(type_, raw, 0, len(raw)) == data


def test_soa_holds_two_names_and_five_numbers() -> None:
    raw = encoded(SOA)
    assert raw.endswith(bytes.fromhex("00000007 00001c20 00000708 00015180 0000001e"))
    assert decode_data(RRType.SOA, raw, 0, len(raw)) == SOA


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        (RRType.A, b"\x0a\x60\x00"),
        (RRType.A, bytes(16)),
        (RRType.AAAA, bytes(4)),
        (RRType.SRV, b"\x00\x00\x00\x32"),
        (RRType.SRV, b"\x00\x00\x00\x32\x1f\x90\x00extra"),
        (RRType.SOA, b"\x00\x00\x00\x00\x00\x01"),
        (RRType.TXT, b"\x05abc"),
        (RRType.CNAME, b"\x00\x00"),
        (RRType.PTR, b"\x05a"),
    ],
)
def test_data_that_breaks_its_format_is_the_peers_fault(type_: int, raw: bytes) -> None:
    with pytest.raises(WireError):
        decode_data(type_, raw, 0, len(raw))


def test_a_txt_string_has_255_bytes_at_most() -> None:
    assert len(encoded(Text((b"x" * 255,)))) == 256
    with pytest.raises(WireError, match="255"):
        encoded(Text((b"x" * 256,)))


def test_records_read_as_in_a_zone_file() -> None:
    assert str(Record("web.z", RRType.A, 30, Address("10.96.0.20"))) == (
        "web.z. 30 IN A 10.96.0.20"
    )
    assert str(Srv(0, 50, 8080, "a.z")) == "0 50 8080 a.z"
    assert str(SOA) == "ns.dns.z hostmaster.z 7 7200 1800 86400 30"
    assert str(Text((b"1.1.0",))) == '"1.1.0"'
    assert str(Opaque(b"\x01\x02")) == "\\# 2 0102"
    assert type_name(28) == "AAAA"
    assert type_name(999) == "TYPE999"


def test_types_have_the_numbers_that_the_world_uses() -> None:
    assert {each.name: each.value for each in RRType} == {
        "A": 1,
        "NS": 2,
        "CNAME": 5,
        "SOA": 6,
        "PTR": 12,
        "MX": 15,
        "TXT": 16,
        "AAAA": 28,
        "SRV": 33,
        "OPT": 41,
        "SVCB": 64,
        "HTTPS": 65,
        "IXFR": 251,
        "AXFR": 252,
        "ANY": 255,
        "CAA": 257,
    }


def test_the_target_of_srv_is_never_compressed_others_are() -> None:
    out = bytearray()
    names = NameWriter(out)
    names.write("a.z")
    before = len(out)
    encode_data(Target("a.z"), out, names)
    assert len(out) - before == 2
    encode_data(Srv(0, 1, 2, "a.z"), out, names)
    assert out.endswith(b"\x00\x00\x00\x01\x00\x02\x01a\x01z\x00")


def test_what_is_cut_off_is_told_with_its_size() -> None:
    for type_, raw, message in (
        (RRType.A, b"\x0a\x60\x00", "an IPv4 address of 3 bytes"),
        (RRType.SOA, b"\x00\x00" + bytes(19), "SOA data of 21 bytes is cut off"),
        (RRType.TXT, b"\x03ab", "a TXT string of 3 bytes runs past its record"),
    ):
        with pytest.raises(WireError, match=message):
            decode_data(type_, b"xx" + raw + b"yyyyyyyy", 2, 2 + len(raw))
