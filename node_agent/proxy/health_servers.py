"""The HTTP servers behind healthCheckNodePort: one listener a Service, on the node's real address.

A listener is there as soon as the node decides by the Service; any path is answered. A port that
cannot be had is told once, and tried again with the next change of the view.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Mapping
from functools import partial

from aiohttp import web

from cluster.aio.clock import Clock
from cluster.aio.listener import Listener
from cluster.aio.streams import reset
from cluster.aio.tasks import Tasks
from cluster.dataplane.node_view import NodeView
from cluster.objects.meta import Key
from cluster.wire.addresses import SocketAddress
from node_agent.proxy.health_checks import Change, HealthCheck, check_changes

log = logging.getLogger(__name__)

PROBERS_MAX = 256  # connections of balancers at a time


class HealthServers:
    """The health checks of one node; `follow` is a listener of the node's view."""

    def __init__(self, *, bind: str, clock: Clock) -> None:
        self._bind = bind
        self._ports: dict[Key, int] = {}
        self._current: dict[int, HealthCheck] = {}
        self._servers: dict[int, tuple[Listener, web.Server]] = {}
        self._accepting = Tasks(clock)
        self._failing: set[int] = set()
        self._closed = False

    @property
    def wanted(self) -> bool:
        """Whether there are health check ports."""
        return bool(self._current)

    def follow(self, before: NodeView, after: NodeView) -> None:
        """Listen where the Services of the new view want it, and answer by it."""
        self.apply(check_changes(before, after))

    def apply(self, changes: Mapping[Key, Change]) -> None:
        """Take these Services' checks; what cannot be listened on is tried again with each."""
        if self._closed:
            return
        for key, change in changes.items():
            self._forget(key)
            if change is not None:
                port, check = change
                self._ports[key], self._current[port] = port, check
        self._close_unwanted()
        for port in self._current.keys() - self._servers.keys():
            self._open(port)

    def _forget(self, key: Key) -> None:
        port = self._ports.pop(key, 0)
        if port in self._current and self._current[port].service == key:
            del self._current[port]

    def _close_unwanted(self) -> None:
        self._failing &= self._current.keys()
        for port in self._servers.keys() - self._current.keys():
            listener, _ = self._servers.pop(port)
            listener.close()

    def _open(self, port: int) -> None:
        server = web.Server(partial(self._answer, port))
        try:
            listener = Listener(SocketAddress(self._bind, port), partial(self._accepted, server))
        except OSError as error:
            self._failed(port, error)
            return
        self._failing.discard(port)
        listener.start()
        self._servers[port] = (listener, server)

    def _failed(self, port: int, error: OSError) -> None:
        if port not in self._failing:
            self._failing.add(port)
            service = "/".join(self._current[port].service)
            text = "health check port not open port=%d service=%s error=%s"
            log.warning(text, port, service, error.strerror or error)

    def _accepted(self, server: web.Server, sock: socket.socket, peer: SocketAddress) -> None:
        if len(self._accepting) >= PROBERS_MAX:
            reset(sock)
            return
        self._accepting.start(self._serve(server, sock), name=f"health check {peer}")

    async def _serve(self, server: web.Server, sock: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(server, sock)

    async def _answer(self, port: int, _: web.BaseRequest) -> web.StreamResponse:
        check = self._current.get(port)
        if check is None:  # its Service is gone, the connection is not
            return web.Response(status=404)
        return web.Response(
            text=json.dumps(check.document(), indent="\t") + "\n",
            status=check.status,
            content_type="application/json",
            headers=check.headers(),
        )

    async def close(self) -> None:
        """Stop listening; connections end."""
        self._closed = True
        servers = list(self._servers.values())
        self._servers.clear()
        for listener, _ in servers:
            listener.close()
        await self._accepting.close()
        for _, server in servers:
            await server.shutdown()
