"""pods/exec, pods/attach and pods/portforward: from a request that may pass to served streams.

    GET  with a WebSocket, POST (or GET) with SPDY/3.1; whoever asks, and whether he may, is settled

What can be refused is refused before the connection changes, as a Status: no such pod or container,
a pod without a node or that has ended, a kubelet that does not answer, a protocol nobody speaks.
"""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from cluster.aio.channels import Channels
from cluster.aio.clock import Clock
from cluster.client.interface import Document
from cluster.errors import WireError
from cluster.objects.resources import PODS
from control.apiserver import statuses
from control.apiserver.kubelet_channels import KubeletRefusal
from control.apiserver.kubelets import Kubelets
from control.apiserver.paths import ResourcePath
from control.apiserver.pod_log import container_of
from control.apiserver.streams.negotiation import (
    SPDY_COMMAND_PROTOCOLS,
    SPDY_PORT_FORWARD,
    STREAM_PROTOCOL,
    TUNNEL,
    WEBSOCKET_COMMAND_PROTOCOLS,
    WEBSOCKET_PORT_FORWARD_PROTOCOLS,
    Upgrade,
    command_streams,
    ports_of,
    spdy_protocol,
    upgrade_of,
    websocket_protocol,
)
from control.apiserver.streams.port_forward import forward_channels, forward_streams
from control.apiserver.streams.remote_command import command_over_spdy, command_over_websocket
from control.apiserver.streams.spdy_connection import serve_spdy, serve_tunnel
from control.apiserver.streams.spdy_session import Session
from control.apiserver.streams.websocket import WebSocket
from control.store.record import ObjectKey
from control.store.store import Store

log = logging.getLogger(__name__)

EXEC, ATTACH, PORT_FORWARD = "exec", "attach", "portforward"
STREAMS = frozenset({EXEC, ATTACH, PORT_FORWARD})
ENDED = ("Succeeded", "Failed")
SUBPROTOCOLS = "Sec-WebSocket-Protocol"


class PodStreams:
    """Serves the streams of pods."""

    def __init__(self, store: Store, kubelets: Kubelets, clock: Clock) -> None:
        self._store = store
        self._kubelets = kubelets
        self._clock = clock

    async def serve(self, request: web.BaseRequest, path: ResourcePath) -> web.StreamResponse:
        """One request, to the end of its streams."""
        if request.method not in ("GET", "POST"):
            raise statuses.method_not_allowed()
        try:
            if path.subresource == PORT_FORWARD:
                return await self._forward(request, path)
            return await self._command(request, path)
        except WireError as error:
            log.info("streams ended path=%s error=%s", request.path, error)
        except ConnectionError as error:
            log.debug("streams ended path=%s error=%s", request.path, error)
        return _taken()

    # exec, attach

    async def _command(self, request: web.BaseRequest, path: ResourcePath) -> web.StreamResponse:
        upgrade = upgrade_of(request.headers)
        streams = command_streams(request.query)
        pod, node = self._pod(path)
        container = container_of(pod, request.query)
        _check_runs(pod, path.subresource or "")
        where = f"/{path.subresource}/{path.namespace}/{path.name}/{container}"
        asked = ("stdin", "stdout", "stderr", "tty")
        query = [(name, "true") for name in asked if getattr(streams, name)]
        if path.subresource == EXEC:
            query += [("command", word) for word in request.query.getall("command", [])]
        protocol = _command_protocol(request, upgrade)
        try:
            kubelet = await self._kubelets.channels(node, where, query)
        except KubeletRefusal as refusal:  # text: clients put their words before
            return web.Response(status=refusal.code, text=str(refusal))
        try:
            if upgrade is Upgrade.SPDY:
                await command_over_spdy(request, protocol, streams, kubelet, self._clock)
                return _taken()
            return await command_over_websocket(request, protocol, streams, kubelet, self._clock)
        finally:
            kubelet.abort()

    # port-forward

    async def _forward(self, request: web.BaseRequest, path: ResourcePath) -> web.StreamResponse:
        upgrade = upgrade_of(request.headers)
        _, node = self._pod(path)
        connect = self._connector(node, path)

        async def work(session: Session) -> None:
            await forward_streams(session, connect)

        if upgrade is Upgrade.SPDY:
            offered = request.headers.getall(STREAM_PROTOCOL, [])
            protocol = spdy_protocol(offered, (SPDY_PORT_FORWARD,))
            await serve_spdy(request, protocol, work, self._clock)
            return _taken()
        offered = request.headers.getall(SUBPROTOCOLS, [])
        protocol = websocket_protocol(offered, WEBSOCKET_PORT_FORWARD_PROTOCOLS)
        if protocol == TUNNEL:
            async with WebSocket.opened(request, protocol) as socket:
                await serve_tunnel(request, socket, work, self._clock)
        else:
            ports = ports_of(request.query.getall("port", request.query.getall("ports", [])))
            async with WebSocket.opened(request, protocol) as socket:
                await forward_channels(request, socket, ports, connect, self._clock)
        return socket.response

    def _connector(self, node: str, path: ResourcePath) -> Callable[[int], Awaitable[Channels]]:
        where = f"/portForward/{path.namespace}/{path.name}"

        async def connect(port: int) -> Channels:
            return await self._kubelets.channels(node, where, [("port", str(port))])

        return connect

    def _pod(self, path: ResourcePath) -> tuple[Document, str]:
        """The pod and its node."""
        name = path.name or ""
        record = self._store.get((PODS.group, PODS.plural), ObjectKey(path.namespace or "", name))
        if record is None:
            raise statuses.not_found(PODS, name)
        node = (record.document.get("spec") or {}).get("nodeName")
        if not node:
            raise statuses.bad_request(f"pod {name} does not have a host assigned")
        return record.document, str(node)


def _taken() -> web.Response:
    """For bookkeeping, aiohttp's and the audit log's: the connection has had another owner."""
    return web.Response(status=101)


def _command_protocol(request: web.BaseRequest, upgrade: Upgrade) -> str:
    if upgrade is Upgrade.SPDY:
        return spdy_protocol(request.headers.getall(STREAM_PROTOCOL, []), SPDY_COMMAND_PROTOCOLS)
    offered = request.headers.getall(SUBPROTOCOLS, [])
    return websocket_protocol(offered, WEBSOCKET_COMMAND_PROTOCOLS)


def _check_runs(pod: Document, what: str) -> None:
    phase = (pod.get("status") or {}).get("phase")
    if phase in ENDED:
        into = "exec into" if what == EXEC else "attach to"
        words = f"cannot {into} a container in a completed pod; current phase is {phase}"
        raise statuses.bad_request(words)
