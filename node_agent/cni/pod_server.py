"""A pod's listening sockets: what `create_server` gives to a program.

A listener is an entry of the pod's port table: flows are handed to it by the router, and each runs
in the context that the program listened in, so what its handlers dial onward is the pod's too. A
listener that others may reach has, besides, a real port on the node's address, for the node alone.
"""

import asyncio
import contextvars
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from cluster.aio.streams import reset
from cluster.wire.flow import Flow
from node_agent.cni.transport import Factory, Greeter, PodTransport, server_names

log = logging.getLogger(__name__)

Made = Callable[[PodTransport], None]


class PodListener:
    """One bound address and port of a pod, and the program's factory behind it."""

    def __init__(
        self,
        factory: Factory,
        address: str,
        *,
        tls: ssl.SSLContext | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.address = address
        self.port = 0  # known once bound
        self.accepting = True
        self.real: asyncio.Server | None = None
        self._factory = factory
        self._tls = tls
        self._loop = loop
        self._context = contextvars.copy_context()
        self._attaching: set[asyncio.Task[None]] = set()

    @property
    def real_address(self) -> tuple[str, int] | None:
        """The real address that reaches this listener from the node."""
        if self.real is None or not self.real.sockets:
            return None
        name = self.real.sockets[0].getsockname()
        return (name[0], name[1])

    def take(self, sock: socket.socket, flow: Flow, on_made: Made) -> None:
        """Give an established connection to the program; the socket is the pod's from here on."""
        context = self._context.copy()
        name = f"accept {flow}"
        task = self._loop.create_task(self._attach(sock, flow, on_made), name=name, context=context)
        self._attaching.add(task)
        task.add_done_callback(self._attaching.discard)

    async def _attach(self, sock: socket.socket, flow: Flow, on_made: Made) -> None:
        def greet() -> Greeter:
            own, peer = server_names(flow)
            return Greeter(self._factory, own, peer, self._loop, on_made)

        try:
            await self._loop.connect_accepted_socket(greet, sock, ssl=self._tls)
        except OSError as error:  # the client left, or broke the TLS handshake
            log.info("connection lost while attaching flow=%s error=%s", flow, error)
            reset(sock)

    def greeter(self, node_ip: str, pod_ip: str) -> Factory:
        """The factory of the real port: its peer, the node, is shown with the node's address."""
        return lambda: Greeter(self._factory, (pod_ip, self.port), (node_ip, 0), self._loop)

    def close(self) -> None:
        """Stop accepting; connections already made live on."""
        self.accepting = False
        if self.real is not None:
            self.real.close()


class PodServer(asyncio.AbstractServer):
    """The server object a program holds; `sockets` name the pod's address."""

    def __init__(
        self,
        listeners: list[PodListener],
        pod_ip: str,
        release: Callable[[PodListener], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._listeners = listeners
        self._release = release
        self._loop = loop
        self._closed = loop.create_future()
        self.sockets: tuple[PodSocket, ...] = tuple(
            PodSocket(listener.address, listener.port) for listener in listeners
        )

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return not self._closed.done() and all(listener.accepting for listener in self._listeners)

    async def start_serving(self) -> None:
        for listener in self._listeners:
            listener.accepting = True

    async def serve_forever(self) -> None:
        await self.start_serving()
        try:
            await asyncio.shield(self._closed)
        finally:
            self.close()

    def close(self) -> None:
        for listener in self._listeners:
            self._release(listener)
        self.sockets = ()
        if not self._closed.done():
            self._closed.set_result(None)

    def close_clients(self) -> None:
        """Connections belong to the pod, which ends them with itself."""

    def abort_clients(self) -> None:
        """Connections belong to the pod, which ends them with itself."""

    async def wait_closed(self) -> None:
        await asyncio.shield(self._closed)


class PodSocket:
    """What `server.sockets` and `transport.get_extra_info('socket')` show of a pod's socket."""

    def __init__(self, ip: str, port: int, kind: int = socket.SOCK_STREAM) -> None:
        self._name = (ip, port)
        self.family = socket.AF_INET
        self.type = kind
        self.proto = 0

    def getsockname(self) -> tuple[str, int]:
        """The pod's address."""
        return self._name

    def getpeername(self) -> tuple[str, int]:
        """A listening socket has no peer."""
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    def setsockopt(self, *_: Any) -> None:
        """Options of an emulated socket have no effect."""

    def getsockopt(self, *_: Any) -> int:
        """Options of an emulated socket read as zero."""
        return 0

    def fileno(self) -> int:
        """There is no descriptor behind an emulated socket."""
        return -1

    def __repr__(self) -> str:
        return f"<PodSocket laddr={self._name}>"
