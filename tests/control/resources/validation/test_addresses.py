"""Addresses and ranges: what is one, and what can be somebody's."""

import pytest

from control.resources.validation.addresses import cidr_faults, endpoint_ip_faults, ip_faults


def test_what_is_fine() -> None:
    for ip in ("10.0.0.1", "0.0.0.0", "fd00::1", "::1"):
        assert ip_faults(ip) == []
    for cidr in ("10.0.0.0/8", "10.0.0.1/8", "fd00::/64"):
        assert cidr_faults(cidr) == []


@pytest.mark.parametrize("value", ["", "10.0.0", "10.0.0.256", "localhost", "fe80::1%eth0"])
def test_what_is_no_address(value: str) -> None:
    assert ip_faults(value) == ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]


@pytest.mark.parametrize("value", ["", "10.0.0.0/33", "10.0.0.1", "x/8"])
def test_what_is_no_range(value: str) -> None:
    (fault,) = cidr_faults(value)
    assert fault.startswith("must be a valid CIDR value, (e.g. 10.9.8.0/24")


@pytest.mark.parametrize(
    ("ip", "words"),
    [
        ("010.0.0.1", "must not have leading 0s"),
        ("10.0.0.007", "must not have leading 0s"),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
    ],
)
def test_an_address_that_some_read_otherwise_is_refused(ip: str, words: str) -> None:
    """S-167: 1.37 refuses what earlier versions warned of."""
    assert ip_faults(ip) == endpoint_ip_faults(ip) == [words]


@pytest.mark.parametrize(
    ("ip", "words"),
    [
        ("0.0.0.0", "may not be unspecified (0.0.0.0)"),
        ("::", "may not be unspecified (::)"),
        ("127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("127.255.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("fe80::1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
        ("ff02::1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ],
)
def test_an_address_that_is_the_same_for_everybody_is_nobodys(ip: str, words: str) -> None:
    """S-97, S-146."""
    assert ip_faults(ip) == []
    assert endpoint_ip_faults(ip) == [words]


@pytest.mark.parametrize("ip", ["10.244.1.2", "203.0.113.9", "fd00::1", "239.1.1.1", "ff05::1"])
def test_others_can_be(ip: str) -> None:
    """S-97: groups beyond one link too."""
    assert endpoint_ip_faults(ip) == []
