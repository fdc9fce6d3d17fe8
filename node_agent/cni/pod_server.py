"""A pod's listening sockets: what `create_server` gives to a program.

A listener is an entry of the pod's port table, without a descriptor: flows are handed to it by the
router, and each runs in the context that the program listened in, so what its handlers dial onward
is the pod's too. Spec: P-2, P-5 to P-9.
"""

import asyncio
import contextvars
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakSet

from cluster.aio.streams import reset
from cluster.wire.flow import Flow
from node_agent.cni.connections import Holder, holder
from node_agent.cni.socket_views import PodSocket
from node_agent.cni.transport import Factory, Greeter, Made, PodTransport, server_names

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a listener's connections are encrypted."""

    context: ssl.SSLContext
    handshake_timeout: float | None = None
    shutdown_timeout: float | None = None


class PodListener:
    """One bound address and port of a pod, and the program's factory behind it."""

    def __init__(
        self,
        factory: Factory,
        address: str,
        *,
        loop: asyncio.AbstractEventLoop,
        on_made: Made,
        tls: Tls | None = None,
    ) -> None:
        self.address = address
        self.port = 0  # known once bound
        self.accepting = True
        self.holder: Holder = holder()
        self._factory = factory
        self._loop = loop
        self._on_made = on_made
        self._tls = tls
        self.server: PodServer | None = None  # held, as the loop holds a real one that listens
        self._context = contextvars.copy_context()
        self._attaching: dict[asyncio.Task[None], socket.socket] = {}
        self._transports: WeakSet[PodTransport] = WeakSet()

    def take(self, sock: socket.socket, flow: Flow, on_made: Made) -> None:
        """Give an established connection to the program; the socket is the pod's from here on.

        One that was still on its way when the listener closed is reset, as a kernel's backlog is.
        """
        if not self.accepting:
            reset(sock)
            return
        context = self._context.copy()
        name = f"accept {flow}"
        task = self._loop.create_task(self._attach(sock, flow, on_made), name=name, context=context)
        self._attaching[task] = sock
        task.add_done_callback(self._attaching.pop)

    async def _attach(self, sock: socket.socket, flow: Flow, on_made: Made) -> None:
        def made(transport: PodTransport) -> None:
            self._transports.add(transport)
            self._on_made(transport)
            on_made(transport)

        def greet() -> Greeter:
            return Greeter(self._factory, *server_names(flow), self._loop, made)

        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(greet, sock)
            else:
                await self._attach_encrypted(greet, sock, self._tls)
        except OSError as error:  # the client left, or broke the TLS handshake
            log.info("connection lost while attaching flow=%s error=%s", flow, error)
            sock.close()  # unless the loop holds it: then it is closed by the loop

    async def _attach_encrypted(self, greet: Factory, sock: socket.socket, tls: Tls) -> None:
        await self._loop.connect_accepted_socket(
            greet,
            sock,
            ssl=tls.context,
            ssl_handshake_timeout=tls.handshake_timeout,
            ssl_shutdown_timeout=tls.shutdown_timeout,
        )

    def close(self) -> None:
        """Stop accepting; connections already made live on."""
        self.accepting = False

    def abandon(self) -> None:
        """The container is gone: what is just being accepted goes too."""
        self.close()
        for task, sock in self._attaching.items():
            task.cancel()
            sock.close()

    def transports(self) -> list[PodTransport]:
        """The live connections that came through this listener."""
        return [each for each in self._transports if not each.is_closing()]


class PodServer(asyncio.AbstractServer):
    """The server object a program holds; `sockets` name the pod's address."""

    def __init__(
        self,
        listeners: list[PodListener],
        release: Callable[[PodListener], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._listeners = listeners
        self._release = release
        self._loop = loop
        self._closed = loop.create_future()
        self._forever: asyncio.Future[None] | None = None
        for listener in listeners:
            listener.server = self
        self.sockets: tuple[PodSocket, ...] = tuple(
            PodSocket(listener.address, listener.port) for listener in listeners
        )

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return not self._closed.done() and all(listener.accepting for listener in self._listeners)

    async def start_serving(self) -> None:
        if self._closed.done():
            raise RuntimeError(f"server {self!r} is closed")
        for listener in self._listeners:
            listener.accepting = True

    async def serve_forever(self) -> None:
        """Serve until cancelled; `close()` cancels it too, as asyncio's own server does."""
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        await self.start_serving()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        finally:
            self._forever = None
            self.close()

    def close(self) -> None:
        for listener in self._listeners:
            self._release(listener)
        self.sockets = ()
        if not self._closed.done():
            self._closed.set_result(None)
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()

    def close_clients(self) -> None:
        """Close every connection that was accepted, once it has written what it holds."""
        for transport in self._accepted():
            transport.close()

    def abort_clients(self) -> None:
        """End every connection that was accepted, at once."""
        for transport in self._accepted():
            transport.abort()

    async def wait_closed(self) -> None:
        await asyncio.shield(self._closed)

    def _accepted(self) -> list[PodTransport]:
        return [each for listener in self._listeners for each in listener.transports()]

    def __repr__(self) -> str:
        names = ", ".join(f"{each.address}:{each.port}" for each in self._listeners)
        return f"<PodServer {names}>"
