"""How a client's connection gets to a node that takes no sockets: by a relay over its tunnel.

A carrier is chosen per connection. Nodes of the same machine get the accepted socket itself
(`cluster.aio.handoff`): same decisions, same trace.
"""

import socket
from typing import Protocol

from cluster.aio.relay import RelayResult, Relays
from cluster.aio.streams import close
from cluster.aio.tunnel import ask, reach
from cluster.gateway.backend_nodes import BackendNode
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowContext
from cluster.wire.preamble import Answer

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 130.0  # a node may itself wait 127 s for another one


class Link(Protocol):
    """A way to one node for one flow, with nothing said on it yet."""

    async def ask(self, context: FlowContext) -> Answer:
        """The node's verdict; OSError if it never comes."""

    async def join(self, client: socket.socket, context: FlowContext) -> RelayResult:
        """Carry an accepted flow to its end; PoolExhausted, client reset, if there is no room."""

    def close(self) -> None:
        """Give the way up; again is fine."""


class Carrier(Protocol):
    """A kind of way."""

    async def reach(self, node: BackendNode) -> Link:
        """A way to a node; OSError if it cannot be reached: another one may be tried."""


class RelayCarrier:
    """Two sockets per flow, joined here."""

    def __init__(self, key: bytes, relays: Relays) -> None:
        self._key = key
        self._relays = relays

    async def reach(self, node: BackendNode) -> Link:
        """Connect to the node's tunnel."""
        assert node.tunnel is not None, "a node without a tunnel is excluded"
        sock = await reach(node.tunnel, timeout_seconds=CONNECT_SECONDS)
        return _RelayLink(sock, node.tunnel, self._key, self._relays)


class _RelayLink:
    """A connection to a node's tunnel."""

    def __init__(
        self, sock: socket.socket, tunnel: SocketAddress, key: bytes, relays: Relays
    ) -> None:
        self._sock = sock
        self._tunnel = tunnel
        self._key = key
        self._relays = relays

    async def ask(self, context: FlowContext) -> Answer:
        return await ask(
            self._sock, self._tunnel, context, self._key, timeout_seconds=ANSWER_SECONDS
        )

    async def join(self, client: socket.socket, context: FlowContext) -> RelayResult:
        return await self._relays.join(client, self._sock, name=context.flow_id)

    def close(self) -> None:
        close(self._sock)
