"""A connection that carries channels (`cluster.wire.channels`), and how an HTTP one becomes it.

`taken_over` swaps the protocol of a transport that aiohttp began for a pair of streams, so that
nothing of HTTP is left on it; the protocol before is told of the end, as the owner of its
bookkeeping.
"""

import asyncio
import contextlib
import select
import socket
from collections import deque

from cluster.aio.clock import Clock
from cluster.wire.channels import Channel, ChannelFrame, ChannelReader, encode

BUFFER_BYTES_MAX = 256 * 1024
READ_BYTES = 64 * 1024
LINGER_SECONDS_MAX = 5.0
PROBES = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}  # seconds, and how often
HANG_UP_CHECK_SECONDS = 2.0
_HUNG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class Channels:
    """Frames in, frames out; back-pressure both ways."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes = b""
    ) -> None:
        self._reader, self._writer = reader, writer
        self._frames = ChannelReader()
        self._ready: deque[ChannelFrame] = deque(self._frames.feed(rest))
        self._turn = asyncio.Lock()
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES_MAX)

    @property
    def transport(self) -> asyncio.WriteTransport:
        """What carries it."""
        return self._writer.transport

    async def receive(self) -> ChannelFrame | None:
        """The next frame; None when the peer is gone; WireError when it speaks something else."""
        while not self._ready:
            try:
                data = await self._reader.read(READ_BYTES)
            except ConnectionError:
                return None
            if not data:
                return None
            self._ready.extend(self._frames.feed(data))
        return self._ready.popleft()

    async def send(self, channel: Channel, data: bytes = b"", *, end: bool = False) -> None:
        """Send, and wait while the peer is slow; ConnectionError when it is gone."""
        async with self._turn:
            if self._writer.is_closing():
                raise BrokenPipeError("the connection is closed")
            self._writer.write(encode(ChannelFrame(channel, data, end)))
            await self._writer.drain()

    async def finish(self) -> None:
        """Let the peer close when it has read all: closed here, unread input would be a reset."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._writer.drain()
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS_MAX):
                while await self._reader.read(READ_BYTES):
                    pass
        await self.close()

    async def close(self) -> None:
        """Close when what was sent has gone."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # closed is closed, whoever did it
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()


class _Succeeding(asyncio.StreamReaderProtocol):
    """The protocol of a transport that another one has begun."""

    def __init__(self, reader: asyncio.StreamReader, former: asyncio.BaseProtocol) -> None:
        super().__init__(reader, loop=asyncio.get_running_loop())
        self._former = former

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._former.connection_lost(error)


def taken_over(
    transport: asyncio.Transport, former: asyncio.BaseProtocol, greeting: bytes, rest: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Greet the client, and read and write its connection from here on."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(READ_BYTES, loop=loop)
    protocol = _Succeeding(reader, former)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    transport.write(greeting)
    if rest:
        reader.feed_data(rest)
    if not transport.is_reading():
        transport.resume_reading()
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def until_hung_up(transport: asyncio.BaseTransport | None, clock: Clock) -> None:
    """Return when the peer has closed, even while nobody reads what it sent before.

    A peer that dies while its sending is held back cannot say so: then the kernel's probes tell.
    """
    if transport is not None:
        _probe(transport)
    while transport is not None and not transport.is_closing() and not _hung_up(transport):
        await clock.sleep(HANG_UP_CHECK_SECONDS)


def _probe(transport: asyncio.BaseTransport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in PROBES.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _hung_up(transport: asyncio.BaseTransport) -> bool:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), _HUNG_UP)
    return bool(poll.poll(0))
