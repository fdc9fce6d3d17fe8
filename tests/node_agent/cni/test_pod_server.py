"""A pod's listening sockets, and the server object that its program holds."""

import asyncio
import gc
import logging
import socket
import ssl
import weakref
from typing import Any

import pytest

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow
from node_agent.cni.pod_context import SignalTable

WEB, CLIENT = "10.244.1.5", "10.244.1.9"
FLOW = Flow(Protocol.TCP, SocketAddress(CLIENT, 40000), SocketAddress(WEB, 7000))


class Rec(asyncio.Protocol):
    """Notes what its connection tells it."""

    def __init__(self, made: "asyncio.Queue[Rec]") -> None:
        self.made = made
        self.data = b""
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.made.put_nowait(self)

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


class Field:
    """A pod that listens, and one that dials."""

    def __init__(self, fabric: Any) -> None:
        self.fabric = fabric
        self.web, self.client = fabric.pod("web", WEB), fabric.pod("client", CLIENT)
        self.accepted: asyncio.Queue[Rec] = asyncio.Queue()
        self.loop = asyncio.get_running_loop()

    async def listen(self, container: SignalTable | None = None, **options: Any) -> Any:
        def factory() -> Rec:
            return Rec(self.accepted)

        return await self.fabric.run(
            self.web, lambda: self.loop.create_server(factory, None, 7000, **options), container
        )

    async def dial(self) -> Any:
        return await self.fabric.run(self.client, lambda: asyncio.open_connection(WEB, 7000))

    async def next(self) -> Rec:
        return await asyncio.wait_for(self.accepted.get(), 10)


@pytest.fixture
async def field(fabric: Any) -> Field:
    return Field(fabric)


async def test_closing_a_server_refuses_new_clients_and_leaves_the_old(field: Field) -> None:
    server = await field.listen()
    reader, writer = await field.dial()
    accepted = await field.next()
    server.close()
    assert not server.is_serving() and server.sockets == ()
    with pytest.raises(ConnectionRefusedError):
        await field.dial()
    accepted.transport.write(b"still here")
    accepted.transport.close()
    assert await reader.read() == b"still here"
    await asyncio.wait_for(server.wait_closed(), 10)
    writer.close()


async def test_a_server_that_does_not_serve_yet_is_bound_and_refuses(field: Field) -> None:
    server = await field.listen(start_serving=False)
    assert not server.is_serving()
    assert field.web.listening() == {("TCP", "0.0.0.0", 7000)}
    await server.start_serving()
    assert server.is_serving() and server.get_loop() is field.loop
    _, writer = await field.dial()
    writer.close()


async def test_serve_forever_ends_with_close_and_with_its_task(field: Field) -> None:
    server = await field.listen()
    serving = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already being awaited"):
        await server.serve_forever()
    server.close()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(RuntimeError, match="is closed"):
        await server.start_serving()

    again = await field.listen()
    serving = asyncio.create_task(again.serve_forever())
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not again.is_serving() and field.web.listening() == frozenset()


async def test_a_server_that_listens_is_kept_and_so_is_the_task_that_waits_in_it(
    field: Field,
) -> None:
    """The loop holds tasks weakly: a program may have no other reference than its server's."""

    async def serve() -> None:
        server = await field.loop.create_server(lambda: Rec(field.accepted), None, 7000)
        await server.serve_forever()

    serving = field.loop.create_task(serve(), context=field.web.context())
    await field.fabric.until(field.web.listening)
    kept = weakref.ref(serving)
    del serving
    gc.collect()
    assert kept() is not None
    _, writer = await field.dial()
    await field.next()
    writer.close()
    field.web.close()
    kept().cancel()
    with pytest.raises(asyncio.CancelledError):
        await kept()


async def test_as_a_context_manager_it_closes_at_the_end(field: Field) -> None:
    async with await field.listen() as server:
        assert [each.getsockname() for each in server.sockets] == [("0.0.0.0", 7000)]
        assert repr(server) == "<PodServer 0.0.0.0:7000>"
    assert field.web.listening() == frozenset()


async def test_a_closed_servers_port_can_be_bound_by_the_next(field: Field) -> None:
    first = await field.listen()
    first.close()
    second = await field.listen()
    first.close()  # once more: the port is the second's now
    assert second.is_serving() and field.web.listening() == {("TCP", "0.0.0.0", 7000)}


@pytest.mark.parametrize("verb", ["close_clients", "abort_clients"])
async def test_a_server_ends_the_connections_it_accepted(field: Field, verb: str) -> None:
    server = await field.listen()
    reader, writer = await field.dial()
    accepted = await field.next()
    getattr(server, verb)()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    assert await asyncio.wait_for(accepted.lost, 10) is None
    writer.close()


async def test_a_factory_that_fails_loses_its_connection_and_keeps_the_listener(
    field: Field,
) -> None:
    def factory() -> asyncio.Protocol:
        raise LookupError("not today")

    reports: list[str] = []
    field.loop.set_exception_handler(lambda _, context: reports.append(str(context["exception"])))
    server = await field.fabric.run(
        field.web, lambda: field.loop.create_server(factory, None, 7000)
    )
    for _ in range(2):
        reader, writer = await field.dial()
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    await field.fabric.until(lambda: len(reports) == 2)
    assert server.is_serving() and set(reports) == {"not today"}


async def test_a_connection_on_its_way_to_a_listener_that_closed_is_reset(field: Field) -> None:
    server = await field.listen()
    listener = field.web.ports.find(Protocol.TCP, WEB, 7000)
    assert listener is not None
    server.close()
    ours, theirs = socket.socketpair()
    with theirs:
        listener.take(ours, FLOW, lambda _: None)
        assert ours.fileno() == -1 and field.accepted.empty()


async def test_a_broken_tls_handshake_is_logged_and_ends_alone(
    field: Field, tls: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "node_agent.cni.pod_server")
    server = await field.listen(ssl=tls[0], ssl_handshake_timeout=5)
    reader, writer = await field.dial()
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 10) is not None
    writer.close()
    await field.fabric.until(lambda: "connection lost while attaching" in caplog.text)
    assert server.is_serving()


async def test_a_container_that_dies_takes_what_is_just_being_accepted_along(
    field: Field, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """P-62: a handshake may take long; its socket is the dead container's."""
    container = SignalTable()
    await field.listen(container, ssl=tls[0])
    reader, writer = await field.dial()  # and says nothing: the handshake waits
    field.web.release(container)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
