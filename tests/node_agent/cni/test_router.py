"""TCP between pods, nodes and clients: what was decided is carried out over real sockets."""

import asyncio
import errno
import logging
import socket
import struct
from typing import Any

import pytest

from cluster.aio.streams import close, listen
from cluster.aio.tunnel import dial
from cluster.dataplane.decision import Code, Stage
from cluster.dns.resolver import Lookup, NameNotResolved, Resolution
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.preamble import Answer, AnswerOutcome
from node_agent.cni import callers, router
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.router import FlowRefused, node_origin

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


async def ask(world: Any, pod: PodNetwork, ip: str, port: int = 8080) -> list[bytes]:
    """The lines that come back for a word."""

    async def work() -> list[bytes]:
        reader, writer = await asyncio.open_connection(ip, port)
        writer.write(b"word")
        writer.write_eof()
        lines = (await reader.read()).split(b"\n")
        writer.close()
        return lines

    lines: list[bytes] = await world.run(pod, work)
    return lines


def last(node: Any) -> Any:
    return node.segments()[-1]


# From pod to pod


async def test_pods_of_one_node_talk_and_the_flow_is_recorded(world: Any) -> None:
    """P-2: by IP, local route."""
    web, client = await world.pod("web"), await world.pod("client")
    await serve(world, web)
    assert await ask(world, client, web.ip) == [client.ip.encode(), b"WORD"]
    (segment,) = world.nodes[1].segments()
    assert (segment.outcome, segment.client_saw) == (Outcome.DELIVERED, ClientSaw.CONNECTED)
    assert segment.origin == Origin(OriginKind.POD, "default/client", "node-1")
    assert segment.endpoint["pod"] == "web"


async def test_a_pod_reaches_itself_through_its_service(world: Any) -> None:
    web = await world.pod("web")
    world.service("web", VIP, web.ip)
    await serve(world, web)
    assert (await ask(world, web, VIP, 80))[1] == b"WORD"


async def test_pods_of_two_nodes_talk_and_both_record_their_part(world: Any) -> None:
    """O-3: the hops are numbered on across the tunnel, under one name."""
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    await serve(world, web)
    assert await ask(world, client, web.ip) == [client.ip.encode(), b"WORD"]
    (sent,), (came,) = world.nodes[1].segments(), world.nodes[2].segments()
    assert sent.flow_id == came.flow_id
    assert (sent.outcome, sent.next_process) == (Outcome.PASSED, "node-2")
    assert came.outcome is Outcome.DELIVERED and came.origin == sent.origin
    numbers = [hop.number for hop in (*sent.hops, *came.hops)]
    assert numbers == list(range(len(numbers)))
    assert sent.client_saw is ClientSaw.CONNECTED


async def test_a_service_leads_to_its_endpoint_on_another_node(world: Any) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    world.service("web", VIP, web.ip)
    await serve(world, web)
    assert await ask(world, client, VIP, 80) == [client.ip.encode(), b"WORD"]
    stages = [hop.step.stage for hop in last(world.nodes[1]).hops]
    assert Stage.SERVICE in stages


async def test_a_programs_own_socket_becomes_the_connection(world: Any) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    await serve(world, web)
    sock = world.keep(socket.socket())
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await world.run(client, lambda: loop.sock_connect(sock, (web.ip, 8080)))
    await loop.sock_sendall(sock, b"word")
    sock.shutdown(socket.SHUT_WR)
    assert await world.read_all(sock) == f"{client.ip}\nWORD".encode()


async def test_localhost_stays_in_the_pod_and_is_recorded(world: Any) -> None:
    """P-5, P-7: no policy holds it back."""
    pod = await world.pod("twin")
    world.isolate("deny-all")
    await serve(world, pod, port=95)
    assert (await ask(world, pod, "localhost", 95))[0] == b"127.0.0.1"
    assert last(world.nodes[1]).reason == "localhost: a container of the pod listens on 95"
    with pytest.raises(ConnectionRefusedError):
        await ask(world, pod, "127.0.0.1", 90)
    refused = last(world.nodes[1])
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert refused.client_saw is ClientSaw.REFUSED


# What fails, explains


@pytest.mark.parametrize("number", [1, 2])
async def test_a_port_nobody_listens_on_is_refused_by_the_pod(world: Any, number: int) -> None:
    """P-9, O-20: on this node and on another."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    with pytest.raises(FlowRefused) as caught:
        await ask(world, client, web.ip)
    assert caught.value.errno == errno.ECONNREFUSED
    (own,) = world.nodes[1].segments(id=caught.value.flow_id)
    assert own.client_saw is ClientSaw.REFUSED
    (there,) = world.nodes[number].segments(id=caught.value.flow_id)
    assert (there.outcome, there.code) == (Outcome.REFUSED, Code.PORT_CLOSED)


async def test_a_service_without_endpoints_is_refused_at_once(world: Any) -> None:
    """S-85."""
    client = await world.pod("client")
    world.service("web", VIP)
    with pytest.raises(ConnectionRefusedError):
        await ask(world, client, VIP, 80)
    assert last(world.nodes[1]).code is Code.NO_ENDPOINT


@pytest.mark.parametrize("number", [1, 2])
async def test_what_a_policy_denies_is_silence(world: Any, number: int) -> None:
    """O-20: the client waits for its own time-out; the trace names the policy at once."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    await serve(world, web)
    world.isolate("deny-all")
    asking = asyncio.create_task(ask(world, client, web.ip))
    await world.until(lambda: any(s.client_saw for s in world.nodes[1].segments()))
    assert not asking.done()
    denied = last(world.nodes[number])
    assert (denied.outcome, denied.code) == (Outcome.DROPPED, Code.POLICY_DENIED)
    assert "deny-all" in str(denied.hops[-1].step)
    assert last(world.nodes[1]).client_saw is ClientSaw.TIMEOUT
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_the_machines_network_is_closed(world: Any) -> None:
    client = await world.pod("client")
    with pytest.raises(ConnectionRefusedError):
        await ask(world, client, "198.51.100.7", 443)
    assert last(world.nodes[1]).code is Code.OUTSIDE_CLOSED


async def test_a_name_that_led_nowhere_has_a_trace_of_its_own(world: Any) -> None:
    """O-13, O-20: the fourth of four symptoms."""
    client = await world.pod("client")
    queries = (Lookup("nowhere.", "A", "10.96.0.10:53", "NXDOMAIN"),)
    error = NameNotResolved(socket.EAI_NONAME, Resolution("nowhere", (), queries))
    flow_id = client.unresolved(error)
    (segment,) = world.nodes[1].segments(id=flow_id)
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.NXDOMAIN)
    assert segment.client_saw is ClientSaw.UNRESOLVED and segment.complete
    assert segment.hops[0].step.detail["queries"][0]["rcode"] == "NXDOMAIN"
    assert segment.origin.name == "default/client" and segment.kind is FlowKind.TRAFFIC


async def test_a_node_without_a_tunnel_is_silence_and_the_trace_says_so(world: Any) -> None:
    """O-27."""
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    world.silenced.add("node-2")
    asking = asyncio.create_task(ask(world, client, web.ip))
    await world.until(lambda: any(s.client_saw for s in world.nodes[1].segments()))
    lost = last(world.nodes[1])
    assert (lost.outcome, lost.code) == (Outcome.DROPPED, Code.NODE_UNREACHABLE)
    assert lost.reason.startswith("node-2 does not answer") and lost.next_process == ""
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_tunnel_that_dies_before_its_answer_is_silence_too(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    door = world.keep(listen(SocketAddress("127.0.0.1", 0)))
    real = world.tunnel
    address = SocketAddress(*door.getsockname())
    monkeypatch.setattr(world, "tunnel", lambda n: address if n == "node-2" else real(n))
    world.nodes[1].router._peers = type(world.nodes[1].router._peers)(world.tunnel, world.host)
    asking = asyncio.create_task(ask(world, client, web.ip))
    met, _ = await asyncio.get_running_loop().sock_accept(door)
    met.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    met.close()
    await world.until(lambda: any(s.client_saw for s in world.nodes[1].segments()))
    assert last(world.nodes[1]).code is Code.NODE_UNREACHABLE
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_node_that_ends_in_mid_connection_ends_it_for_the_client(world: Any) -> None:
    """P-62."""

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        await reader.read()

    web, client = await world.pod("web", 2), await world.pod("client", 1)
    await serve(world, web, stay)
    reader, writer = await world.run(client, lambda: asyncio.open_connection(web.ip, 8080))
    assert await reader.readline() == b"hello\n"
    await world.nodes[2].close()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    asking = asyncio.create_task(ask(world, client, web.ip))
    await world.until(lambda: last(world.nodes[1]).code is Code.NODE_UNREACHABLE)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


# Processes of the host


async def test_an_address_of_the_host_is_a_real_process(world: Any) -> None:
    """The API server, from inside a pod."""
    client = await world.pod("client")
    door = world.keep(listen(SocketAddress("127.0.0.1", 0)))
    world.hosts[""] = SocketAddress(*door.getsockname())

    async def call() -> bytes:
        reader, writer = await asyncio.open_connection("172.30.255.254", 6443)
        data = await reader.read()
        writer.close()
        return data

    calling = asyncio.create_task(world.run(client, call))
    met, _ = await asyncio.get_running_loop().sock_accept(door)
    met.send(b"apis")
    met.close()
    assert await calling == b"apis"


async def test_a_host_nobody_serves_refuses(world: Any) -> None:
    """O-20: no rule is in the way, and the trace still ends as the client's attempt did."""
    client = await world.pod("client")
    with pytest.raises(ConnectionRefusedError):
        await ask(world, client, "172.30.255.254", 6443)  # no address is known
    world.hosts[""] = SocketAddress("127.0.0.1", 9)
    with pytest.raises(ConnectionRefusedError):
        await ask(world, client, "172.30.255.254", 6443)
    segment = last(world.nodes[1])
    assert segment.client_saw is ClientSaw.REFUSED
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert segment.reason == "no process of the host listens on 172.30.255.254:6443"


async def test_who_gives_a_host_up_leaves_no_socket(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: asyncio.Queue[socket.socket] = asyncio.Queue()

    async def never(sock: socket.socket, _: SocketAddress) -> None:
        begun.put_nowait(sock)
        await asyncio.Event().wait()

    client = await world.pod("client")
    world.hosts[""] = SocketAddress("127.0.0.1", 9)
    monkeypatch.setattr(router, "connect", never)
    asking = asyncio.create_task(ask(world, client, "172.30.255.254", 6443))
    sock = await begun.get()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert sock.fileno() == -1


async def test_the_node_port_of_another_node_is_asked_through_its_tunnel(world: Any) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    assert (await ask(world, client, "172.30.0.2", NODE_PORT))[1] == b"WORD"


# A client at a node port


async def front(world: Any, node: Any, port: int = NODE_PORT) -> tuple[socket.socket, Any]:
    """A client that reached a node port, and the task that carries it."""
    client, accepted = world.pair()
    origin, source = world.outside_client()
    flow = Flow(Protocol.TCP, source, SocketAddress(node.ip, port))
    return client, asyncio.create_task(node.router.front(accepted, origin, flow))


async def spoken(world: Any, client: socket.socket) -> bytes:
    await asyncio.get_running_loop().sock_sendall(client, b"word")
    client.shutdown(socket.SHUT_WR)
    data: bytes = await world.read_all(client)
    return data


async def test_a_client_of_a_node_port_reaches_the_pod_of_that_node(world: Any) -> None:
    """The socket itself is given to the pod: nothing of the node stays on its way."""
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
async def test_a_refused_client_is_reset(world: Any, number: int) -> None:
    """S-85, O-20: the handshake is over, so a reset is the nearest thing; the trace says so."""
    web = await world.pod("web", number)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    client, carrying = await front(world, world.node(1))
    await carrying
    with pytest.raises(ConnectionResetError):
        await world.read_all(client)
    own, there = last(world.nodes[1]), last(world.nodes[number])
    assert (there.outcome, there.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert own.client_saw is ClientSaw.RESET and own.complete


@pytest.mark.parametrize("number", [1, 2])
async def test_a_denied_client_hears_nothing(world: Any, number: int) -> None:
    """O-20: its handshake is over, and it waits for its own time-out."""
    web = await world.pod("web", number)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    world.isolate("deny-all")
    client, carrying = await front(world, world.node(1))
    await world.until(lambda: any(s.client_saw for s in world.nodes[1].segments()))
    assert last(world.nodes[1]).client_saw is ClientSaw.TIMEOUT
    assert last(world.nodes[number]).code is Code.POLICY_DENIED
    with pytest.raises(BlockingIOError):
        client.recv(1)
    assert not carrying.done()
    carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await carrying


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
        await world.node(1).router.arrive(
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


# Names of flows


async def test_a_connected_sockets_flow_is_known_while_it_lives(world: Any) -> None:
    web = await world.pod("web", 1)
    await serve(world, web)
    node = world.nodes[1]
    source = SocketAddress(node.ip, 40000)
    flow = Flow(Protocol.TCP, source, SocketAddress(web.ip, 8080))
    sock = await node.router.connect(node_origin("node-1"), flow, kind=FlowKind.PROBE)
    world.keep(sock)
    assert node.router.flow_id_of(sock) == last(node).flow_id
    assert last(node).kind is FlowKind.PROBE
    with socket.socket() as other:
        assert node.router.flow_id_of(other) == ""


async def test_the_end_of_the_router_ends_its_relays(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    web = await world.pod("web", 2)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)
    await serve(world, web)
    client, carrying = await front(world, world.node(1))
    assert (await asyncio.get_running_loop().sock_recv(client, 100)).startswith(b"172.30.0.1")
    world.nodes[1].router.close()
    await carrying
    with pytest.raises(ConnectionResetError):
        await world.read_all(client)
    close(client)
