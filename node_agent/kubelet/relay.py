"""Joins a transport that another protocol has begun with a connected socket.

For /dial: the HTTP request's transport gets a new protocol, and from then on bytes, half-closes,
back-pressure and resets pass both ways.
"""

import asyncio
import socket
from typing import cast

BUFFER_BYTES_MAX = 256 * 1024  # what waits for a slow reader before the other side is paused


class Side(asyncio.Protocol):
    """One end: what it receives goes to `peer`."""

    def __init__(self, former: asyncio.BaseProtocol | None = None) -> None:
        self.peer: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._former = former  # is told when the connection ends, as the owner of its bookkeeping
        self._ended = False  # has sent all it will

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it
        self.transport.set_write_buffer_limits(high=BUFFER_BYTES_MAX)
        self.transport.pause_reading()  # until both ends stand

    def data_received(self, data: bytes) -> None:
        peer = self._peer_transport()
        if peer is not None and not peer.is_closing():
            peer.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        peer = self._peer_transport()
        if peer is None or peer.is_closing():
            return False
        if not peer.can_write_eof():  # TLS knows no half-close: the end of one way is the end
            peer.close()
            return False
        peer.write_eof()
        self._close_when_both_ended()
        return True

    def _close_when_both_ended(self) -> None:
        assert self.peer is not None
        if self._ended and self.peer._ended:
            for side in (self, self.peer):
                if side.transport is not None:
                    side.transport.close()

    def pause_writing(self) -> None:
        peer = self._peer_transport()
        if peer is not None and not peer.is_closing():
            peer.pause_reading()

    def resume_writing(self) -> None:
        peer = self._peer_transport()
        if peer is not None and not peer.is_closing():
            peer.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        if self._former is not None:
            self._former.connection_lost(error)
        peer = self._peer_transport()
        if peer is None or peer.is_closing():
            return
        if error is not None:
            _reset(peer)
        else:
            peer.close()

    def _peer_transport(self) -> asyncio.Transport | None:
        return self.peer.transport if self.peer is not None else None


async def joined(transport: asyncio.Transport, sock: socket.socket, *, greeting: bytes) -> None:
    """Greet the transport's client, then pass bytes until both ends have closed."""
    near, far = Side(transport.get_protocol()), Side()
    near.peer, far.peer = far, near
    transport.set_protocol(near)
    near.connection_made(transport)
    # First, since uvloop reads what the far end says whether it was paused at its start or not.
    transport.write(greeting)
    try:
        await asyncio.get_running_loop().create_connection(lambda: far, sock=sock)
        for side in (near, far):
            if side.transport is not None and not side.closed.done():
                side.transport.resume_reading()
        await asyncio.wait({near.closed, far.closed})  # cancelled, it leaves them as they are
    finally:
        for side in (near, far):
            if side.transport is not None and not side.closed.done():
                side.transport.abort()


def _reset(transport: asyncio.Transport) -> None:
    """SO_LINGER 0, then abort: the other end sees a reset, as this one did."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    transport.abort()
