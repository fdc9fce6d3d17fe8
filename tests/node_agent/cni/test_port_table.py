"""A pod's port space: shared by its containers, with Linux's errors."""

import errno

import pytest

from cluster.wire.addresses import Protocol
from node_agent.cni.port_table import EPHEMERAL_FIRST, EPHEMERAL_LAST, PortTable

POD = "10.244.1.5"
TCP, UDP = Protocol.TCP, Protocol.UDP


def table_with(*bound: tuple[Protocol, str, int]) -> PortTable[str]:
    table: PortTable[str] = PortTable(POD)
    for protocol, address, port in bound:
        table.bind(protocol, address, port, f"{address}:{port}")
    return table


def test_two_containers_bind_different_ports_of_one_address() -> None:
    """P-5: one port space, the guide's 90 and 95."""
    table = table_with((TCP, "0.0.0.0", 90), (TCP, "0.0.0.0", 95))
    assert table.find(TCP, POD, 90) == "0.0.0.0:90"
    assert table.find(TCP, "127.0.0.1", 95) == "0.0.0.0:95"


@pytest.mark.parametrize("first", ["0.0.0.0", POD, "127.0.0.1"])
def test_the_second_bind_of_a_port_fails_with_address_in_use(first: str) -> None:
    """P-6."""
    table = table_with((TCP, first, 8080))
    with pytest.raises(OSError) as caught:
        table.bind(TCP, "0.0.0.0", 8080, "second")
    assert caught.value.errno == errno.EADDRINUSE
    assert "8080" in str(caught.value)


def test_a_failed_bind_leaves_the_first_in_place() -> None:
    """P-6: only the second fails."""
    table = table_with((TCP, "0.0.0.0", 8080))
    with pytest.raises(OSError):
        table.bind(TCP, POD, 8080, "second")
    assert table.find(TCP, POD, 8080) == "0.0.0.0:8080"


def test_loopback_and_the_pods_address_hold_one_port_apart() -> None:
    table = table_with((TCP, "127.0.0.1", 80), (TCP, POD, 80))
    assert table.find(TCP, "127.0.0.1", 80) == "127.0.0.1:80"
    assert table.find(TCP, POD, 80) == f"{POD}:80"


def test_a_server_on_localhost_is_reached_by_nobody_else() -> None:
    """P-7."""
    table = table_with((TCP, "127.0.0.1", 80))
    assert table.find(TCP, POD, 80) is None
    assert table.find(TCP, "127.0.0.53", 80) == "127.0.0.1:80"


def test_tcp_and_udp_have_ports_of_their_own() -> None:
    table = table_with((TCP, "0.0.0.0", 53), (UDP, "0.0.0.0", 53))
    table.release(TCP, "0.0.0.0", 53)
    assert table.find(TCP, POD, 53) is None
    assert table.find(UDP, POD, 53) is not None


def test_a_released_port_is_free_at_once_and_release_is_idempotent() -> None:
    table = table_with((TCP, "0.0.0.0", 80))
    table.release(TCP, "0.0.0.0", 80)
    table.release(TCP, "0.0.0.0", 80)
    assert table.bind(TCP, POD, 80, "again") == 80


def test_port_zero_takes_an_ephemeral_port_that_nobody_holds() -> None:
    table = table_with((TCP, "0.0.0.0", EPHEMERAL_FIRST))
    assert table.bind(TCP, "0.0.0.0", 0, "any") == EPHEMERAL_FIRST + 1


def test_ephemeral_ports_go_round_and_run_out_with_address_in_use() -> None:
    table: PortTable[str] = PortTable(POD)
    count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1
    assert len({table.bind(UDP, "0.0.0.0", 0, "x") for _ in range(count)}) == count
    with pytest.raises(OSError) as caught:
        table.ephemeral(UDP)
    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (None, "0.0.0.0"),
        ("", "0.0.0.0"),
        ("::", "0.0.0.0"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.1"),
        (POD, POD),
    ],
)
def test_a_host_names_one_of_the_pods_own_addresses(host: str | None, address: str) -> None:
    assert PortTable[str](POD).local_address(host) == address


def test_a_foreign_address_cannot_be_bound() -> None:
    with pytest.raises(OSError) as caught:
        PortTable[str](POD).local_address("10.244.2.9")
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_entries_list_everything_bound() -> None:
    table = table_with((TCP, "0.0.0.0", 80), (UDP, POD, 53))
    assert table.entries() == {("TCP", "0.0.0.0", 80), ("UDP", POD, 53)}
    assert sorted(table) == ["0.0.0.0:80", f"{POD}:53"]


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_outside_its_range_is_an_overflow(port: int) -> None:
    with pytest.raises(OverflowError, match="0-65535"):
        table_with((TCP, "0.0.0.0", port))
