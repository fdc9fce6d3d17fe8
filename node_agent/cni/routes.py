"""The node's data plane as its pods' networks see it: streams and datagrams behind one object."""

import socket
from typing import TYPE_CHECKING, Any

from cluster.dns.resolver import NameNotResolved
from cluster.wire.flow import Flow, FlowKind, Origin
from node_agent.cni.datagram_flow import Way
from node_agent.cni.datagram_router import DatagramRouter
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.router import Router

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork


class PodRoutes:
    """What `pod_network.Router` asks for."""

    def __init__(self, streams: Router, datagrams: DatagramRouter) -> None:
        self._streams = streams
        self._datagrams = datagrams

    async def connect(
        self,
        origin: Origin,
        flow: Flow,
        *,
        kind: FlowKind,
        sock: socket.socket | None,
        resolved: dict[str, Any] | None,
    ) -> socket.socket:
        """A connected socket, or the error that Linux would give."""
        return await self._streams.connect(origin, flow, kind=kind, sock=sock, resolved=resolved)

    async def pair(
        self, network: "PodNetwork", flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        """A connection over localhost inside one pod."""
        return await self._streams.pair(network, flow, sock)

    def unresolved(self, origin: Origin, flow: Flow, error: NameNotResolved) -> str:
        """Record that a name led nowhere; the name of its trace."""
        return self._streams.unresolved(origin, flow, error)

    def send(
        self, network: "PodNetwork", endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> Way | None:
        """One datagram on its way; the way that the next ones may take."""
        return self._datagrams.send(network, endpoint, flow, data)
