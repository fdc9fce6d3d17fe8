"""Clients' sockets handed to nodes of this machine, and what is done when one does not take."""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cluster.aio import handoff
from cluster.aio.handoff import place
from cluster.aio.handoff_server import HandoffServer
from cluster.aio.streams import close
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.flow import Entry
from cluster.wire.handover import Handed


class Taker:
    """The end of a node that takes sockets."""

    def __init__(self, run_dir: Path, name: str) -> None:
        self._socks: list[socket.socket] = []
        self.taken: asyncio.Queue[tuple[socket.socket, Handed]] = asyncio.Queue()
        self.server = HandoffServer(
            place(run_dir, name),
            taken=lambda sock, handed: self.taken.put_nowait((sock, handed)),
            lost=lambda _: None,
        )
        self.server.start()

    async def next(self) -> tuple[socket.socket, Handed]:
        sock, handed = await asyncio.wait_for(self.taken.get(), 10)
        self._socks.append(sock)
        return sock, handed

    def close(self) -> None:
        self.server.close()
        while not self.taken.empty():
            self._socks.append(self.taken.get_nowait()[0])
        for sock in self._socks:
            close(sock)


@pytest.fixture
async def handing(world: Any, make: Any, port: int) -> AsyncIterator[Any]:
    """A world whose one node has a Service, and a directory where sockets can be handed over."""
    with tempfile.TemporaryDirectory(prefix="kh-") as run_dir:
        world.run_dir = Path(run_dir)
        world.gateway._handoff._run_dir = world.run_dir
        world.only = world.node()
        world.put(make.service(port=port))
        world.put(make.slice("10.244.1.5"))
        yield world


async def test_the_clients_own_socket_goes_to_the_node_at_once(
    handing: Any, talk: Any, port: int
) -> None:
    """O-4: the trace names the choice; what the client saw is told by who has its socket."""
    node = Taker(handing.run_dir, "node-1")
    client = await handing.connect(port, source="127.66.0.7")
    sock, (context, passed, asks, ip_version) = await node.next()
    assert not asks and ip_version == 4
    number = client.getsockname()[1]
    assert str(context.flow) == f"TCP 203.0.113.7:{number} -> 127.65.211.1:{port}"
    assert (context.entry, context.sender, context.hops) == (Entry.FRONT, "gateway", 1)
    assert passed == (handing.gateway._handoff.instance,)
    await talk.send(client, b"GET /")
    assert await talk.receive(sock) == b"GET /"
    close(sock)
    assert await talk.receive(client) == b""  # no copy is kept
    (segment,) = handing.segments(id=context.flow_id)
    assert (segment.outcome, segment.next_process) == (Outcome.PASSED, "node-1")
    assert segment.handed_over and segment.complete and segment.client_saw is ClientSaw.UNKNOWN
    assert handing.gateway.tcp.live == 0
    node.server.tell_ended(12.5, passed, [context.flow_id])
    await handing.settle(lambda: handing.segments()[0].ended == 12.5)
    node.close()


async def test_a_node_that_takes_none_is_asked_by_its_tunnel(
    handing: Any, talk: Any, port: int
) -> None:
    client = await handing.connect(port)
    context, far = await handing.only.next_flow()
    await talk.send(client, b"GET /")
    assert await talk.receive(far) == b"GET /"
    (segment,) = handing.segments(id=context.flow_id)
    assert not segment.handed_over


async def test_a_node_that_dies_before_it_takes_is_skipped(
    handing: Any, talk: Any, make: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handoff, "SEND_BUFFER_BYTES", 1)
    node = Taker(handing.run_dir, "node-1")
    node.server.pause()
    other = handing.node(2)
    clients = []
    while not handing.gateway._handoff.waiting:
        clients.append(await handing.connect(port))
        assert len(clients) < 500
    node.close()
    reason = ""
    while "node-1 was skipped: it does not take connections" not in reason:
        context, far = await other.next_flow()
        segments = handing.segments(id=context.flow_id)
        reason = next(each.reason for each in segments if not each.handed_over)
    assert (context.hops, context.sender) == (1, "gateway")
    number = context.flow.source.port
    (client,) = [each for each in clients if each.getsockname()[1] == number]
    await talk.send(client, b"GET /")
    assert await talk.receive(far) == b"GET /"


async def test_a_service_that_went_meanwhile_is_a_reset(
    handing: Any, talk: Any, make: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Taker(handing.run_dir, "node-1")
    first = await handing.connect(port)
    await node.next()
    (way,) = handing.gateway._handoff._ways.values()
    way._wait()
    client = await handing.connect(port)
    await handing.settle(lambda: handing.gateway._handoff.waiting)
    handing.put(make.service(port=port), gone=True)
    node.close()
    with pytest.raises(ConnectionResetError):
        await talk.receive(client)
    close(first)


async def test_clients_wait_while_their_node_is_congested(
    handing: Any, talk: Any, port: int
) -> None:
    """In the kernel's queue, not in ours; and all of them come in the end."""
    node = Taker(handing.run_dir, "node-1")
    first = await handing.connect(port)
    await node.next()
    handing.gateway._handoff.queue_max = 2
    (way,) = handing.gateway._handoff._ways.values()
    way._wait()
    clients = [await handing.connect(port) for _ in range(9)]
    await handing.settle(lambda: handing.gateway.fronts._paused)
    assert len(way.queue) < len(clients)
    way._resume()
    for _ in clients:
        await node.next()
    assert not handing.gateway.fronts._paused
    for client in (first, *clients):
        close(client)
    node.close()
