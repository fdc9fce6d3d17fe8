"""kube-proxy's sockets: what a client of a node port meets."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.aio.streams import reset
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.datagram_flow import Out, Payloads
from node_agent.proxy import proxier
from node_agent.proxy.node_ports import PortPlan, PortState
from node_agent.proxy.proxier import Proxier, log_failed

BIND, CLIENT = "127.0.0.1", "127.66.0.7"


class Field:
    """A proxier whose router is the test."""

    def __init__(self, clock: Any, until: Callable[..., Any]) -> None:
        self.until = until
        self.streams: asyncio.Queue[tuple[socket.socket, Origin, Flow]] = asyncio.Queue()
        self.datagrams: asyncio.Queue[tuple[Origin, Flow, bytes]] = asyncio.Queue()
        self.failed: list[tuple[PortPlan, OSError]] = []
        self.answer = b""  # else in capitals
        self.clock = clock
        self._clients: list[socket.socket] = []
        self.proxier = Proxier(
            bind=BIND,
            internal_ip="172.30.0.1",
            clients=OutsideClients.parse(),
            take_stream=self._stream,
            take_datagrams=self._datagrams,
            failed=lambda plan, error: self.failed.append((plan, error)),
            clock=clock,
        )

    async def _stream(self, sock: socket.socket, origin: Origin, flow: Flow) -> None:
        self.streams.put_nowait((sock, origin, flow))
        self._clients.append(sock)

    def _datagrams(
        self, origin: Origin, flow: Flow, payloads: Payloads, reply: Out, kind: FlowKind
    ) -> None:
        for data in payloads:
            self.datagrams.put_nowait((origin, flow, data))
        reply([self.answer or data.upper() for data in payloads], True)

    def apply(self, *plans: PortPlan) -> None:
        wanted = {(each.port, each.protocol): each for each in plans}
        self.proxier.apply(dict.fromkeys(self.proxier.states()) | wanted)

    def client(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        sock = socket.socket(socket.AF_INET, kind)
        sock.setblocking(False)
        sock.bind((CLIENT, 0))
        self._clients.append(sock)
        return sock

    async def dial(self, port: int) -> socket.socket:
        sock = self.client()
        await asyncio.get_running_loop().sock_connect(sock, (BIND, port))
        return sock

    async def close(self) -> None:
        await self.proxier.close()
        for sock in self._clients:
            sock.close()


@pytest.fixture
async def field(manual_clock: Any, world: Any) -> AsyncIterator[Field]:
    made = Field(manual_clock, world.until)
    yield made
    await made.close()


@pytest.fixture
def port(node_port: int) -> int:
    return node_port


def plan(
    port: int, state: PortState = PortState.SERVING, protocol: Protocol = Protocol.TCP
) -> PortPlan:
    return PortPlan(port, protocol, state, ("shop", "web"))


async def test_a_client_is_taken_in_under_its_emulated_address(field: Field, port: int) -> None:
    field.apply(plan(port))
    sock = await field.dial(port)
    _, origin, flow = await asyncio.wait_for(field.streams.get(), 10)
    assert origin == Origin(OriginKind.OUTSIDE, "203.0.113.7")
    assert flow.source == SocketAddress("203.0.113.7", sock.getsockname()[1])
    assert flow.destination == SocketAddress("172.30.0.1", port)


async def test_a_closed_port_is_refused_by_the_kernel(field: Field, port: int) -> None:
    """S-85."""
    field.apply(plan(port, PortState.CLOSED))
    with pytest.raises(ConnectionRefusedError):
        await field.dial(port)


async def test_a_silent_port_does_not_even_shake_hands(field: Field, port: int) -> None:
    """S-87."""
    field.apply(plan(port, PortState.SILENT))
    sock = field.client()
    dialing = asyncio.create_task(asyncio.get_running_loop().sock_connect(sock, (BIND, port)))
    done, _ = await asyncio.wait({dialing}, timeout=0.05)
    assert not done
    dialing.cancel()
    field.apply(plan(port))
    await field.dial(port)
    await asyncio.wait_for(field.streams.get(), 10)


async def test_what_does_not_change_is_not_touched_and_what_goes_is_closed(
    field: Field, port: int
) -> None:
    field.apply(plan(port))
    held = field.proxier._open[port, Protocol.TCP].listener
    field.apply(plan(port))
    assert field.proxier._open[port, Protocol.TCP].listener is held
    assert field.proxier.states() == {(port, Protocol.TCP): PortState.SERVING}
    field.apply()
    with pytest.raises(ConnectionRefusedError):
        await field.dial(port)
    assert field.proxier.states() == {}


async def test_datagrams_are_taken_in_and_answered(field: Field, port: int) -> None:
    field.apply(plan(port, protocol=Protocol.UDP), plan(port))
    sock = field.client(socket.SOCK_DGRAM)
    sock.connect((BIND, port))
    sock.send(b"hello")
    origin, flow, data = await asyncio.wait_for(field.datagrams.get(), 10)
    assert (origin.name, flow.protocol, data) == ("203.0.113.7", Protocol.UDP, b"hello")
    assert await asyncio.get_running_loop().sock_recv(sock, 100) == b"HELLO"


async def test_what_node_ports_lost_stays_counted_when_they_are_gone(
    field: Field, port: int
) -> None:
    field.apply(plan(port, protocol=Protocol.UDP))
    field.answer = bytes(65508)  # more than a datagram carries
    sock = field.client(socket.SOCK_DGRAM)
    sock.connect((BIND, port))
    sock.send(b"hello")
    await field.until(lambda: field.proxier.datagrams_lost == 1)
    field.apply()
    assert field.proxier.datagrams_lost == 1


async def test_a_closed_datagram_port_refuses_and_a_silent_one_does_not(
    field: Field, port: int
) -> None:
    """S-85, S-87."""
    loop = asyncio.get_running_loop()
    sock = field.client(socket.SOCK_DGRAM)
    sock.connect((BIND, port))
    field.apply(plan(port, PortState.SILENT, Protocol.UDP))
    sock.send(b"one")
    await asyncio.wait_for(field.datagrams.get(), 10)  # the router says nothing of its own
    field.apply(plan(port, PortState.CLOSED, Protocol.UDP))
    await loop.sock_recv(sock, 100)
    sock.send(b"two")
    with pytest.raises(ConnectionRefusedError):
        await loop.sock_recv(sock, 100)


@pytest.mark.parametrize("protocol", list(Protocol)[:2])
async def test_a_port_that_is_taken_is_told_once_and_tried_again(
    field: Field, port: int, protocol: Protocol
) -> None:
    kind = socket.SOCK_STREAM if protocol is Protocol.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((BIND, port))
        if protocol is Protocol.TCP:
            other.listen()
        field.apply(plan(port, protocol=protocol))
        assert field.proxier.states() == {(port, protocol): PortState.CLOSED}
        retrying = asyncio.create_task(field.proxier.retry_forever())
        await asyncio.sleep(0)
        field.clock.advance(proxier.RETRY_SECONDS)
        await asyncio.sleep(0)
        assert len(field.failed) == 1 and field.failed[0][0].port == port
    await asyncio.sleep(0)
    field.clock.advance(proxier.RETRY_SECONDS)
    await field.until(lambda: field.proxier.states() == {(port, protocol): PortState.SERVING})
    retrying.cancel()


async def test_too_many_clients_are_turned_away(
    field: Field, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxier, "CLIENTS_MAX", 0)
    field.apply(plan(port))
    with pytest.raises(ConnectionResetError):  # while it connects, or just after
        await asyncio.get_running_loop().sock_recv(await field.dial(port), 1)
    assert field.proxier.turned_away == 1


async def test_the_end_of_the_proxier_ends_what_it_carries(field: Field, port: int) -> None:
    async def carry(sock: socket.socket, *_: Any) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            reset(sock)

    field.proxier._take_stream = carry
    field.apply(plan(port))
    sock = await field.dial(port)
    await field.until(lambda: len(field.proxier._carrying))
    await field.proxier.close()
    with pytest.raises(ConnectionResetError):
        await asyncio.get_running_loop().sock_recv(sock, 1)
    field.apply(plan(port))  # the view changes once more
    with pytest.raises(ConnectionRefusedError):
        await field.dial(port)


def test_an_operator_is_told_which_port_of_which_service(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    log_failed(plan(30080), OSError(98, "Address already in use"))
    assert "port=30080/TCP service=shop/web error=Address already in use" in caplog.text
