"""Queries passed on to other servers, over real sockets."""

import socket
from random import Random
from typing import Any

import pytest

from cluster.dns import forward
from cluster.dns.forward import Forwarder
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, Rcode, decode, encode

QUERY = encode(Message(id=77, recursion_desired=True, questions=(Question("example.com", 1),)))


def nobody() -> SocketAddress:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return SocketAddress(*taken.getsockname())


def known(query: Message) -> Message:
    return query.reply()


@pytest.mark.parametrize("udp", [True, False])
async def test_the_protocol_follows_the_clients(upstream: Any, udp: bool) -> None:
    """D-114."""
    server = await upstream(known)
    forwarder = Forwarder([server.address], Random(1))
    assert decode(await forwarder.forward(QUERY, udp=udp)).id == 77
    assert server.asked == [("udp" if udp else "tcp", "example.com A")]


async def test_the_answers_rcode_is_passed_on_as_it_is(upstream: Any) -> None:
    """D-119: no other server is asked after NXDOMAIN."""
    first = await upstream(lambda query: query.reply(Rcode.NXDOMAIN))
    second = await upstream(known)
    forwarder = Forwarder([first.address, second.address], Random(1))
    codes = {decode(await forwarder.forward(QUERY, udp=True)).rcode for _ in range(20)}
    assert codes == {Rcode.NXDOMAIN, Rcode.NOERROR}
    assert len(first.asked) + len(second.asked) == 20


@pytest.mark.parametrize("udp", [True, False])
async def test_a_server_that_is_gone_is_followed_by_the_next(upstream: Any, udp: bool) -> None:
    """D-113, D-116."""
    server = await upstream(known)
    forwarder = Forwarder([nobody(), server.address], Random(1))
    for _ in range(5):
        assert decode(await forwarder.forward(QUERY, udp=udp)).rcode == Rcode.NOERROR


@pytest.mark.parametrize("udp", [True, False])
async def test_when_nobody_answers_it_is_a_failure(udp: bool) -> None:
    """D-117."""
    answer = decode(await Forwarder([nobody()], Random(1)).forward(QUERY, udp=udp))
    assert (answer.id, answer.rcode) == (77, Rcode.SERVFAIL)


async def test_silence_ends_at_its_time(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-117."""
    monkeypatch.setattr(forward, "READ_SECONDS", 0.02)
    server = await upstream(lambda query: None)
    forwarder = Forwarder([server.address], Random(1))
    assert decode(await forwarder.forward(QUERY, udp=True)).rcode == Rcode.SERVFAIL
    assert decode(await forwarder.forward(QUERY, udp=False)).rcode == Rcode.SERVFAIL
    assert len(server.asked) == 2


async def test_too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-118."""
    monkeypatch.setattr(forward, "CONCURRENT_MAX", 0)
    forwarder = Forwarder([nobody()], Random(1))
    assert decode(await forwarder.forward(QUERY, udp=True)).rcode == Rcode.REFUSED
    assert forwarder.rejected == 1


@pytest.mark.parametrize("count", [0, 16])
def test_there_are_one_to_fifteen_upstreams(count: int) -> None:
    """D-113."""
    with pytest.raises(ValueError, match="15"):
        Forwarder([SocketAddress("192.0.2.1", 53)] * count, Random(1))
