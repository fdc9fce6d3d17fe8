"""UDP between pods, nodes and clients: decided once, carried by the table, ended in the trace."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cluster.aio.datagrams import DatagramEndpoint
from cluster.dataplane.decision import Code
from cluster.objects.resources import SERVICES
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.datagrams import Datagram, decode, encode
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind
from node_agent.cni.datagram_flow import Payloads, Way
from node_agent.cni.pod_network import PodNetwork

KEY = bytes(range(32))
VIP, NODE_PORT = "10.96.0.53", 30053


class Echo(asyncio.DatagramProtocol):
    """Answers in capitals, and says who asked."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(f"{addr[0]} ".encode() + data.upper(), addr)


class Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.data: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.data.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.errors.put_nowait(exc)

    async def next(self) -> tuple[bytes, Any]:
        return await asyncio.wait_for(self.data.get(), 10)


async def serve(world: Any, pod: PodNetwork, port: int = 8080) -> Any:
    loop = asyncio.get_running_loop()
    transport, _ = await world.run(
        pod, lambda: loop.create_datagram_endpoint(Echo, ("0.0.0.0", port))
    )
    return transport


async def client_of(world: Any, pod: PodNetwork, ip: str, port: int) -> tuple[Any, Inbox]:
    """A connected socket."""
    loop = asyncio.get_running_loop()
    made: tuple[Any, Inbox] = await world.run(
        pod, lambda: loop.create_datagram_endpoint(Inbox, None, (ip, port))
    )
    return made


def last(node: Any) -> Any:
    return node.segments()[-1]


@pytest.mark.parametrize("number", [1, 2])
async def test_datagrams_reach_a_pod_and_its_answers_come_back(world: Any, number: int) -> None:
    """P-2: on this node and on another; one flow, however many datagrams."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    await serve(world, web)
    transport, inbox = await client_of(world, client, web.ip, 8080)
    for word in (b"one", b"two", b"three"):
        transport.sendto(word)
        assert await inbox.next() == (f"{client.ip} ".encode() + word.upper(), (web.ip, 8080))
    (segment,) = world.nodes[1].segments()
    assert segment.client_saw is ClientSaw.REPLIED
    (there,) = world.nodes[number].segments()
    assert there.outcome is Outcome.DELIVERED and there.flow_id == segment.flow_id
    assert world.nodes[number].datagrams.live == 1


@pytest.mark.parametrize("number", [1, 2])
async def test_a_service_answers_by_its_own_address(world: Any, number: int) -> None:
    """S-106: a connected client would take no other answer."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    world.service("dns", VIP, web.ip, protocol="UDP")
    await serve(world, web)
    transport, inbox = await client_of(world, client, VIP, 80)
    transport.sendto(b"hello")
    assert await inbox.next() == (f"{client.ip} HELLO".encode(), (VIP, 80))


@pytest.mark.parametrize("number", [1, 2])
async def test_nobody_who_listens_is_a_refusal_at_the_connected_client(
    world: Any, number: int
) -> None:
    """S-85."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"anybody?")
    error = await asyncio.wait_for(inbox.errors.get(), 10)
    assert isinstance(error, ConnectionRefusedError)
    (segment,) = world.nodes[1].segments()
    assert segment.client_saw is ClientSaw.REFUSED
    assert last(world.nodes[number]).code is Code.PORT_CLOSED
    assert world.nodes[1].datagrams.live == 0  # decided anew next time


@pytest.mark.parametrize("number", [1, 2])
async def test_a_refusal_belongs_to_its_flow_whatever_isolates_the_client(
    world: Any, number: int
) -> None:
    """N-87, N-15: port unreachable comes back to a pod that nobody may reach, and so do replies."""
    web, client = await world.pod("web", number), await world.pod("client", app="client")
    world.isolate("deny-client", pods={"matchLabels": {"app": "client"}})
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"anybody?")
    assert isinstance(await asyncio.wait_for(inbox.errors.get(), 10), ConnectionRefusedError)
    await serve(world, web)
    transport.sendto(b"now?")
    assert await inbox.next() == (f"{client.ip} NOW?".encode(), (web.ip, 8080))
    other, _ = await client_of(world, web, client.ip, 9)
    other.sendto(b"may I?")
    await world.until(lambda: world.nodes[1].segments(outcome=Outcome.DROPPED))
    assert last(world.nodes[1]).code is Code.POLICY_DENIED


async def test_a_service_without_endpoints_refuses(world: Any) -> None:
    """S-85."""
    client = await world.pod("client")
    world.service("dns", VIP, protocol="UDP")
    transport, inbox = await client_of(world, client, VIP, 80)
    transport.sendto(b"hello")
    assert isinstance(await inbox.errors.get(), ConnectionRefusedError)
    assert last(world.nodes[1]).code is Code.NO_ENDPOINT


@pytest.mark.parametrize("number", [1, 2])
async def test_what_a_policy_denies_is_silence(world: Any, number: int) -> None:
    web, client = await world.pod("web", number), await world.pod("client", 1)
    await serve(world, web)
    world.isolate("deny-all")
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"hello")
    await world.until(lambda: world.nodes[number].segments(outcome=Outcome.DROPPED))
    saw = ClientSaw.TIMEOUT if number == 1 else ClientSaw.UNKNOWN  # no answer tells of a silence
    assert last(world.nodes[1]).client_saw is saw
    assert world.nodes[number].datagrams.dropped == 1
    assert inbox.data.empty() and inbox.errors.empty()


async def test_a_socket_that_closes_refuses_what_comes_after(world: Any) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    server = await serve(world, web)
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"one")
    await inbox.next()
    server.close()
    transport.sendto(b"two")
    assert isinstance(await asyncio.wait_for(inbox.errors.get(), 10), ConnectionRefusedError)
    assert world.nodes[1].datagrams.live == world.nodes[2].datagrams.live == 0
    await serve(world, web)
    transport.sendto(b"three")
    assert (await inbox.next())[0].endswith(b"THREE")


async def test_a_node_without_a_tunnel_is_silence_and_may_come_back(world: Any) -> None:
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    await serve(world, web)
    world.silenced.add("node-2")
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"one")
    assert last(world.nodes[1]).code is Code.NODE_UNREACHABLE
    assert world.nodes[1].datagrams.dropped == 1
    world.silenced.clear()
    transport.sendto(b"two")
    assert (await inbox.next())[0].endswith(b"TWO")


async def test_the_host_takes_no_datagrams(world: Any) -> None:
    """O-20."""
    client = await world.pod("client")
    transport, inbox = await client_of(world, client, "172.30.255.254", 53)
    transport.sendto(b"hello")
    assert isinstance(await inbox.errors.get(), ConnectionRefusedError)
    segment = last(world.nodes[1])
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert segment.client_saw is ClientSaw.REFUSED


# Ends


async def test_a_flow_that_rests_ends_and_its_bytes_are_in_the_trace(world: Any) -> None:
    """S-129."""
    web, client = await world.pod("web"), await world.pod("client")
    await serve(world, web)
    node = world.nodes[1]
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"hello")
    await inbox.next()
    expiring = asyncio.create_task(node.datagrams.expire_forever())
    await asyncio.sleep(0)
    world.clock.advance(1000)
    await world.until(lambda: node.datagrams.live == 0)
    assert last(node).ended is not None
    assert (last(node).bytes_in, last(node).bytes_out) == (5, len(f"{client.ip} HELLO"))
    expiring.cancel()


async def test_a_flow_whose_time_ends_while_another_is_decided_is_noted_too(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table forgets it; nothing of it may be left beside the table."""
    web, client = await world.pod("web"), await world.pod("client")
    await serve(world, web)
    node = world.nodes[1]
    rule = node.rulings.rule

    def slowly(*arguments: Any) -> Any:
        world.clock.advance(1000)
        return rule(*arguments)

    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"one")
    await inbox.next()
    first = last(node).flow_id
    other, _ = await client_of(world, client, web.ip, 8080)
    monkeypatch.setattr(node.rulings, "rule", slowly)
    other.sendto(b"two")
    monkeypatch.undo()
    third, _ = await client_of(world, client, web.ip, 8080)
    third.sendto(b"three")
    ended = [each.flow_id for each in node.segments() if each.ended is not None]
    assert first in ended
    assert node.datagrams.live == len(node.datagrams._table)


async def test_an_endpoint_that_goes_takes_its_flows_along(world: Any) -> None:
    """S-126: the next datagram goes to another endpoint."""
    first, second = await world.pod("first", 1), await world.pod("second", 2)
    client = await world.pod("client", 1)
    world.service("dns", VIP, first.ip, protocol="UDP")
    await serve(world, first)
    await serve(world, second)
    transport, inbox = await client_of(world, client, VIP, 80)
    transport.sendto(b"one")
    await inbox.next()
    world.service("dns", VIP, second.ip, protocol="UDP")
    assert world.nodes[1].datagrams.live == 0
    transport.sendto(b"two")
    assert (await inbox.next())[0].endswith(b"TWO")
    assert last(world.nodes[2]).endpoint["pod"] == "second"


# A client at a node port


class Front:
    """What a node's proxier does for one client."""

    def __init__(self, world: Any, node: Any) -> None:
        self.origin, source = world.outside_client()
        self.flow = Flow(Protocol.UDP, source, SocketAddress(node.ip, NODE_PORT))
        self.node = node
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, *payloads: bytes) -> Way | None:
        way: Way | None = self.node.datagrams.front(
            self.origin, self.flow, payloads, self._reply, FlowKind.TRAFFIC
        )
        return way

    def _reply(self, payloads: Payloads, _: bool) -> None:
        for data in payloads:
            self.answers.put_nowait(data)

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.answers.get(), 10)


@pytest.mark.parametrize(("number", "source"), [(1, "172.30.0.1"), (2, "172.30.0.1")])
async def test_a_client_of_a_node_port_is_answered(world: Any, number: int, source: str) -> None:
    """S-101: the pod sees the node's address; the client its answer."""
    web = await world.pod("web", number)
    world.service("dns", VIP, web.ip, protocol="UDP", node_port=NODE_PORT)
    await serve(world, web)
    front = Front(world, world.node(1))
    for word in (b"one", b"two"):
        front.send(word)
        assert await front.next() == f"{source} ".encode() + word.upper()
    assert len(world.nodes[1].segments()) == 1


async def test_policy_local_keeps_the_clients_address(world: Any) -> None:
    """S-59."""
    web = await world.pod("web", 1)
    world.service(
        "dns", VIP, web.ip, protocol="UDP", node_port=NODE_PORT, externalTrafficPolicy="Local"
    )
    await serve(world, web)
    front = Front(world, world.nodes[1])
    front.send(b"hi")
    assert await front.next() == b"203.0.113.7 HI"


async def test_a_refused_client_is_told_nothing(world: Any) -> None:
    """O-20: no unprivileged process can send an ICMP message, so the client sees silence."""
    web = await world.pod("web", 1)
    world.service("dns", VIP, web.ip, protocol="UDP", node_port=NODE_PORT)
    front = Front(world, world.nodes[1])
    front.send(b"hi")
    segment = last(world.nodes[1])
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.PORT_CLOSED)
    assert segment.client_saw is ClientSaw.TIMEOUT
    assert front.answers.empty()


# Another process


class Peer:
    """The gateway's or another node's end of the tunnel."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.came: asyncio.Queue[Datagram] = asyncio.Queue()
        self._endpoint = DatagramEndpoint(SocketAddress("127.0.0.1", 0), self._take)
        self._endpoint.start()

    def _take(self, data: bytes, _: SocketAddress) -> None:
        self.came.put_nowait(decode(data, KEY))

    def send(self, data: bytes) -> None:
        self._endpoint.send(data, self.node.tunnel.address)

    def close(self) -> None:
        self._endpoint.close()


@pytest.fixture
async def peer(world: Any) -> Any:
    made = Peer(world.node(1))
    yield made
    made.close()


def gateways(world: Any, ip: str, port: int) -> FlowContext:
    origin, source = world.outside_client()
    flow = Flow(Protocol.UDP, source, SocketAddress(ip, port))
    return FlowContext(
        flow_id="00c0ffee00c0ffee",
        flow=flow,
        original=flow,
        origin=origin,
        entry=Entry.FRONT,
        hops=2,
        sender="gateway",
    )


async def test_the_gateways_flow_goes_on_under_its_name_and_comes_back(
    world: Any, peer: Peer
) -> None:
    web = await world.pod("web", 1)
    world.service("dns", VIP, web.ip, protocol="UDP", node_port=NODE_PORT)
    await serve(world, web)
    context = gateways(world, "172.30.0.1", NODE_PORT)
    peer.send(encode(Datagram(context, b"hi"), KEY))
    answer = await asyncio.wait_for(peer.came.get(), 10)
    assert answer.reply and answer.payload == b"172.30.0.1 HI"
    segment = last(world.nodes[1])
    assert segment.flow_id == context.flow_id and segment.hops[0].number == 2
    assert segment.hops[0].step.reason == "from gateway"


async def test_a_process_that_was_started_anew_may_use_a_tuple_again(
    world: Any, peer: Peer
) -> None:
    """The answers go to the process that asks now, under its flow's name, not to the one before."""
    web = await world.pod("web", 1)
    await serve(world, web)
    before = replace(gateways(world, web.ip, 8080), entry=Entry.ADMIT)
    peer.send(encode(Datagram(before, b"hi"), KEY))
    await asyncio.wait_for(peer.came.get(), 10)
    anew = Peer(world.nodes[1])
    after = replace(before, flow_id="00c0ffee00c0ff02")
    anew.send(encode(Datagram(after, b"again"), KEY))
    answer = await asyncio.wait_for(anew.came.get(), 10)
    anew.close()
    assert answer.context.flow_id == after.flow_id and answer.payload.endswith(b" AGAIN")
    assert peer.came.empty()
    first, second = world.nodes[1].segments()
    assert first.ended is not None and first.flow_id == before.flow_id
    assert second.ended is None and second.flow_id == after.flow_id
    assert world.nodes[1].datagrams.live == 1


async def test_a_peer_is_told_of_a_refusal(world: Any, peer: Peer) -> None:
    web = await world.pod("web", 1)
    context = replace(gateways(world, web.ip, 8080), entry=Entry.ADMIT)
    peer.send(encode(Datagram(context, b"hi"), KEY))
    answer = await asyncio.wait_for(peer.came.get(), 10)
    assert answer.reply and answer.refused and not answer.payload


async def test_what_is_no_datagram_of_ours_is_counted_and_dropped(world: Any, peer: Peer) -> None:
    """A stranger's bytes, another key's, and answers to nothing that was asked."""
    node = world.nodes[1]
    context = gateways(world, "172.30.0.1", NODE_PORT)
    peer.send(b"hello?")
    peer.send(encode(Datagram(context, b"hi"), bytes(32)))
    peer.send(encode(Datagram(context, b"hi", reply=True), KEY))
    await world.until(lambda: node.datagrams.dropped == 3)
    assert node.segments() == [] and node.datagrams.live == 0


async def test_what_the_api_forgets_is_forgotten(world: Any) -> None:
    """S-127: a Service that is deleted."""
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    world.service("dns", VIP, web.ip, protocol="UDP")
    await serve(world, web)
    transport, inbox = await client_of(world, client, VIP, 80)
    transport.sendto(b"one")
    await inbox.next()
    gone = {"metadata": {"namespace": "default", "name": "dns"}}
    world.put((SERVICES, gone), gone=True)
    assert world.nodes[1].datagrams.live == 0
    transport.sendto(b"two")
    assert inbox.data.empty()


# Many datagrams


async def burst(world: Any, number: int, count: int) -> tuple[Any, Inbox, Any]:
    """A client that sent that many, some long and some short, to an echo on a node."""
    web, client = await world.pod("web", number), await world.pod("client", 1)
    await serve(world, web)
    transport, inbox = await client_of(world, client, web.ip, 8080)
    for each in range(count):
        transport.sendto(b"%d " % each + b"x" * (each % 7 * 200))
    return transport, inbox, client


@pytest.mark.parametrize("number", [1, 2])
async def test_many_datagrams_of_a_flow_arrive_unaltered_in_order(world: Any, number: int) -> None:
    _, inbox, client = await burst(world, number, 300)
    for each in range(300):
        expected = f"{client.ip} {each} ".encode() + b"X" * (each % 7 * 200)
        assert (await inbox.next())[0] == expected
    assert len(world.nodes[1].segments()) == 1
    assert world.nodes[1].datagrams.dropped == 0


async def test_a_flow_that_is_known_is_neither_decided_nor_looked_for_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One ruling, and one look at the table, for all that follows; either way, on both nodes."""
    transport, inbox, _ = await burst(world, 2, 1)
    await inbox.next()
    transport.sendto(b"the way is found")
    await inbox.next()
    for node in (world.nodes[1], world.nodes[2]):
        for name in ("find", "seen", "open"):
            monkeypatch.setattr(node.datagrams._table, name, None)
    for _ in range(3):
        transport.sendto(b"again")
        assert (await inbox.next())[0].endswith(b"AGAIN")


async def test_a_pod_is_told_in_its_own_context_and_its_failure_is_the_loops(world: Any) -> None:
    """As when the loop calls it: the datagrams behind it are delivered all the same."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    class Failing(Echo):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            if data == b"fail":
                raise RuntimeError("as programs do")
            super().datagram_received(data, addr)

    web, client = await world.pod("web", 2), await world.pod("client", 1)
    loop = asyncio.get_running_loop()
    await world.run(web, lambda: loop.create_datagram_endpoint(Failing, ("0.0.0.0", 8080)))
    transport, inbox = await client_of(world, client, web.ip, 8080)
    for word in (b"one", b"fail", b"two"):
        transport.sendto(word)
    assert [(await inbox.next())[0].split()[1] for _ in range(2)] == [b"ONE", b"TWO"]
    assert [str(context["exception"]) for context in told] == ["as programs do"]


async def test_a_program_that_closes_its_socket_gets_nothing_more(world: Any) -> None:
    class Once(Echo):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.close()

    web, client = await world.pod("web", 2), await world.pod("client", 1)
    loop = asyncio.get_running_loop()
    await world.run(web, lambda: loop.create_datagram_endpoint(Once, ("0.0.0.0", 8080)))
    transport, inbox = await client_of(world, client, web.ip, 8080)
    transport.sendto(b"one")
    for _ in range(20):
        transport.sendto(b"more")
    assert (await inbox.next())[0].endswith(b"ONE")
    assert isinstance(await asyncio.wait_for(inbox.errors.get(), 10), ConnectionRefusedError)
    assert inbox.data.empty()


async def test_pods_of_one_node_that_answer_each_other_let_everybody_else_run(world: Any) -> None:
    """Neither is called while the other is at work."""

    class Player(asyncio.DatagramProtocol):
        deep, deepest, rallies = 0, 0, 0

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            Player.deep += 1
            Player.deepest = max(Player.deep, Player.deepest)
            Player.rallies += 1
            if Player.rallies < 2000:
                self.transport.sendto(data, addr)
            else:
                done.set()
            Player.deep -= 1

    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    one, two = await world.pod("one", 1), await world.pod("two", 1)
    for pod in (one, two):
        transport, _ = await world.run(
            pod, lambda: loop.create_datagram_endpoint(Player, ("0.0.0.0", 9))
        )
    transport.sendto(b"ball", (one.ip, 9))
    await asyncio.wait_for(done.wait(), 10)
    assert Player.deepest == 1


async def test_a_flow_that_a_policy_ends_is_not_carried_by_a_way_that_was_kept(world: Any) -> None:
    """S-127: what a view forgets is decided anew, whoever remembers how it went before."""
    web, client = await world.pod("web", 2), await world.pod("client", 1)
    world.service("dns", VIP, web.ip, protocol="UDP")
    await serve(world, web)
    transport, inbox = await client_of(world, client, VIP, 80)
    for word in (b"one", b"two"):
        transport.sendto(word)
        await inbox.next()
    world.service("dns", VIP, protocol="UDP")
    transport.sendto(b"three")
    assert isinstance(await inbox.errors.get(), ConnectionRefusedError)
    assert last(world.nodes[1]).code is Code.NO_ENDPOINT


async def test_the_way_of_a_client_of_a_node_port_lives_as_long_as_its_flow(world: Any) -> None:
    """S-129."""
    web = await world.pod("web", 1)
    world.service("dns", VIP, web.ip, protocol="UDP", node_port=NODE_PORT)
    await serve(world, web)
    front = Front(world, world.nodes[1])
    way = front.send(b"one", b"two")
    assert way is not None
    assert [await front.next() for _ in range(2)] == [b"172.30.0.1 ONE", b"172.30.0.1 TWO"]
    assert way.send([b"three"], at_once=True)
    assert await front.next() == b"172.30.0.1 THREE"
    world.clock.advance(1000)
    assert not way.send([b"four"], at_once=True)
    assert front.send(b"five") is not None
    assert await front.next() == b"172.30.0.1 FIVE"
    assert len(world.nodes[1].segments()) == 2
