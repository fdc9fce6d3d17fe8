"""Accepted sockets: clients of node ports, sockets handed over, flows that came by the tunnel.

What clients see and traces tell is the same whether sockets change hands or are relayed.
"""

import asyncio
import errno
import logging
import socket
import struct
from typing import Any

import pytest

from cluster.aio.streams import close, held, listen
from cluster.aio.tunnel import dial
from cluster.dataplane.decision import Code
from cluster.trace.join import join
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext
from cluster.wire.handover import Handed
from cluster.wire.preamble import Answer, AnswerOutcome
from node_agent.cni import callers
from node_agent.cni.pod_network import PodNetwork

KEY = bytes(range(32))
VIP, NODE_PORT = "10.96.0.20", 30080


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who asks, then everything in capitals, then the end."""
    writer.write(f"{writer.get_extra_info('peername')[0]}\n".encode())
    writer.write((await reader.read()).upper())
    writer.write_eof()


async def serve(world: Any, pod: PodNetwork, handler: Any = answer, port: int = 8080) -> None:
    async def start() -> None:
        await asyncio.start_server(handler, None, port)

    await world.run(pod, start)


def last(node: Any) -> Any:
    return node.segments()[-1]


def trace(world: Any) -> Any:
    """The newest flow of node 1, as all its processes tell of it."""
    name = last(world.nodes[1]).flow_id
    segments = [s for node in world.nodes.values() for s in node.segments() if s.flow_id == name]
    return join(segments)


# A client at a node port


async def front(world: Any, node: Any, port: int = NODE_PORT) -> tuple[socket.socket, Any]:
    """A client that reached a node port, and the task that carries it, if one is needed."""
    client, accepted = world.pair()
    origin, source = world.outside_client()
    flow = Flow(Protocol.TCP, source, SocketAddress(node.ip, port))
    rest = node.arrivals.front(accepted, origin, flow)
    return client, asyncio.create_task(rest if rest is not None else asyncio.sleep(0))


async def spoken(world: Any, client: socket.socket) -> bytes:
    await asyncio.get_running_loop().sock_sendall(client, b"word")
    client.shutdown(socket.SHUT_WR)
    data: bytes = await world.read_all(client)
    return data


async def test_a_client_of_a_node_port_reaches_the_pod_of_that_node(either_world: Any) -> None:
    """The socket itself is given to the pod: nothing of the node stays on its way."""
    world = either_world
    web = await world.pod("web", 1)
    world.service("web", VIP, web.ip, node_port=NODE_PORT, externalTrafficPolicy="Local")
    await serve(world, web)
    client, carrying = await front(world, world.nodes[1])
    await carrying
    assert last(world.nodes[1]).client_saw is ClientSaw.CONNECTED
    assert await spoken(world, client) == b"203.0.113.7\nWORD"


async def test_a_client_is_relayed_to_a_pod_of_another_node(world: Any) -> None:
    """S-101, S-107: the source is the first node's, whose relay counts the bytes."""
    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    client, carrying = await front(world, world.node(1))
    assert await spoken(world, client) == b"172.30.0.1\nWORD"
    await carrying
    segment = last(world.nodes[1])
    assert (segment.bytes_in, segment.bytes_out) == (4, len(b"172.30.0.1\nWORD"))
    assert segment.ended is not None and segment.client_saw is ClientSaw.CONNECTED


async def test_a_client_is_handed_to_the_node_of_its_pod(handing_world: Any) -> None:
    """S-101, S-107: the source is the first node's; the end of the flow is told backwards."""
    world = handing_world

    async def answer_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web, answer_and_leave)
    client, carrying = await front(world, world.node(1))
    await carrying
    assert await spoken(world, client) == b"172.30.0.1\nWORD"
    own, there = last(world.nodes[1]), last(world.nodes[2])
    assert own.handed_over and own.complete and own.next_process == "node-2"
    assert there.flow_id == own.flow_id and there.client_saw is ClientSaw.CONNECTED
    assert there.hops[0].number == own.hops[-1].number + 1
    assert len(world.nodes[1].arrivals.relays) == 0
    close(client)
    await world.until(lambda: not world.nodes[2].established.live())
    world.nodes[2].established.sweep()
    await world.until(lambda: last(world.nodes[1]).ended)
    assert last(world.nodes[2]).ended == last(world.nodes[1]).ended == world.clock.now()


async def test_a_relay_passes_a_reset_on(world: Any) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web, reset)
    client, carrying = await front(world, world.node(1))
    client.send(b"now\n")
    with pytest.raises(ConnectionResetError):
        await world.read_all(client)
    await carrying
    assert last(world.nodes[1]).client_saw is ClientSaw.RESET


@pytest.mark.parametrize("number", [1, 2])
async def test_a_refused_client_is_reset(either_world: Any, number: int) -> None:
    """S-85, O-20: the handshake is over, so a reset is the nearest thing; the trace says so."""
    world = either_world
    web = await world.pod("web", number)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    client, carrying = await front(world, world.node(1))
    await carrying
    with pytest.raises(ConnectionResetError):
        await world.read_all(client)
    own, there = last(world.nodes[1]), last(world.nodes[number])
    assert (there.outcome, there.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert trace(world).client_saw is ClientSaw.RESET and own.complete


@pytest.mark.parametrize("number", [1, 2])
async def test_a_denied_client_hears_nothing(either_world: Any, number: int) -> None:
    """O-20: its handshake is over, and it waits for its own time-out."""
    world = either_world
    web = await world.pod("web", number)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    world.isolate("deny-all")
    client, carrying = await front(world, world.node(1))
    await world.until(lambda: held() == 1)
    assert trace(world).client_saw is ClientSaw.TIMEOUT
    assert last(world.nodes[number]).code is Code.POLICY_DENIED
    with pytest.raises(BlockingIOError):
        client.recv(1)
    carrying.cancel()
    await asyncio.wait([carrying])


async def test_a_client_whose_node_cannot_be_reached_hears_nothing(world: Any) -> None:
    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    world.silenced.add("node-2")
    client, carrying = await front(world, world.node(1))
    await world.until(lambda: world.nodes[1].segments(outcome=Outcome.DROPPED))
    assert last(world.nodes[1]).code is Code.NODE_UNREACHABLE
    with pytest.raises(BlockingIOError):
        client.recv(1)
    carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await carrying


# Another process sends


def from_gateway(world: Any, entry: Entry, ip: str, port: int) -> FlowContext:
    origin, source = world.outside_client()
    flow = Flow(Protocol.TCP, source, SocketAddress(ip, port))
    return FlowContext(
        flow_id="00c0ffee00c0ffee",
        flow=flow,
        original=flow,
        origin=origin,
        entry=entry,
        hops=3,
        sender="gateway",
    )


async def test_a_gateway_that_leaves_before_its_answer_is_a_reset_for_the_pod(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
            ended.put_nowait("end of file")
        except ConnectionResetError:
            ended.put_nowait("reset")

    accepted = callers.PeerProcess.accepted
    near = world.keep(world.pair()[1])  # arrive leaves it to its server

    async def left(peer: callers.PeerProcess, said: Answer) -> None:
        if peer.sock is near:
            raise ConnectionResetError(errno.ECONNRESET, "it has left")
        await accepted(peer, said)

    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web, read)
    monkeypatch.setattr(callers.PeerProcess, "accepted", left)
    with pytest.raises(ConnectionResetError):
        await world.node(1).arrivals.arrive(
            near, from_gateway(world, Entry.FRONT, "172.30.0.1", NODE_PORT)
        )
    assert await ended.get() == "reset"


async def knock(world: Any, node: Any, context: FlowContext) -> Any:
    sock, said = await dial(node.tunnel.address, context, KEY, timeout_seconds=10)
    world.keep(sock)
    return sock, said


async def test_the_gateways_flow_is_decided_here_and_its_hops_are_counted_on(world: Any) -> None:
    web = await world.pod("web", 1)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    context = from_gateway(world, Entry.FRONT, "172.30.0.1", NODE_PORT)
    sock, said = await knock(world, world.nodes[1], context)
    assert said.outcome is AnswerOutcome.ACCEPTED and said.endpoint["pod"] == "web"
    assert await spoken(world, sock)
    segment = last(world.nodes[1])
    assert segment.flow_id == context.flow_id
    assert segment.hops[0].number == 3 and said.hops == 3 + len(segment.hops)
    assert segment.hops[0].step.reason == "from gateway"


@pytest.mark.parametrize(
    ("entry", "port", "outcome", "code"),
    [
        (Entry.ADMIT, 8081, AnswerOutcome.REFUSED, Code.PORT_CLOSED),
        (Entry.ADMIT, 8080, AnswerOutcome.DROPPED, Code.POLICY_DENIED),
    ],
)
async def test_a_sender_is_told_the_verdict_and_its_rule(
    world: Any, entry: Entry, port: int, outcome: AnswerOutcome, code: Code
) -> None:
    web = await world.pod("web", 1)
    await serve(world, web)
    if outcome is AnswerOutcome.DROPPED:
        world.isolate("deny-all")
    sock, said = await knock(world, world.nodes[1], from_gateway(world, entry, web.ip, port))
    assert (said.outcome, said.code) == (outcome, code)
    assert said.reason and sock.fileno() == -1


async def test_a_process_that_asks_gets_its_verdict_from_the_node_of_the_pod(
    handing_world: Any,
) -> None:
    """A pod that dials another node's port: one socket from end to end, nobody in between."""
    world = handing_world
    web, client = await world.pod("web", 2), await world.pod("client", 3)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    world.node(1)

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("172.30.0.1", NODE_PORT)
        writer.write(b"word")
        writer.write_eof()
        said = await reader.read()
        writer.close()
        return said

    assert await world.run(client, ask) == b"172.30.0.1\nWORD"
    own = last(world.nodes[1])
    assert own.handed_over and len(world.nodes[1].arrivals.relays) == 0
    told = join([last(world.nodes[number]) for number in (3, 1, 2)])
    assert told.client_saw is ClientSaw.CONNECTED and not told.gaps
    world.isolate("deny-all")
    denied = asyncio.create_task(world.run(client, ask))
    await world.until(lambda: last(world.nodes[3]).client_saw is ClientSaw.TIMEOUT)
    assert last(world.nodes[2]).code is Code.POLICY_DENIED
    denied.cancel()
    await asyncio.wait([denied])


async def test_a_listener_that_closes_before_its_connection_comes_is_a_reset(
    handing_world: Any,
) -> None:
    """Decided when the socket came, given to the pod a turn later: as a kernel's backlog is."""
    world = handing_world
    web = await world.pod("web", 1)
    servers: list[asyncio.Server] = []

    async def start() -> None:
        servers.append(await asyncio.start_server(answer, None, 8080))

    await world.run(web, start)
    client, accepted = world.pair()
    origin, source = world.outside_client()
    flow = Flow(Protocol.TCP, source, SocketAddress(web.ip, 8080))
    context = FlowContext(
        flow_id="00c0ffee00c0ffee", flow=flow, original=flow, origin=origin, entry=Entry.ADMIT
    )
    rest = world.nodes[1].arrivals.taken(accepted, Handed(context, ("node-2#1",), asks=True))
    assert rest is not None
    servers[0].close()
    await rest
    with pytest.raises(ConnectionResetError):
        while await asyncio.get_running_loop().sock_recv(client, 4096):
            pass
    close(client)


async def test_a_flow_for_another_node_is_relayed_and_a_lost_node_is_told(world: Any) -> None:
    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    context = from_gateway(world, Entry.FRONT, "172.30.0.1", NODE_PORT)
    sock, said = await knock(world, world.node(1), context)
    assert said.outcome is AnswerOutcome.ACCEPTED and said.endpoint["node"] == "node-2"
    assert await spoken(world, sock) == b"172.30.0.1\nWORD"
    world.silenced.add("node-2")
    _, said = await knock(world, world.nodes[1], context)
    assert (said.outcome, said.code) == (AnswerOutcome.UNREACHABLE, Code.NODE_UNREACHABLE)


async def test_a_sender_may_reach_a_process_of_the_host(world: Any) -> None:
    door = world.keep(listen(SocketAddress("127.0.0.1", 0)))
    world.hosts["node-1"] = SocketAddress(*door.getsockname())
    context = from_gateway(world, Entry.FRONT, "172.30.0.1", 9100)
    sock, said = await knock(world, world.node(1), context)
    assert said.outcome is AnswerOutcome.ACCEPTED
    met, _ = await asyncio.get_running_loop().sock_accept(door)
    met.send(b"host")
    met.close()
    assert await world.read_all(sock) == b"host"
    world.hosts.clear()
    _, said = await knock(world, world.nodes[1], context)
    assert said.outcome is AnswerOutcome.REFUSED


async def test_the_end_of_a_node_ends_its_relays(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    client, carrying = await front(world, world.node(1))
    assert (await asyncio.get_running_loop().sock_recv(client, 100)).startswith(b"172.30.0.1")
    world.nodes[1].arrivals.close()
    await carrying
    with pytest.raises(ConnectionResetError):
        await world.read_all(client)
    close(client)
