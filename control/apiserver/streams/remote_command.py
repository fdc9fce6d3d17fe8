"""exec and attach: a client's streams joined with the kubelet's channels.

The command starts when the client's streams stand. What it writes and how it ended come from the
kubelet; the end is a Status, in protocols that have it, else a text on the error stream.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web

from cluster.aio.channels import Channels, until_hung_up
from cluster.aio.clock import Clock
from cluster.aio.first import first_of
from cluster.wire.channels import Channel
from control.apiserver.streams import websocket_channels
from control.apiserver.streams.negotiation import (
    BASE64,
    V3,
    V4,
    V5,
    CommandStreams,
)
from control.apiserver.streams.spdy_connection import opened, serve_spdy
from control.apiserver.streams.spdy_session import Session, SpdyStream
from control.apiserver.streams.websocket import WebSocket

TELL_STATUS = frozenset({V4, V5, BASE64[0]})  # the others tell a failure as text
RESIZABLE = frozenset({V3, V4})
LOST: Mapping[str, Any] = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "reason": "InternalError",
    "message": "the connection to the kubelet was lost",
    "code": 500,
}


class Client(Protocol):
    """What the kubelet's frames are told to."""

    async def send(self, channel: Channel, data: bytes) -> None:
        """Output of the command."""

    async def finish(self, status: bytes) -> None:
        """How it ended; empty where the protocol has nothing to say."""


async def command_over_spdy(
    request: web.BaseRequest,
    protocol: str,
    streams: CommandStreams,
    kubelet: Channels,
    clock: Clock,
) -> None:
    """Serve one command to a SPDY client."""

    async def work(session: Session) -> None:
        try:
            client = _SpdyClient(await opened(session, _wanted(protocol, streams)))
        except TimeoutError:
            return  # as upstream: the session just ends
        await kubelet.send(Channel.STATUS)
        await client.served(kubelet, protocol)

    await serve_spdy(request, protocol, work, clock)


def _wanted(protocol: str, streams: CommandStreams) -> frozenset[str]:
    """The types of the streams that the client opens."""
    wanted = {
        "error": True,
        "stdin": streams.stdin,
        "stdout": streams.stdout,
        "stderr": streams.stderr,
        "resize": streams.tty and protocol in RESIZABLE,
    }
    return frozenset(name for name, named in wanted.items() if named)


class _SpdyClient:
    """A client with a SPDY stream for each channel."""

    def __init__(self, streams: Mapping[str, SpdyStream]) -> None:
        self._streams = streams

    async def served(self, kubelet: Channels, protocol: str) -> None:
        """Pass everything on until the command has ended."""
        await first_of(_tell(kubelet, self, protocol), self._inputs(kubelet))

    async def _inputs(self, kubelet: Channels) -> None:
        """Pass on what the client sends; never returns, for the command's end is the end."""
        copies = [
            _copy(self._streams[name], kubelet, channel)
            for name, channel in (("stdin", Channel.STDIN), ("resize", Channel.RESIZE))
            if name in self._streams
        ]
        await asyncio.gather(*copies)
        await asyncio.get_running_loop().create_future()

    async def send(self, channel: Channel, data: bytes) -> None:
        stream = self._streams.get(channel.name.lower())
        if stream is not None and not stream.ended:
            await stream.write(data)

    async def finish(self, status: bytes) -> None:
        if status:
            await self._streams["error"].write(status)
        for name in ("stdout", "stderr", "error", "stdin", "resize"):
            if name in self._streams:
                await self._streams[name].end()


async def _copy(stream: SpdyStream, kubelet: Channels, channel: Channel) -> None:
    try:
        while data := await stream.read():
            await kubelet.send(channel, data)
        await kubelet.send(channel, end=True)
    except ConnectionError:
        pass  # the command has ended, and its channels with it


async def command_over_websocket(
    request: web.BaseRequest,
    protocol: str,
    streams: CommandStreams,
    kubelet: Channels,
    clock: Clock,
) -> web.StreamResponse:
    """Serve one command to a WebSocket client."""
    async with WebSocket.opened(request, protocol) as socket:
        client = _WebSocketClient(socket)
        await client.greet(streams)
        await kubelet.send(Channel.STATUS)
        told = _tell(kubelet, client, protocol)
        await first_of(client.copy(kubelet), told, until_hung_up(request.transport, clock))
    return socket.response


class _WebSocketClient:
    """A client with one WebSocket for all channels."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def greet(self, streams: CommandStreams) -> None:
        """An empty message says that the streams stand, as upstream's does.

        Not in v5, which kubectl speaks: versions before 1.32 may read before they have streams,
        and complain of the first message.
        """
        if self._socket.protocol == V5:
            return
        await self.send(Channel.STDOUT if streams.stdout else Channel.STATUS, b"")

    async def copy(self, kubelet: Channels) -> None:
        """Pass on what the client sends; return when it is gone."""
        while (message := await self._socket.receive()) is not None:
            number, data, end = websocket_channels.unpack(self._socket.protocol, message)
            channel = websocket_channels.inbound(number)
            if channel is not None and (data or end):
                await self._pass_on(kubelet, channel, data, end=end)

    async def _pass_on(
        self, kubelet: Channels, channel: Channel, data: bytes, *, end: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):  # it may have ended: its Status is on the way
            await kubelet.send(channel, data, end=end)

    async def send(self, channel: Channel, data: bytes) -> None:
        await self._socket.send(websocket_channels.pack(self._socket.protocol, channel, data))

    async def finish(self, status: bytes) -> None:
        if status:
            await self.send(Channel.STATUS, status)
        await self._socket.close()


async def _tell(kubelet: Channels, client: Client, protocol: str) -> None:
    """Pass on what the command writes, and at last how it ended."""
    status = orjson.dumps(LOST)
    while (frame := await kubelet.receive()) is not None:
        if frame.channel is Channel.STATUS:
            status = frame.data
            break
        if frame.data:
            await client.send(frame.channel, frame.data)
    await client.finish(_spoken(status, protocol))


def _spoken(status: bytes, protocol: str) -> bytes:
    """A Status as the protocol tells it."""
    if protocol in TELL_STATUS:
        return status
    document = orjson.loads(status)
    if document.get("status") == "Success":
        return b""
    return str(document.get("message", "")).encode()
