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
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from weakref import WeakSet

from cluster.aio.streams import reset
from cluster.dataclass import dataclass
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
        on_made: Callable[[PodTransport, Holder], None],
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
        self._attaching: dict[object, socket.socket] = {}
        self._transports: WeakSet[PodTransport] = WeakSet()

    def take(self, sock: socket.socket, flow: Flow, on_made: Made) -> None:
        """Give an established connection to the program; the socket is the pod's from here on.

        One that was still on its way when the listener closed is reset, as a kernel's backlog is.
        """
        if not self.accepting:
            reset(sock)
            return
        names = server_names(flow)
        greeter = Greeter(self._factory, *names, self._loop, partial(self._made, on_made))
        if self._tls is None:
            self._attach(sock, greeter, flow)
        else:
            self._attach_encrypted(sock, greeter, flow, self._tls)

    def _made(self, on_made: Made, transport: PodTransport) -> None:
        self._transports.add(transport)
        self._on_made(transport, self.holder)
        on_made(transport)

    def _attach(self, sock: socket.socket, greeter: Greeter, flow: Flow) -> None:
        """Put a transport on the socket, in a context of its own.

        The coroutine that does it waits once, for the greeting: it is driven by hand, for a task
        would cost as much as all the rest.
        """
        attaching = self._loop.connect_accepted_socket(lambda: greeter, sock)
        try:
            greeted = self._context.copy().run(attaching.send, None)
        except OSError as error:  # the client has left
            _lost(sock, flow, error)
        else:
            self._attaching[attaching] = sock
            greeted.add_done_callback(partial(self._attached, attaching, sock, flow))

    def _attached(
        self, attaching: Coroutine[Any, Any, Any], sock: socket.socket, flow: Flow, _: object
    ) -> None:
        if self._attaching.pop(attaching, None) is None:  # abandoned meanwhile
            attaching.close()
            return
        try:
            attaching.send(None)
        except StopIteration:
            pass
        except OSError as error:
            _lost(sock, flow, error)

    def _attach_encrypted(
        self, sock: socket.socket, greeter: Greeter, flow: Flow, tls: Tls
    ) -> None:
        """As `_attach`, but the handshake takes as long as the client does: a task of the pod."""

        async def attach() -> None:
            try:
                await self._loop.connect_accepted_socket(
                    lambda: greeter,
                    sock,
                    ssl=tls.context,
                    ssl_handshake_timeout=tls.handshake_timeout,
                    ssl_shutdown_timeout=tls.shutdown_timeout,
                )
            except OSError as error:  # the client left, or broke the handshake
                _lost(sock, flow, error)

        context = self._context.copy()
        task = self._loop.create_task(attach(), name=f"accept {flow}", context=context)
        self._attaching[task] = sock
        task.add_done_callback(self._attaching.pop)

    def close(self) -> None:
        """Stop accepting; connections already made live on."""
        self.accepting = False

    def abandon(self) -> None:
        """The container is gone: what is just being accepted goes too."""
        self.close()
        for attaching, sock in list(self._attaching.items()):
            if isinstance(attaching, asyncio.Task):
                attaching.cancel()
            else:
                del self._attaching[attaching]
            sock.close()

    def transports(self) -> list[PodTransport]:
        """The live connections that came through this listener."""
        return [each for each in self._transports if not each.is_closing()]


def _lost(sock: socket.socket, flow: Flow, error: OSError) -> None:
    log.info("connection lost while attaching flow=%s error=%s", flow, error)
    sock.close()  # unless the loop holds it: then it is closed by the loop


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
