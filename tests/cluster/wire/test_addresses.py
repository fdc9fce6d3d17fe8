"""Addresses as text and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.wire.addresses import Cidr, Protocol, SocketAddress, ip_number


def test_protocols_are_spelled_as_the_api_does():
    assert [str(each) for each in Protocol] == ["TCP", "UDP", "SCTP"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.244.1.5:80", ("10.244.1.5", 80)),
        ("10.244.1.5:0", ("10.244.1.5", 0)),
        ("10.244.1.5:65535", ("10.244.1.5", 65535)),
        ("[fd00::1]:80", ("fd00::1", 80)),
        ("[FD00:0::1]:80", ("fd00::1", 80)),  # canonical text
    ],
)
def test_an_address_and_a_port_are_read(text: str, address: tuple[str, int]):
    assert SocketAddress.parse(text) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.244.1.5", "is not ADDRESS:PORT"),
        ("fd00::1", "is not ADDRESS:PORT"),
        ("10.244.1.5:65536", "the port must be a number from 0 to 65535"),
        ("10.244.1.5:-1", "the port must be a number"),
        ("10.244.1.5:http", "the port must be a number"),
        ("10.244.1.5:", "the port must be a number"),
        ("frontend:80", "does not appear to be an IPv4 or IPv6 address"),
        (":80", "does not appear to be an IPv4 or IPv6 address"),
        ("10.244.1.05:80", "does not appear to be an IPv4 or IPv6 address|Leading zeros"),
    ],
)
def test_what_is_no_address_and_port_is_told(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        SocketAddress.parse(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", ("10.0.0.1", 53)),
        ("10.0.0.1:80", ("10.0.0.1", 80)),
        ("fd00::1", ("fd00::1", 53)),
    ],
)
def test_a_port_may_be_left_to_a_default(text: str, address: tuple[str, int]):
    assert SocketAddress.parse(text, default_port=53) == address


addresses = st.builds(
    SocketAddress, st.ip_addresses().map(str), st.integers(min_value=0, max_value=65535)
)


@given(addresses)
def test_an_address_is_read_back_from_its_text(address: SocketAddress):
    assert SocketAddress.parse(str(address)) == address


def test_an_address_is_the_tuple_that_sockets_use():
    assert SocketAddress("127.0.0.1", 80) == ("127.0.0.1", 80)
    assert str(SocketAddress("fd00::1", 80)) == "[fd00::1]:80"


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_numbers_order_as_addresses_do(one, other):
    assert (ip_number(str(one)) < ip_number(str(other))) == (one < other)


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_families_never_meet(four, six):
    assert ip_number(str(four)) < 1 << 32 < ip_number(str(six))


@pytest.mark.parametrize("text", ["10.0.0", "10.0.0.256", "a.b.c.d", "", "fd00::g", "10.0.0.1.2"])
def test_what_is_no_address_has_no_number(text: str):
    with pytest.raises(ValueError, match=r"."):
        ip_number(text)


@pytest.mark.parametrize(
    ("cidr", "ip", "inside"),
    [
        ("10.244.0.0/16", "10.244.0.0", True),
        ("10.244.0.0/16", "10.244.255.255", True),
        ("10.244.0.0/16", "10.245.0.0", False),
        ("10.244.0.0/16", "10.243.255.255", False),
        ("10.244.1.5/24", "10.244.1.200", True),  # host bits may be set
        ("10.244.1.5/32", "10.244.1.5", True),
        ("10.244.1.5/32", "10.244.1.4", False),
        ("0.0.0.0/0", "203.0.113.1", True),
        ("0.0.0.0/0", "fd00::1", False),
        ("::/0", "fd00::1", True),
        ("::/0", "203.0.113.1", False),
        ("fd00::/64", "fd00::ffff:1", True),
    ],
)
def test_an_address_is_in_a_range_or_not(cidr: str, ip: str, inside: bool):
    assert (ip in Cidr.parse(cidr)) is inside


def test_what_is_no_text_is_in_no_range():
    assert 5 not in Cidr.parse("0.0.0.0/0")


def test_a_range_keeps_the_text_it_was_given():
    assert Cidr.parse("10.244.1.5/24").text == "10.244.1.5/24"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.0/x", "frontend", ""])
def test_what_is_no_range_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        Cidr.parse(text)


@given(st.ip_addresses(v=4), st.integers(min_value=0, max_value=32))
def test_a_range_holds_the_address_it_was_made_from(ip, bits: int):
    assert str(ip) in Cidr.parse(f"{ip}/{bits}")
