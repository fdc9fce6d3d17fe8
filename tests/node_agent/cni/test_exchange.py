"""One DNS question and its answer over a pod's network."""

import asyncio
from typing import Any

import pytest

from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, RRType, decode, encode
from cluster.wire.flow import FlowKind
from node_agent.cni.exchange import PodExchange

SERVER = SocketAddress("10.96.0.10", 53)
QUERY = encode(Message(id=4711, questions=(Question("cart", RRType.A),)))


@pytest.fixture
async def exchange(fabric: Any) -> PodExchange:
    return PodExchange(fabric.pod("client", "10.244.1.9"))


async def test_by_datagram_only_the_answer_to_this_question_counts(
    fabric: Any, dns: Any, exchange: PodExchange
) -> None:
    """The server sends something else first; the socket is given back."""
    dns.addresses["cart"] = ["10.96.0.20"]
    answer = decode(await exchange.udp(SERVER, QUERY))
    assert answer.id == 4711 and str(answer.answers[0].data) == "10.96.0.20"
    assert fabric.pods["10.244.1.9"].listening() == frozenset()


async def test_by_tcp_the_query_is_a_flow_of_dns(
    fabric: Any, dns: Any, exchange: PodExchange
) -> None:
    """D-95; DNS has a ring of its own in the traces."""
    dns.addresses["cart"] = ["10.96.0.20"]
    answer = decode(await exchange.tcp(SERVER, QUERY))
    assert answer.id == 4711 and dns.asked == ["tcp cart A"]
    assert [kind for _, _, kind in fabric.connections] == [FlowKind.DNS]


async def test_an_answer_in_pieces_is_put_together(dns: Any, exchange: PodExchange) -> None:
    """D-95: up to 65535 bytes, in as many segments as they take."""
    dns.addresses["cart"] = [f"10.96.{n // 250}.{n % 250 + 1}" for n in range(3500)]
    answer = decode(await exchange.tcp(SERVER, QUERY))
    assert len(answer.answers) == 3500


async def test_a_server_that_closes_in_mid_answer_is_a_reset(
    dns: Any, exchange: PodExchange
) -> None:
    dns.raw = lambda answer: len(answer).to_bytes(2, "big") + answer[:-3]
    with pytest.raises(ConnectionResetError, match="mid-answer"):
        await exchange.tcp(SERVER, QUERY)


async def test_nobody_at_the_address_is_refused_either_way(exchange: PodExchange) -> None:
    with pytest.raises(ConnectionRefusedError):
        await exchange.udp(SERVER, QUERY)
    with pytest.raises(ConnectionRefusedError):
        await exchange.tcp(SERVER, QUERY)


async def test_giving_up_gives_the_socket_back(
    fabric: Any, dns: Any, exchange: PodExchange
) -> None:
    dns.silent = True
    asking = asyncio.create_task(exchange.udp(SERVER, QUERY))
    await fabric.until(lambda: dns.asked)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert fabric.pods["10.244.1.9"].listening() == frozenset()
