"""Addresses as programs write them."""

from typing import Any

import pytest

from cluster.wire.addresses import SocketAddress
from node_agent.cni.numeric import loopback, numeric, reached


@pytest.mark.parametrize("host", ["10.244.1.5", "127.0.0.1", "0.0.0.0", "::1", "fd00::5"])
def test_addresses_of_both_families_are_numeric(host: str) -> None:
    assert numeric(host)


@pytest.mark.parametrize("host", ["web", "10.244.1", "", "1.2.3.4.", None, b"web", 7, "1.2.3.4:5"])
def test_names_and_what_is_no_text_are_not(host: Any) -> None:
    assert not numeric(host)


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "", "::1"])
def test_a_wildcard_and_six_ones_are_this_host(ip: str) -> None:
    assert reached(ip, 80) == SocketAddress("127.0.0.1", 80)


def test_any_other_address_is_itself() -> None:
    assert reached("10.244.1.5", 80) == SocketAddress("10.244.1.5", 80)
    assert loopback("127.0.0.53") and not loopback("10.127.0.1")


@pytest.mark.parametrize("ip", ["127.64.0.2", "127.65.0.1", "127.127.255.255"])
def test_real_addresses_of_nodes_and_load_balancers_are_not_the_pods_own(ip: str) -> None:
    assert not loopback(ip)
    assert loopback("127.63.255.255") and loopback("127.128.0.0")
