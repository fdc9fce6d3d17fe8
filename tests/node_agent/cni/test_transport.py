"""The transport a pod's program holds: emulated names, half-closes and resets as the kernel's."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow
from node_agent.cni.transport import PodTransport, client_names, server_names

WEB, CLIENT = "10.244.1.5", "10.244.1.9"
FLOW = Flow(Protocol.TCP, SocketAddress(CLIENT, 40000), SocketAddress(WEB, 80))
MEGABYTES = 3_000_000

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Pair:
    """A client and a server with a handler."""

    def __init__(self, fabric: Any) -> None:
        self.fabric = fabric
        self.web, self.client = fabric.pod("web", WEB), fabric.pod("client", CLIENT)

    async def serve(self, handler: Handler, **options: Any) -> None:
        async def listen() -> None:
            await asyncio.start_server(handler, None, 7000, **options)

        await self.fabric.run(self.web, listen)

    async def dial(self, **options: Any) -> Any:
        return await self.fabric.run(
            self.client, lambda: asyncio.open_connection(WEB, 7000, **options)
        )


@pytest.fixture
async def pair(fabric: Any) -> Pair:
    return Pair(fabric)


def test_each_end_has_the_flows_names_its_own_way_round() -> None:
    """P-2, P-4."""
    assert client_names(FLOW) == ((CLIENT, 40000), (WEB, 80))
    assert server_names(FLOW) == ((WEB, 80), (CLIENT, 40000))


async def test_a_clients_half_close_reaches_the_server_whose_answer_still_comes(
    pair: Pair,
) -> None:
    """All of it arrives first, however much it is."""

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(len(await reader.read())).encode())
        writer.write_eof()

    await pair.serve(count)
    reader, writer = await pair.dial()
    writer.write(b"x" * MEGABYTES)
    assert writer.can_write_eof()
    writer.write_eof()
    writer.write_eof()  # once is enough, twice does no harm
    assert await asyncio.wait_for(reader.read(), 10) == str(MEGABYTES).encode()
    writer.close()


async def test_a_servers_half_close_leaves_the_other_way_open(pair: Pair) -> None:
    """As often as it may happen: uvloop's own write_eof corrupts its heap over time."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"that is all")
        writer.write_eof()
        heard.put_nowait(await reader.read())
        writer.close()

    await pair.serve(shut)
    for _ in range(50):
        reader, writer = await pair.dial()
        assert await reader.read() == b"that is all"
        writer.write(b"y" * 100_000)
        writer.write_eof()
        assert len(await asyncio.wait_for(heard.get(), 10)) == 100_000
        writer.close()


async def test_nothing_can_be_written_after_the_end(pair: Pair) -> None:
    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    await pair.serve(read)
    _, writer = await pair.dial()
    writer.write_eof()
    for write in (writer.transport.write, writer.transport.writelines):
        with pytest.raises(RuntimeError, match="after write_eof"):
            write(b"more")
    writer.close()


async def test_a_half_close_of_a_connection_that_ends_meanwhile_is_nothing(pair: Pair) -> None:
    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    await pair.serve(stay)
    _, writer = await pair.dial()
    writer.transport.pause_reading()
    writer.write(b"x" * MEGABYTES)
    writer.transport.write_eof()  # waits for what is written
    writer.transport.abort()
    assert writer.transport.is_closing()


async def test_tls_has_no_half_close(
    pair: Pair, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    await pair.serve(read, ssl=tls[0])
    _, writer = await pair.dial(ssl=tls[1], server_hostname="web")
    assert not writer.can_write_eof()
    with pytest.raises(NotImplementedError, match="TLS"):
        writer.write_eof()
    writer.close()


async def test_a_reset_is_passed_on_as_a_reset(pair: Pair) -> None:
    """P-62, S-85: the peer's program sees ECONNRESET, not an end of file."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    await pair.serve(reset)
    reader, writer = await pair.dial()
    writer.write(b"now\n")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_back_pressure_holds_a_writer_until_its_reader_reads(pair: Pair) -> None:
    done = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(1000):
            writer.write(b"z" * 100_000)
            await writer.drain()
        done.set()
        writer.close()

    await pair.serve(flood)
    reader, writer = await pair.dial()
    writer.transport.pause_reading()
    for _ in range(200):
        await asyncio.sleep(0)
    assert not done.is_set()
    writer.transport.resume_reading()
    total = 0
    while part := await asyncio.wait_for(reader.read(1 << 20), 10):
        total += len(part)
    assert total == 100_000_000 and done.is_set()
    writer.close()


async def test_it_answers_for_its_names_and_passes_on_everything_else(pair: Pair) -> None:
    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    await pair.serve(stay)
    _, writer = await pair.dial()
    transport = writer.transport
    assert isinstance(transport, PodTransport)
    assert transport.names == (transport.get_extra_info("sockname"), (WEB, 7000))
    assert transport.get_extra_info("nothing", "default") == "default"
    assert transport.get_extra_info("ssl_object") is None
    assert repr(transport).endswith(f" - {WEB}:7000>")
    assert transport.get_protocol() is transport.real.get_protocol()
    protocol = asyncio.Protocol()
    transport.set_protocol(protocol)
    assert transport.real.get_protocol() is protocol
    assert transport.is_reading() and not transport.is_closing()
    transport.close()
    assert transport.real.is_closing()
