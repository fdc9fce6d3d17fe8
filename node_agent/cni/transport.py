"""The transport a pod's program holds: emulated addresses in front of a real uvloop transport.

uvloop's transports cannot be told other addresses, so the program gets this thin proxy; with no
fault on the connection every call is the real transport's own bound method. It is also the place
where a fault will act on a live flow, by putting other functions into the same slots.

`write_eof` is not the real one: uvloop corrupts its heap when a half-closed connection lives on, so
the kernel is told directly, once everything written has left.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, cast

from cluster.wire.flow import Flow

DRAIN_CHECK_SECONDS = 0.002

Factory = Callable[[], asyncio.BaseProtocol]


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
        self,
        real: asyncio.Transport,
        own: tuple[str, int],
        peer: tuple[str, int],
        loop: asyncio.AbstractEventLoop,
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
    def names(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """The pod's own address and its peer's, as the pod sees them."""
        return self._names["sockname"], self._names["peername"]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        emulated = self._names.get(name)
        return self._real.get_extra_info(name, default) if emulated is None else emulated

    def can_write_eof(self) -> bool:
        return self._real.can_write_eof()

    def write_eof(self) -> None:
        """Half-close once what was written has left."""
        if self._eof:
            return
        if not self._real.can_write_eof():
            raise NotImplementedError("TLS connections cannot be half-closed")
        self._eof = True
        self._shut_when_drained()

    def _shut_when_drained(self) -> None:
        if self._real.is_closing():
            return
        if self._real.get_write_buffer_size():
            self._loop.call_later(DRAIN_CHECK_SECONDS, self._shut_when_drained)
            return
        with socket.socket(fileno=os.dup(self._real.get_extra_info("socket").fileno())) as view:
            view.shutdown(socket.SHUT_WR)

    def __repr__(self) -> str:
        own, peer = self.names
        return f"<PodTransport {own[0]}:{own[1]} - {peer[0]}:{peer[1]}>"


_PASSED_ON = [name for name in PodTransport.__slots__ if not name.startswith("_")]


class Greeter(asyncio.Protocol):
    """Meets the real transport, and gives the program's protocol its proxy instead.

    After `connection_made` uvloop talks to the program's protocol directly: nothing of ours is left
    on the way of its bytes.
    """

    def __init__(
        self,
        factory: Factory,
        own: tuple[str, int],
        peer: tuple[str, int],
        loop: asyncio.AbstractEventLoop,
        on_made: Callable[[PodTransport], None] | None = None,
    ) -> None:
        self._factory = factory
        self._own = own
        self._peer = peer
        self._loop = loop
        self._on_made = on_made
        self.transport: PodTransport | None = None
        self.protocol: asyncio.BaseProtocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.transport = PodTransport(real, self._own, self._peer, self._loop)
        if self._on_made is not None:
            self._on_made(self.transport)
        self.protocol = self._factory()
        real.set_protocol(self.protocol)
        self.protocol.connection_made(self.transport)


def client_names(flow: Flow) -> tuple[tuple[str, int], tuple[str, int]]:
    """(own, peer) of the end that opened the flow."""
    return (flow.source.ip, flow.source.port), (flow.destination.ip, flow.destination.port)


def server_names(flow: Flow) -> tuple[tuple[str, int], tuple[str, int]]:
    """(own, peer) of the end that the flow reached."""
    return (flow.destination.ip, flow.destination.port), (flow.source.ip, flow.source.port)
