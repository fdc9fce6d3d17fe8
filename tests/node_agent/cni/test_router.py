"""TCP between pods, nodes and clients: what was decided is carried out over real sockets."""

import asyncio
import errno
import socket
import struct
from typing import Any

import pytest

from cluster.aio.streams import listen
from cluster.dataplane.decision import Code, Stage
from cluster.dns.resolver import Lookup, NameNotResolved, Resolution
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni import router
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
