"""A node port asks once for each client, and replies by the socket that it has."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.datagram_flow import Out, Payloads, Way
from node_agent.proxy.datagram_port import DatagramPort

HERE = "127.0.0.1"


class OneWay:
    """A way that lives until it is told otherwise."""

    def __init__(self, reply: Out) -> None:
        self.live = True
        self.reply = reply

    def send(self, payloads: Payloads, **_: Any) -> bool:
        if self.live:
            self.reply([b"way " + each for each in payloads], True)
        return self.live


class Field:
    def __init__(self, port: int, manual_clock: Any) -> None:
        self.asked: list[tuple[Origin, Flow]] = []
        self.ways: list[OneWay] = []
        self.gives_ways = True
        address = SocketAddress(HERE, port)
        self.port = DatagramPort(address, self._entering, self._take, manual_clock)

    def _entering(self, peer: SocketAddress) -> tuple[Origin, Flow]:
        origin = Origin(OriginKind.OUTSIDE, f"client {peer.port}")
        return origin, Flow(Protocol.UDP, peer, SocketAddress("172.30.0.1", 30053))

    def _take(
        self, origin: Origin, flow: Flow, payloads: Payloads, reply: Out, _: FlowKind
    ) -> Way | None:
        self.asked.append((origin, flow))
        reply([b"asked " + each for each in payloads], True)
        if not self.gives_ways:
            return None
        self.ways.append(OneWay(reply))
        return cast(Way, self.ways[-1])


@pytest.fixture
def number() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HERE, 0))
        return int(sock.getsockname()[1])


@pytest.fixture
async def field(number: int, manual_clock: Any) -> AsyncIterator[Field]:
    made = Field(number, manual_clock)
    made.port.open()
    yield made
    made.port.close()


@pytest.fixture
async def client(number: int) -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((HERE, number))
        yield sock


async def answer(client: socket.socket, data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    client.send(data)
    return await asyncio.wait_for(loop.sock_recv(client, 100), 10)


async def test_the_first_datagram_asks_the_others_take_the_way(
    field: Field, client: socket.socket
) -> None:
    assert await answer(client, b"one") == b"asked one"
    for word in (b"two", b"three"):
        assert await answer(client, word) == b"way " + word
    ((origin, flow),) = field.asked
    assert origin.name == f"client {client.getsockname()[1]}"
    assert flow.source == client.getsockname()


async def test_a_way_that_ended_is_asked_for_again(field: Field, client: socket.socket) -> None:
    await answer(client, b"one")
    field.ways[0].live = False
    assert await answer(client, b"two") == b"asked two"
    assert await answer(client, b"three") == b"way three"
    assert len(field.asked) == 2


async def test_a_flow_that_goes_nowhere_is_asked_for_each_time(
    field: Field, client: socket.socket
) -> None:
    field.gives_ways = False
    for word in (b"one", b"two"):
        assert await answer(client, word) == b"asked " + word
    assert len(field.asked) == 2


async def test_a_closed_port_refuses_and_sends_nothing_and_may_open_again(
    field: Field, client: socket.socket
) -> None:
    """S-85."""
    await answer(client, b"one")
    field.port.close()
    field.ways[0].reply([b"too late"], True)
    with pytest.raises(ConnectionRefusedError):
        await answer(client, b"two")
    field.port.open()
    field.port.open()
    assert await answer(client, b"three") == b"way three"


async def test_a_port_that_somebody_has_is_an_error(
    field: Field, number: int, manual_clock: Any
) -> None:
    with pytest.raises(OSError, match="in use"):
        Field(number, manual_clock).port.open()


async def test_what_its_sockets_lost_stays_counted(field: Field, client: socket.socket) -> None:
    await answer(client, b"one")
    assert field.port.lost == 0
    field.ways[0].reply([bytes(65508)], True)  # more than a datagram carries
    await asyncio.sleep(0)
    assert field.port.lost == 1
    field.port.close()
    field.port.open()
    assert field.port.lost == 1
