"""Which ports the control plane and the DNS get."""

import socket
from collections.abc import Callable, Iterator

import pytest

from cluster.errors import ConfigError
from cluster.launcher.ports import STREAM, STREAM_AND_DATAGRAM, vacant, vacant_ports

IP = "127.64.253.254"

Take = Callable[..., int]


@pytest.fixture
def take() -> Iterator[Take]:
    """Hold a port; which."""
    held: list[socket.socket] = []

    def take(kind: socket.SocketKind = socket.SOCK_STREAM, ip: str = IP) -> int:
        sock = socket.socket(socket.AF_INET, kind)
        held.append(sock)
        sock.bind((ip, 0))
        if kind is socket.SOCK_STREAM:
            sock.listen()
        return int(sock.getsockname()[1])

    yield take
    for sock in held:
        sock.close()


@pytest.fixture
def free() -> int:
    with socket.socket() as sock:
        sock.bind((IP, 0))
        return int(sock.getsockname()[1])


def test_the_usual_port_comes_first(free: int, take: Take):
    assert vacant(IP, (free, take()), STREAM) == free


def test_a_port_that_somebody_has_on_this_address_is_passed_over(free: int, take: Take):
    assert vacant(IP, (take(), free), STREAM) == free


def test_a_port_that_somebody_has_on_every_address_is_passed_over(free: int, take: Take):
    assert vacant(IP, (take(ip="0.0.0.0"), free), STREAM) == free


def test_a_port_is_taken_also_where_only_its_datagrams_are(free: int, take: Take):
    taken = take(socket.SOCK_DGRAM)
    assert vacant(IP, (taken, free), STREAM_AND_DATAGRAM) == free
    assert vacant(IP, (taken, free), STREAM) == taken


def test_where_none_is_free_each_is_named_with_its_reason(take: Take):
    first, second = take(), take()
    with pytest.raises(ConfigError, match=rf"{first}: Address already in use; {second}: Address"):
        vacant(IP, (first, second), STREAM)


def test_api_and_dns_have_their_own_ports_and_others_where_somebody_has_those():
    api_port, dns_port = vacant_ports(IP)
    with socket.socket() as api, socket.socket() as dns:
        for sock, port in ((api, api_port), (dns, dns_port)):
            sock.bind((IP, port))
            sock.listen()
        moved = vacant_ports(IP)
    assert moved == (api_port + 10_000, dns_port + 10_000)
