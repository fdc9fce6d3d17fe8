"""The transport a pod's program holds: emulated addresses in front of a real uvloop transport.

uvloop's transports cannot be told other addresses, so the program gets this thin proxy; with no
fault on the connection every call is the real transport's own bound method. It is also the place
where a fault will act on a live flow, by putting other functions into the same slots.

`write_eof` is not the real one: uvloop corrupts its heap when a half-closed connection lives on, so
the kernel is told directly, once everything written has left.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any, cast

from cluster.wire.flow import Flow
from node_agent.cni.socket_views import ConnectedSocket, Name

DRAIN_CHECK_SECONDS = 0.002

Factory = Callable[[], asyncio.BaseProtocol]
Made = Callable[["PodTransport"], None]


class PodTransport(asyncio.Transport):
    """A connection of a pod; `peer` and `own` are what the pod sees of the flow."""

    __slots__ = (
        "__weakref__",
        "_eof",
        "_loop",
        "_names",
        "_real",
        "abort",
        "close",
        "get_protocol",
        "get_write_buffer_limits",
        "get_write_buffer_size",
        "is_closing",
        "is_reading",
        "pause_reading",
        "resume_reading",
        "set_protocol",
        "set_write_buffer_limits",
        "write",
        "writelines",
    )

    def __init__(
        self, real: asyncio.Transport, own: Name, peer: Name, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._real = real
        self._loop = loop
        self._eof = False
        self._names = {"peername": peer, "sockname": own}
        for name in _PASSED_ON:
            setattr(self, name, getattr(real, name))

    @property
    def real(self) -> asyncio.Transport:
        """The uvloop transport behind this one."""
        return self._real

    @property
    def names(self) -> tuple[Name, Name]:
        """The pod's own address and its peer's, as the pod sees them."""
        return self._names["sockname"], self._names["peername"]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        emulated = self._names.get(name)
        if emulated is not None:
            return emulated
        value = self._real.get_extra_info(name, default)
        return ConnectedSocket(value, *self.names) if name == "socket" and value else value

    def can_write_eof(self) -> bool:
        return self._real.can_write_eof()

    def write_eof(self) -> None:
        """Half-close once what was written has left."""
        if self._eof:
            return
        if not self._real.can_write_eof():
            raise NotImplementedError("TLS connections cannot be half-closed")
        self._eof = True
        for name in ("write", "writelines"):
            setattr(self, name, _after_eof)
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


_PASSED_ON = [name for name in PodTransport.__slots__ if not name.startswith("_")]


def _after_eof(_: Any) -> None:
    raise RuntimeError("Cannot call write() after write_eof()")


class Greeter(asyncio.Protocol):
    """Meets the real transport, and gives the program's protocol its proxy instead.

    After `connection_made` uvloop talks to the program's protocol directly: nothing of ours is left
    on the way of its bytes. A factory that fails ends its connection, as asyncio's servers do.
    """

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
