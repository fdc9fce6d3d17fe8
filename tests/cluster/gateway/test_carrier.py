"""A way to a node: reached, asked, joined."""

import asyncio
import socket
from typing import Any

import pytest

from cluster.aio.relay import EndedBy, Relays
from cluster.aio.streams import address_of, listen
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.carrier import RelayCarrier
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind

KEY = bytes(range(32))
FLOW = Flow(Protocol.TCP, SocketAddress("203.0.113.7", 4000), SocketAddress("127.65.0.1", 80))
CONTEXT = FlowContext(
    flow_id="0" * 16, flow=FLOW, original=FLOW, origin=Origin(OriginKind.OUTSIDE, "203.0.113.7")
)


async def test_a_node_is_asked_and_then_joined_with_its_client(world: Any, talk: Any) -> None:
    node, relays = world.node(), Relays()
    link = await RelayCarrier(KEY, relays).reach(BackendNode("node-1", node.address))
    assert await link.ask(CONTEXT) == node.verdict
    context, far = await node.next_flow()
    assert context == CONTEXT
    near, client = socket.socketpair()
    with client:
        for sock in (near, client):
            sock.setblocking(False)
        joined = asyncio.ensure_future(link.join(near, CONTEXT))
        await talk.send(client, b"request")
        assert await talk.receive(far) == b"request"
        assert relays.names() == [CONTEXT.flow_id]
        far.close()
        client.shutdown(socket.SHUT_WR)
        result = await joined
    assert (result.bytes_forward, result.bytes_back) == (7, 0)
    assert result.ended_by is EndedBy.SERVER
    link.close()


async def test_a_node_that_cannot_be_reached_is_an_oserror() -> None:
    with listen(SocketAddress("127.0.0.1", 0)) as door:
        address = address_of(door)
    with pytest.raises(ConnectionRefusedError):
        await RelayCarrier(KEY, Relays()).reach(BackendNode("node-1", address))


async def test_a_way_given_up_is_closed(world: Any) -> None:
    node = world.node()
    link = await RelayCarrier(KEY, Relays()).reach(BackendNode("node-1", node.address))
    link.close()
    link.close()
    with pytest.raises(OSError):
        await link.ask(CONTEXT)
