"""Who a client is inside the emulated world, by the address it dials from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.wire.clients import (
    NODES_MAX,
    OutsideClients,
    emulated_address,
    node_of,
    real_address,
)

CLIENTS = OutsideClients.parse()


@pytest.mark.parametrize(
    ("real", "emulated"),
    [
        ("127.66.0.7", "203.0.113.7"),
        ("127.66.0.255", "203.0.113.255"),
        ("127.0.0.1", "203.0.113.1"),
        ("127.64.0.2", "172.30.0.2"),
        ("127.64.9.2", "172.30.0.2"),
        ("127.64.0.254", "172.30.255.254"),
        ("127.67.9.2", "172.30.1.2"),
        ("127.66.9.2", "127.66.9.2"),
        ("127.64.0.0", "127.64.0.0"),
        ("127.66.1.7", "127.66.1.7"),
        ("192.168.1.20", "192.168.1.20"),
        ("fd00::1", "fd00::1"),
    ],
)
def test_a_real_address_stands_for_an_emulated_one(real: str, emulated: str) -> None:
    assert CLIENTS.client_of(real) == emulated


@given(st.integers(0, 255))
def test_every_outside_client_has_an_address_to_dial_from(number: int) -> None:
    source = CLIENTS.source_of(f"203.0.113.{number}")
    assert source == f"127.66.0.{number}"
    assert CLIENTS.client_of(source) == f"203.0.113.{number}"


def test_only_outside_clients_have_one() -> None:
    assert CLIENTS.source_of("198.51.100.1") is None


def test_a_node_is_known_by_its_real_address() -> None:
    assert node_of("127.64.3.17") == "172.30.0.17"
    assert node_of("127.65.0.1") is None


def test_another_range_may_stand_for_the_outside() -> None:
    clients = OutsideClients.parse("172.18.0.0/16=198.18.0.0/16")
    assert clients.client_of("172.18.3.4") == "198.18.3.4"
    assert clients.client_of("127.0.0.1") == "198.18.0.1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("127.66.0.0/24", "is not REAL-CIDR=EMULATED-CIDR"),
        ("127.66.0.0/16=203.0.113.0/24", "65536 real for 256 emulated"),
        ("127.66.0.0/24=nowhere", "nowhere"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OutsideClients.parse(text)


@pytest.mark.parametrize(
    ("number", "real", "emulated"),
    [
        (1, "127.64.7.1", "172.30.0.1"),
        (250, "127.64.7.250", "172.30.0.250"),
        (251, "127.67.7.1", "172.30.1.1"),
        (NODES_MAX, "127.67.7.250", "172.30.1.250"),
    ],
)
def test_every_node_has_addresses_that_stand_for_each_other(
    number: int, real: str, emulated: str
) -> None:
    assert (real_address(7, number), emulated_address(number)) == (real, emulated)
    assert node_of(real) == emulated
