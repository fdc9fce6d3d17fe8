"""From a request to a SPDY session over its connection, and to that connection's end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from cluster.aio.channels import READ_BYTES, until_hung_up
from cluster.aio.clock import Clock
from cluster.aio.first import first_of
from control.apiserver import statuses
from control.apiserver.streams.front import front_of
from control.apiserver.streams.negotiation import SPDY, STREAM_PROTOCOL
from control.apiserver.streams.spdy_session import Session, SpdyStream
from control.apiserver.streams.websocket import WebSocket

CREATION_SECONDS_MAX = 30.0  # upstream's: for the client to open the streams that it named
LINGER_SECONDS_MAX = 5.0


class _ConnectionPipe:
    """The bytes below SPDY: the connection itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise BrokenPipeError("the connection is closed")
        self._writer.write(data)
        await self._writer.drain()


async def serve_spdy(
    request: web.BaseRequest,
    protocol: str,
    work: Callable[[Session], Awaitable[None]],
    clock: Clock,
) -> None:
    """Answer 101 and run `work` on the session; the connection is closed afterwards."""
    front = front_of(request)
    if front is None:
        words = "SPDY can only be the first request of a connection to this server"
        raise statuses.bad_request(words)
    reader, writer = front.take(_greeting({STREAM_PROTOCOL: protocol}))
    try:
        session = Session(_ConnectionPipe(reader, writer))
        gone = until_hung_up(writer.transport, clock)
        await first_of(session.run(), gone, _worked(session, work))
    finally:
        writer.close()


async def serve_tunnel(
    request: web.BaseRequest,
    socket: WebSocket,
    work: Callable[[Session], Awaitable[None]],
    clock: Clock,
) -> None:
    """Run `work` on a session inside an open WebSocket, which is closed afterwards."""
    session = Session(socket)
    gone = until_hung_up(request.transport, clock)
    try:
        await first_of(session.run(), gone, _worked(session, work))
    finally:
        await socket.close()


async def _worked(session: Session, work: Callable[[Session], Awaitable[None]]) -> None:
    """Work, say goodbye, and let the client close: what it still sends would reset our words."""
    await work(session)
    await session.leave()
    session.discard()
    await asyncio.sleep(LINGER_SECONDS_MAX)


async def opened(session: Session, wanted: frozenset[str]) -> dict[str, SpdyStream]:
    """The streams of the wanted types, once all are open; TimeoutError when they are not."""
    streams: dict[str, SpdyStream] = {}
    async with asyncio.timeout(CREATION_SECONDS_MAX):
        while streams.keys() < wanted:
            stream = await session.accept()
            if stream is None:
                raise ConnectionResetError("the client left before its streams were open")
            kind = stream.headers.get("streamtype", "").lower()
            if kind in wanted and kind not in streams:
                streams[kind] = stream
            else:
                await stream.reset()
    return streams


def _greeting(headers: Mapping[str, str]) -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {SPDY}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
