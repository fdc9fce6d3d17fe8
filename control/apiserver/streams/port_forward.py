"""port-forward: connections of a client joined with connections into a pod.

    SPDY, also inside a WebSocket   a pair of streams, `data` and `error`, for each connection
    channels of a WebSocket         channels 2i and 2i+1 for the i-th port that the query names

Each connection has a connection of its own to the kubelet, so a slow one holds back itself alone,
up to what its stream may hold. What went wrong is told on the error stream as text; kubectl prints
it. A half-close passes both ways where the client's protocol has one.
"""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from cluster.aio.channels import Channels, until_hung_up
from cluster.aio.clock import Clock
from cluster.aio.first import first_of
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.wire.channels import Channel
from control.apiserver.streams import websocket_channels
from control.apiserver.streams.negotiation import port_of
from control.apiserver.streams.spdy_session import Session, SpdyStream
from control.apiserver.streams.websocket import WebSocket

Connect = Callable[[int], Awaitable[Channels]]  # a connection to a port of the pod
PAIRING_SECONDS_MAX = 30.0  # upstream's: for the second stream of a pair


async def forward_streams(session: Session, connect: Connect) -> None:
    """Serve the pairs of streams that a client opens, until it is gone."""
    # The pairs of which one is there, with what gives it up: at most the session's streams.
    pairs: dict[str, tuple[SpdyStream, asyncio.Task[None]]] = {}
    async with asyncio.TaskGroup() as group:
        while (stream := await session.accept()) is not None:
            name = _request_id(stream)
            other, waiting = pairs.pop(name, (None, None))
            if waiting is not None:
                waiting.cancel()
            if other is None:
                task = group.create_task(_await_pair(pairs, name, stream), name="port-forward pair")
                pairs[name] = stream, task
            elif _kind(other) == _kind(stream) or {_kind(other), _kind(stream)} != {
                "data",
                "error",
            }:
                await other.reset()
                await stream.reset()
            else:
                data, error = (stream, other) if _kind(stream) == "data" else (other, stream)
                group.create_task(_forward(data, error, connect), name="port-forward")


async def _await_pair(
    pairs: dict[str, tuple[SpdyStream, asyncio.Task[None]]], name: str, stream: SpdyStream
) -> None:
    """Give up a stream whose other one does not come; cancelled when it comes."""
    await asyncio.sleep(PAIRING_SECONDS_MAX)
    del pairs[name]
    with contextlib.suppress(ConnectionError):  # the client may be gone
        await stream.reset()


def _kind(stream: SpdyStream) -> str:
    return stream.headers.get("streamtype", "").lower()


def _request_id(stream: SpdyStream) -> str:
    """What pairs streams; old clients open the data stream right after the error stream."""
    given = stream.headers.get("requestid", "")
    return given or str(stream.number - 2 * (_kind(stream) == "data"))


async def _forward(data: SpdyStream, error: SpdyStream, connect: Connect) -> None:
    """One connection, from its pair of streams to its end."""
    try:
        try:
            channels = await connect(port_of(data.headers.get("port", "")))
        except ApiError as refusal:
            await error.write(str(refusal).encode())
        else:
            await _joined(data, error, channels)
        await data.end()
        await error.end()
    except ConnectionError:
        pass  # the client has left this connection, or all


async def _joined(data: SpdyStream, error: SpdyStream, channels: Channels) -> None:
    async def down() -> None:
        text = await _down(channels, data)
        if text:
            await error.write(text)

    try:
        await first_of(down(), _up(data, channels))
    finally:
        channels.abort()


async def _up(data: SpdyStream, channels: Channels) -> None:
    """Pass on what the client sends; returns only when the client gives the connection up."""
    try:
        while part := await data.read():
            await channels.send(Channel.STDIN, part)
        if data.lost:
            return
        await channels.send(Channel.STDIN, end=True)
    except ConnectionError:
        pass  # the pod's side is over, which `_down` sees too
    await asyncio.get_running_loop().create_future()


async def _down(channels: Channels, data: SpdyStream) -> bytes:
    """Pass on what the pod sends; what the kubelet says of the end."""
    while (frame := await channels.receive()) is not None:
        if frame.channel is Channel.STATUS:
            return frame.data
        if frame.data and not data.ended:
            await data.write(frame.data)
        if frame.end:
            break  # the pod's end is the end: clients wait for that before they close
    return b""


# Channels of a WebSocket


@dataclass(frozen=True, slots=True)
class _Port:
    """The i-th port of a query, and its connection once it is tried; None when it failed."""

    index: int
    number: int
    tried: asyncio.Future[Channels | None]


async def forward_channels(
    request: web.BaseRequest,
    socket: WebSocket,
    ports: tuple[int, ...],
    connect: Connect,
    clock: Clock,
) -> None:
    """Serve one connection for each port, until the client is gone or all have ended."""
    new = asyncio.get_running_loop().create_future
    served = [_Port(index, number, new()) for index, number in enumerate(ports)]
    for port in served:
        for channel in (2 * port.index, 2 * port.index + 1):
            await _send(socket, channel, struct.pack("<H", port.number))
    try:
        await first_of(
            _all_ports(socket, served, connect),
            _messages(socket, served),
            until_hung_up(request.transport, clock),
        )
    finally:
        for port in served:
            if port.tried.done() and (channels := port.tried.result()) is not None:
                channels.abort()


async def _all_ports(socket: WebSocket, ports: list[_Port], connect: Connect) -> None:
    async with asyncio.TaskGroup() as group:
        for port in ports:
            group.create_task(_port(socket, port, connect), name="port-forward")
    await socket.close()


async def _port(socket: WebSocket, port: _Port, connect: Connect) -> None:
    """One port's connection: what the pod sends, and what went wrong."""
    try:
        try:
            channels = await connect(port.number)
        except ApiError as refusal:
            port.tried.set_result(None)
            await _send(socket, 2 * port.index + 1, str(refusal).encode())
            return
        port.tried.set_result(channels)
        await _from_pod(socket, port, channels)
    except ConnectionError:
        pass  # the client is gone, which `_messages` sees too


async def _from_pod(socket: WebSocket, port: _Port, channels: Channels) -> None:
    while (frame := await channels.receive()) is not None and not frame.end:
        failed = frame.channel is Channel.STATUS
        await _send(socket, 2 * port.index + failed, frame.data)


async def _messages(socket: WebSocket, ports: list[_Port]) -> None:
    """Pass on what the client sends; return when it is gone."""
    while (message := await socket.receive()) is not None:
        number, data, _ = websocket_channels.unpack(socket.protocol, message)
        if number % 2 or not 0 <= number // 2 < len(ports) or not data:
            continue  # an error channel, or none
        channels = await ports[number // 2].tried
        if channels is None:
            continue
        with contextlib.suppress(ConnectionError):  # the pod may have closed this one
            await channels.send(Channel.STDIN, data)


async def _send(socket: WebSocket, channel: int, data: bytes) -> None:
    await socket.send(websocket_channels.pack(socket.protocol, channel, data))
