"""UDP through the load balancer, on real sockets."""

import logging
import socket
from typing import Any

import pytest

from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.socket_names import pack_name
from cluster.gateway.udp_flows import STREAM_SECONDS, UdpFlows
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import Datagram, encode
from cluster.wire.flow import Entry

KEY = bytes(range(32))


@pytest.fixture
async def served(world: Any, make: Any, udp_port: int) -> Any:
    """A world with one node and a UDP Service on it."""
    world.only = world.node()
    world.put(make.service(port=udp_port, protocol="UDP"))
    world.put(make.slice("10.244.1.5", protocol="UDP"))
    return world


async def test_a_datagram_is_answered_by_the_address_it_was_sent_to(
    served: Any, talk: Any, udp_port: int
) -> None:
    client = served.datagram_client(udp_port)
    client.send(b"query")
    assert await talk.receive(client) == b"QUERY"
    datagram, _ = await served.only.next_datagram()
    number = client.getsockname()[1]
    assert str(datagram.context.flow) == f"UDP 203.0.113.7:{number} -> 127.65.211.1:{udp_port}"
    assert datagram.context.entry is Entry.FRONT
    assert (datagram.context.sender, datagram.context.hops) == ("gateway", 1)


async def test_the_datagrams_of_one_client_are_one_flow(
    served: Any, talk: Any, udp_port: int
) -> None:
    served.node(2)
    client = served.datagram_client(udp_port)
    for word in (b"one", b"two", b"three"):
        client.send(word)
        assert await talk.receive(client) == word.upper()
    (segment,) = served.segments()
    assert segment.client_saw is ClientSaw.REPLIED
    assert segment.outcome is Outcome.PASSED
    assert served.gateway.udp.live == 1
    other = served.datagram_client(udp_port)
    other.send(b"four")
    assert await talk.receive(other) == b"FOUR"
    assert len(served.segments()) == 2


async def test_many_datagrams_arrive_unaltered_in_order_and_so_do_their_answers(
    served: Any, talk: Any, udp_port: int
) -> None:
    """Of two clients, each a flow of its own; of all sizes, so in runs of all lengths."""
    clients = [served.datagram_client(udp_port) for _ in range(2)]
    for size in range(0, 1400, 200):
        words = [b"%d " % number + b"x" * (size + number // 20) for number in range(30)]
        for word in words:
            for client in clients:
                client.send(word)
        for client in clients:
            assert [await talk.receive(client) for _ in words] == [each.upper() for each in words]
    assert len(served.segments()) == 2
    assert served.gateway.udp.dropped == 0


async def test_a_flow_ends_when_nothing_more_is_seen_of_it(
    served: Any, talk: Any, udp_port: int
) -> None:
    """S-129."""
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    assert await talk.receive(client) == b"HELLO"
    served.clock.advance(STREAM_SECONDS)
    await served.settle(lambda: served.gateway.udp.live == 0)
    (segment,) = served.segments()
    assert (segment.bytes_in, segment.bytes_out) == (5, 5)
    assert segment.ended == served.clock.now()
    client.send(b"again")
    assert await talk.receive(client) == b"AGAIN"
    assert len(served.segments()) == 2


async def test_a_flow_moves_on_when_its_node_dies(served: Any, talk: Any, udp_port: int) -> None:
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    assert await talk.receive(client) == b"HELLO"
    second = served.node(2)
    served.gateway.checks.failed("node-1", ConnectionRefusedError(111, "Connection refused"))
    assert served.gateway.udp.live == 0
    client.send(b"still there?")
    assert await talk.receive(client) == b"STILL THERE?"
    datagram, _ = await second.next_datagram()
    assert datagram.payload == b"still there?"


async def test_a_flow_follows_a_node_that_comes_back_elsewhere(
    served: Any, talk: Any, udp_port: int
) -> None:
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    assert await talk.receive(client) == b"HELLO"
    again = served.node(1)  # the same node, with another tunnel
    client.send(b"welcome back")
    assert await talk.receive(client) == b"WELCOME BACK"
    assert (await again.next_datagram())[0].payload == b"welcome back"


async def test_flows_stay_where_they_are_while_other_things_change(
    served: Any, talk: Any, make: Any, udp_port: int
) -> None:
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    assert await talk.receive(client) == b"HELLO"
    served.node(2)
    served.put(make.slice("10.244.1.5", "10.244.2.5", protocol="UDP"))
    assert served.gateway.udp.live == 1
    client.send(b"again")
    assert await talk.receive(client) == b"AGAIN"
    assert len(served.segments()) == 1


async def test_a_flow_ends_with_its_front(served: Any, talk: Any, make: Any, udp_port: int) -> None:
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    assert await talk.receive(client) == b"HELLO"
    served.put(make.service(port=udp_port, protocol="UDP"), gone=True)
    assert served.gateway.udp.live == 0
    client.send(b"gone")
    with pytest.raises(ConnectionRefusedError):
        await talk.receive(client)


async def test_with_nobody_to_send_to_the_datagram_is_lost_and_the_trace_says_so(
    served: Any, udp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = served.gateway.fronts.find(SocketAddress("127.65.211.1", udp_port), "UDP")
    served.gateway.health.failed("node-1", "refused", surely=True)
    client = pack_name(SocketAddress("127.66.0.7", 4000))
    served.gateway.udp.received(plan, {client: [b"hello", b"anybody?"]})
    (segment,) = served.segments()
    assert segment.outcome is Outcome.DROPPED
    assert served.gateway.udp.dropped == 2


async def test_a_port_unreachable_of_the_node_cannot_be_passed_on_and_is_counted(
    served: Any, talk: Any, udp_port: int
) -> None:
    """O-20: its client sees silence, unless it was answered before."""
    served.only.echo_datagrams = False
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    datagram, peer = await served.only.next_datagram()
    served.only.reply(datagram, peer, b"", refused=True)
    await served.settle(lambda: served.gateway.udp.dropped == 1)
    assert served.segments()[0].client_saw is ClientSaw.TIMEOUT
    served.only.reply(datagram, peer, b"now")
    assert await talk.receive(client) == b"now"
    served.only.reply(datagram, peer, b"", refused=True)
    await served.settle(lambda: served.gateway.udp.dropped == 2)
    assert served.segments()[0].client_saw is ClientSaw.REPLIED


async def test_what_is_no_reply_of_a_flow_is_dropped(
    served: Any, talk: Any, udp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    served.only.echo_datagrams = False
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    datagram, peer = await served.only.next_datagram()
    stranger = served.only._udp
    with caplog.at_level(logging.INFO):
        stranger.send(b"garbage", peer)
        stranger.send(encode(Datagram(datagram.context, b"no reply"), KEY), peer)
        forged = encode(Datagram(datagram.context, b"forged", reply=True), bytes(32))
        stranger.send(forged, peer)
        await served.settle(lambda: served.gateway.udp.dropped == 3)
    assert "another cluster's" in caplog.text
    served.only.reply(datagram, peer, b"the answer")
    assert await talk.receive(client) == b"the answer"


async def test_a_reply_to_a_forgotten_flow_is_dropped(
    served: Any, talk: Any, udp_port: int
) -> None:
    served.only.echo_datagrams = False
    client = served.datagram_client(udp_port)
    client.send(b"hello")
    datagram, peer = await served.only.next_datagram()
    served.clock.advance(1000)
    await served.settle(lambda: served.gateway.udp.live == 0)
    served.only.reply(datagram, peer, b"too late")
    await served.settle(lambda: served.gateway.udp.dropped == 1)


async def test_a_datagram_too_long_for_the_tunnel_is_dropped(served: Any, udp_port: int) -> None:
    client = served.datagram_client(udp_port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    client.send(bytes(65507))
    await served.settle(lambda: served.gateway.udp.dropped == 1)


async def test_what_a_front_cannot_send_back_is_counted_also_when_it_is_gone(
    served: Any, make: Any, udp_port: int
) -> None:
    """As to port 0, which nobody has."""
    fronts = served.gateway.fronts
    (front,) = fronts._fronts.values()
    front.endpoint.send(b"nobody", SocketAddress("127.0.0.1", 0))
    assert fronts.datagrams_lost == 1
    served.put(make.service(port=udp_port, protocol="UDP"), gone=True)
    assert (len(fronts), fronts.datagrams_lost) == (0, 1)


async def test_flows_are_bounded(
    served: Any, udp_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served.gateway.udp, "_flows", UdpFlows(flows_max=0))
    with caplog.at_level(logging.WARNING):
        served.datagram_client(udp_port).send(b"hello")
        await served.settle(lambda: served.gateway.udp.dropped == 1)
    assert "0 UDP flows live" in caplog.text
    assert isinstance(served.gateway.udp._tunnel, DatagramEndpoint)
