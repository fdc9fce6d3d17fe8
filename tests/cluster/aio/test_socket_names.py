"""Socket names are what the kernel writes, and stand for the addresses in them."""

import socket

import pytest

from cluster.aio.socket_names import NAME_BYTES, pack_name, pack_peer, read_name
from cluster.wire.addresses import SocketAddress

V4, V6 = SocketAddress("127.0.0.3", 4711), SocketAddress("2001:db8::7", 65535)


@pytest.mark.parametrize("address", [V4, V6, SocketAddress("255.255.255.255", 0)])
def test_a_name_is_read_as_the_address_it_was_made_of(address: SocketAddress) -> None:
    assert read_name(pack_name(address)) == address


def test_a_name_is_as_long_as_the_kernel_writes_it() -> None:
    assert len(pack_name(V4)) == NAME_BYTES[socket.AF_INET]
    assert len(pack_name(V6)) == NAME_BYTES[socket.AF_INET6]


def test_the_same_address_has_the_same_name_and_another_has_another() -> None:
    assert pack_name(V4) == pack_name(SocketAddress(*V4))
    assert pack_name(V4) != pack_name(V4._replace(port=4712))


def test_a_peer_has_the_name_of_its_address() -> None:
    assert pack_peer(tuple(V4)) == pack_name(V4)
    assert pack_peer((*V6, 0, 0)) == pack_name(V6)


def test_the_scope_of_a_link_local_peer_is_in_its_name() -> None:
    """The kernel would not know the link otherwise."""
    name = pack_peer(("fe80::1%lo", 53, 0, 1))
    assert name != pack_peer(("fe80::1%eth0", 53, 0, 2))
    assert read_name(name) == SocketAddress("fe80::1", 53)


def test_an_address_that_is_none_has_no_name() -> None:
    with pytest.raises(OSError):
        pack_name(SocketAddress("a.host", 1))
