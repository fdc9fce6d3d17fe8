"""An outside client: a real socket, from an address of its own, with a bound on every wait."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cluster.wire.addresses import SocketAddress

WAIT_SECONDS = 20.0  # before a test that waits for an event gives up
LINGER_ZERO = struct.pack("ii", 1, 0)
READ_AHEAD_BYTES = 2**20
WAITING = (errno.EINPROGRESS, errno.EALREADY)


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
    sock = await _connected(target, source)
    async with asyncio.timeout(WAIT_SECONDS):
        reader, writer = await asyncio.open_connection(
            sock=sock, limit=READ_AHEAD_BYTES, ssl=tls, server_hostname=name
        )
    return Client(reader, writer)


async def _connected(target: SocketAddress, source: str) -> socket.socket:
    """On loopback the handshake is over when the call returns: a reset that follows is no failure
    to connect, as it would be for who waits for the loop to say so."""
    sock = socket.socket()
    try:
        sock.setblocking(False)
        sock.bind((source, 0))
        code = sock.connect_ex(target)
        if code in WAITING:
            code = sock.connect_ex(target)
        if code in WAITING:
            async with asyncio.timeout(WAIT_SECONDS):
                await asyncio.get_running_loop().sock_connect(sock, tuple(target))
        elif code not in (0, errno.EISCONN):
            raise OSError(code, f"{target}: {os.strerror(code)}")
    except BaseException:
        sock.close()
        raise
    return sock


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
