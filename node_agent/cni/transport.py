"""The transport a pod's program holds: emulated addresses in front of a real uvloop transport.

uvloop's transports cannot be told other addresses, so the program gets this thin proxy. `write` is
the real transport's own bound method, for it is called all the time; the others pass calls on, for
each bound method would be memory that every idle connection takes. It is also the place where a
fault will act on a live flow.

`write_eof` is not the real one: uvloop corrupts its heap when a half-closed connection lives on, so
the kernel is told directly, once everything written has left.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, cast

from cluster.wire.flow import Flow
from node_agent.cni.socket_views import ConnectedSocket, Name

DRAIN_CHECK_SECONDS = 0.002

Factory = Callable[[], asyncio.BaseProtocol]
Made = Callable[["PodTransport"], None]


class PodTransport(asyncio.Transport):
    """A connection of a pod; `peer` and `own` are what the pod sees of the flow."""

    __slots__ = ("__weakref__", "_eof", "_loop", "_own", "_peer", "_real", "write")

    def __init__(
        self, real: asyncio.Transport, own: Name, peer: Name, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._real = real
        self._loop = loop
        self._eof = False
        self._own = own
        self._peer = peer
        self.write = real.write  # type: ignore[method-assign]

    @property
    def real(self) -> asyncio.Transport:
        """The uvloop transport behind this one."""
        return self._real

    @property
    def names(self) -> tuple[Name, Name]:
        """The pod's own address and its peer's, as the pod sees them."""
        return self._own, self._peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peername":
            return self._peer
        if name == "sockname":
            return self._own
        value = self._real.get_extra_info(name, default)
        return ConnectedSocket(value, *self.names) if name == "socket" and value else value

    def is_closing(self) -> bool:
        return self._real.is_closing()

    def close(self) -> None:
        self._real.close()

    def abort(self) -> None:
        self._real.abort()

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._real.get_protocol()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._real.set_protocol(protocol)

    def is_reading(self) -> bool:
        return self._real.is_reading()

    def pause_reading(self) -> None:
        self._real.pause_reading()

    def resume_reading(self) -> None:
        self._real.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._real.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._real.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._real.set_write_buffer_limits(high, low)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        if self._eof:
            _after_eof(list_of_data)
        self._real.writelines(list_of_data)

    def can_write_eof(self) -> bool:
        return self._real.can_write_eof()

    def write_eof(self) -> None:
        """Half-close once what was written has left."""
        if self._eof:
            return
        if not self._real.can_write_eof():
            raise NotImplementedError("TLS connections cannot be half-closed")
        self._eof = True
        self.write = _after_eof  # type: ignore[method-assign,assignment]
        self._shut_when_drained()

    def _shut_when_drained(self) -> None:
        if self._real.is_closing():
            return
        if self._real.get_write_buffer_size():
            self._loop.call_later(DRAIN_CHECK_SECONDS, self._shut_when_drained)
            return
        descriptor = os.dup(self._real.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as view, contextlib.suppress(OSError):
            view.shutdown(socket.SHUT_WR)  # ENOTCONN: its peer has reset it already

    def __repr__(self) -> str:
        own, peer = self.names
        return f"<PodTransport {own[0]}:{own[1]} - {peer[0]}:{peer[1]}>"


def _after_eof(_: Any) -> None:
    raise RuntimeError("Cannot call write() after write_eof()")


class Greeter(asyncio.Protocol):
    """Meets the real transport, and gives the program's protocol its proxy instead.

    After `connection_made` uvloop talks to the program's protocol directly: nothing of ours is left
    on the way of its bytes. A factory that fails ends its connection, as asyncio's servers do.
    """

    __slots__ = ("_factory", "_loop", "_on_made", "_own", "_peer", "transport")

    def __init__(
        self,
        factory: Factory,
        own: Name,
        peer: Name,
        loop: asyncio.AbstractEventLoop,
        on_made: Made | None = None,
    ) -> None:
        self._factory = factory
        self._own = own
        self._peer = peer
        self._loop = loop
        self._on_made = on_made
        self.transport: PodTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        try:
            protocol = self._factory()
        except BaseException:
            real.abort()
            raise
        self.transport = PodTransport(real, self._own, self._peer, self._loop)
        if self._on_made is not None:
            self._on_made(self.transport)
        real.set_protocol(protocol)
        protocol.connection_made(self.transport)


def client_names(flow: Flow) -> tuple[Name, Name]:
    """(own, peer) of the end that opened the flow."""
    return (flow.source.ip, flow.source.port), (flow.destination.ip, flow.destination.port)


def server_names(flow: Flow) -> tuple[Name, Name]:
    """(own, peer) of the end that the flow reached."""
    return (flow.destination.ip, flow.destination.port), (flow.source.ip, flow.source.port)
