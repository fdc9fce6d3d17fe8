"""Sockets that change hands between nodes: what becomes of them when somebody dies or hangs."""

import asyncio
import contextlib
import itertools
import socket
from pathlib import Path
from typing import Any

import pytest

from cluster.aio.handoff import Handoff, new_instance
from cluster.aio.streams import close, held
from cluster.dataplane.decision import Code
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext
from cluster.wire.handover import Ended, Handed
from node_agent.cni import established, hand_over

VIP, NODE_PORT = "10.96.0.20", 30080
PORTS = itertools.count(20000)


class Gateway:
    """Another process: it hands clients to nodes."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.ended: list[Ended] = []
        self.handoff = Handoff(
            world.run_dir,
            new_instance("gateway"),
            undelivered=lambda *_: None,
            ended=self.ended.append,
        )

    def client(
        self,
        node: str = "node-1",
        ip: str = "172.30.0.1",
        port: int = NODE_PORT,
        before: tuple[str, ...] = (),
    ) -> Any:
        """A client whose socket is given to a node; `before` are those who had it before."""
        client, accepted = self.world.pair()
        port_of_client = next(PORTS)
        origin, source = self.world.outside_client(port_of_client)
        flow = Flow(Protocol.TCP, source, SocketAddress(ip, port))
        context = FlowContext(
            flow_id=f"{port_of_client:016x}",
            flow=flow,
            original=flow,
            origin=origin,
            entry=Entry.FRONT,
            hops=1,
            sender="gateway",
        )
        handed = Handed(context, (*before, self.handoff.instance))
        assert self.handoff.give(node, accepted, handed)
        return client


@pytest.fixture
def world(handing_world: Any) -> Any:
    return handing_world


@pytest.fixture
async def gateway(world: Any) -> Any:
    world.node(1), world.node(2)
    made = Gateway(world)
    yield made
    made.handoff.close()


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say hello, then nothing until the client leaves."""
    writer.write(b"hello\n")
    await reader.read()
    writer.close()


async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing, and be prepared for a client that leaves badly."""
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


async def serve(world: Any, number: int, talk: Any = hello) -> Any:
    """A Service whose pod is on one node."""
    web = await world.pod("web", number)
    world.service("web", VIP, web.ip, node_port=NODE_PORT)

    async def start() -> None:
        await asyncio.start_server(talk, None, 8080)

    await world.run(web, start)
    return web


async def received(client: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(loop.sock_recv(client, 100), 10)


async def still_there(client: socket.socket) -> bool:
    """Half-closed: whoever is there closes too, and whoever was reset raises."""
    client.shutdown(socket.SHUT_WR)
    return await received(client) == b""


@pytest.mark.parametrize("number", [1, 2])
async def test_the_death_of_a_process_ends_the_flows_that_passed_it(
    world: Any, gateway: Gateway, number: int
) -> None:
    """As if it had stayed in their path; flows of others live on."""
    await serve(world, number)
    client = gateway.client()
    other = Gateway(world)
    bystander = other.client()
    assert await received(client) == await received(bystander) == b"hello\n"
    gateway.handoff.close()
    with pytest.raises(ConnectionResetError):
        await received(client)
    assert len(world.nodes[number].established.live()) == 1
    bystander.send(b"x")
    close(bystander)
    other.handoff.close()


async def test_a_flow_that_has_not_reached_its_pod_ends_with_the_process_it_came_from(
    world: Any, gateway: Gateway
) -> None:
    """The socket and the news of the death are read in the same turn of the node's loop."""
    await serve(world, 1, listen)
    client = gateway.client()
    await asyncio.sleep(0)  # it is sent at the end of this turn
    gateway.handoff.close()
    with pytest.raises(ConnectionResetError):
        await received(client)
    close(client)


async def test_a_flow_that_comes_later_than_the_news_of_a_death_is_ended_too(
    world: Any, gateway: Gateway
) -> None:
    """It waited in another process's queue; so does one that this node would keep silent."""
    await serve(world, 1, listen)
    world.nodes[1].hand_over._lost(["first#1"])
    late = gateway.client(before=("first#1",))
    with pytest.raises(ConnectionResetError):
        await received(late)
    world.isolate("deny-all")
    silent = gateway.client(before=("first#1",))
    with pytest.raises(ConnectionResetError):
        await received(silent)
    close(late)
    close(silent)


async def test_a_process_that_was_taken_for_dead_and_is_there_again_is_alive(
    world: Any, gateway: Gateway
) -> None:
    """Such as one whose connection was ended for what it said on it."""
    await serve(world, 1)
    first = gateway.client()
    assert await received(first) == b"hello\n"
    (peer,) = world.nodes[1].hand_over._server._peers
    peer.end("nonsense")
    with pytest.raises(ConnectionResetError):
        await received(first)
    await world.until(lambda: not gateway.handoff._ways)
    again = gateway.client()
    assert await received(again) == b"hello\n"
    assert await asyncio.wait_for(still_there(again), 10)
    close(again)


async def test_the_death_of_a_node_between_ends_the_flows_that_passed_it(
    world: Any, gateway: Gateway
) -> None:
    await serve(world, 2)
    through, past = gateway.client("node-1"), gateway.client("node-2", "172.30.0.2")
    assert await received(through) == await received(past) == b"hello\n"
    world.nodes[1].hand_over.close()
    with pytest.raises(ConnectionResetError):
        await received(through)
    assert len(world.nodes[2].established.live()) == 1
    close(past)


async def test_a_flow_that_is_kept_silent_ends_with_the_process_it_came_from(
    world: Any, gateway: Gateway
) -> None:
    await serve(world, 1)
    world.isolate("deny-all")
    client = gateway.client()
    await world.until(lambda: held() == 1)
    assert world.nodes[1].segments()[-1].client_saw is ClientSaw.TIMEOUT
    gateway.handoff.close()
    with pytest.raises(ConnectionResetError):
        await received(client)


async def test_the_ends_of_flows_are_told_to_every_process_they_passed(
    world: Any, gateway: Gateway
) -> None:
    await serve(world, 2)
    clients = [gateway.client() for _ in range(3)]
    for client in clients:
        assert await received(client) == b"hello\n"
        close(client)
    await world.until(lambda: not world.nodes[2].established.live())
    world.nodes[2].established.sweep()
    await world.until(lambda: gateway.ended)
    assert sorted(gateway.ended[0].flow_ids) == sorted(
        segment.flow_id for segment in world.nodes[1].segments()
    )
    assert gateway.ended[0].passed == (gateway.handoff.instance,)
    assert world.nodes[1].segments()[-1].ended == world.clock.now()


async def test_what_a_node_did_not_take_is_asked_of_its_tunnel(
    world: Any, gateway: Gateway
) -> None:
    """A node that hangs: its tunnel does not answer either, and the trace says so."""
    await serve(world, 2)
    node = world.nodes[1]
    world.silenced.add("node-2")
    first = gateway.client()  # opens the way from node 1 to node 2
    assert await received(first) == b"hello\n"
    (way,) = node.hand_over._handoff._ways.values()
    way._wait()  # as while the peer's queue is full
    client = gateway.client()
    await world.until(lambda: way.queue)
    way.lost("it took nothing for 5 s")
    await world.until(lambda: node.segments(outcome=Outcome.DROPPED))
    segment = node.segments(outcome=Outcome.DROPPED)[-1]
    assert segment.code is Code.NODE_UNREACHABLE
    assert segment.client_saw is ClientSaw.TIMEOUT
    with pytest.raises(BlockingIOError):
        client.recv(1)
    close(first)


async def test_a_node_that_cannot_pass_on_takes_nothing_in_meanwhile(
    world: Any, gateway: Gateway
) -> None:
    await serve(world, 2)
    node = world.nodes[1]
    node.hand_over._handoff.queue_max = 1
    first = gateway.client()
    assert await received(first) == b"hello\n"
    (way,) = node.hand_over._handoff._ways.values()
    way._wait()
    clients = [gateway.client() for _ in range(5)]
    await world.until(lambda: node.hand_over._server._paused)
    way._resume()
    for client in clients:
        assert await received(client) == b"hello\n"
        close(client)
    assert not node.hand_over._server._paused
    close(first)


async def test_beyond_the_bound_clients_are_reset(
    world: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_over, "CARRIED_MAX", 0)
    await serve(world, 1)
    world.isolate("deny-all")
    client = gateway.client()
    with pytest.raises(ConnectionResetError):
        await received(client)
    assert world.nodes[1].hand_over.turned_away == 1


async def test_where_no_socket_can_be_taken_nodes_relay(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hand_over, "place", lambda *_: Path("/nowhere/at/all"))
    node = world.node(1)
    assert "no sockets are handed over" in caplog.text
    node.hand_over.tell_ended(1.0, ("gateway#1",), ["00c0ffee00c0ffee"])  # nobody is there


async def test_the_news_of_a_death_ends_somewhere(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(established, "GONE_MAX", 2)
    node = world.node(1)
    for number in range(4):
        node.hand_over._lost([f"gateway#{number}"])
        node.hand_over._lost([f"gateway#{number}"])
    assert list(node.established._gone) == ["gateway#2", "gateway#3"]
