"""An outside client: a real socket, from an address of its own, with a bound on every wait."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cluster.wire.addresses import SocketAddress

WAIT_SECONDS = 20.0  # before a test that waits for an event gives up
LINGER_ZERO = struct.pack("ii", 1, 0)
READ_AHEAD_BYTES = 2**20


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.address = SocketAddress(*writer.get_extra_info("sockname"))

    def send(self, text: str | bytes) -> None:
        """Give bytes to the kernel, or to the loop for later."""
        self.writer.write(text.encode() if isinstance(text, str) else text)

    async def sent(self) -> None:
        """Wait until most of that is with the kernel."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self.writer.drain()

    async def line(self) -> str:
        """The next line; "" at the end."""
        async with asyncio.timeout(WAIT_SECONDS):
            return (await self.reader.readline()).decode().rstrip("\n")

    async def exactly(self, count: int) -> bytes:
        """So many bytes."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """Everything to the end."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.reader.read()

    async def ask(self, line: str) -> str:
        """A line, and the line that answers it."""
        self.send(line + "\n")
        return await self.line()

    def finish(self) -> None:
        """End the sending side alone."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Leave with a reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.writer.transport.abort()

    async def met(self) -> str:
        """How the connection ends, whatever may come before: "reset" or "end"."""
        try:
            await self.rest()
        except ConnectionError:
            return "reset"
        return "end"

    async def close(self) -> None:
        """Close; one that is broken already is closed too."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(WAIT_SECONDS):
                await self.writer.wait_closed()


async def dial(
    target: SocketAddress,
    source: str = "127.66.0.9",
    tls: ssl.SSLContext | None = None,
    name: str | None = None,
) -> Client:
    """Connect from an address; ConnectionError if that is refused."""
    async with asyncio.timeout(WAIT_SECONDS):
        reader, writer = await asyncio.open_connection(
            target.ip,
            target.port,
            local_addr=(source, 0),
            limit=READ_AHEAD_BYTES,
            ssl=tls,
            server_hostname=name,
        )
    return Client(reader, writer)


async def until_reset(target: SocketAddress, source: str = "127.66.0.9") -> SocketAddress:
    """Connect and wait for a reset, which may come before the loop says that we are connected; the
    address that was reset."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((source, 0))
        near = SocketAddress(*sock.getsockname())  # which a reset may take from it
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await loop.sock_connect(sock, tuple(target))
                data = await loop.sock_recv(sock, 1)
        except ConnectionResetError:
            return near
    raise AssertionError(f"{target} sent {data!r}")


@asynccontextmanager
async def dialled(
    target: SocketAddress,
    source: str = "127.66.0.9",
    tls: ssl.SSLContext | None = None,
    name: str | None = None,
) -> AsyncIterator[Client]:
    """A connection for the time of a block."""
    client = await dial(target, source, tls, name)
    try:
        yield client
    finally:
        await client.close()
