"""The DNS server on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any

import aiohttp
import pytest

from cluster.dns import server as server_module
from cluster.dns.server import DnsServer
from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import (
    Address,
    Edns,
    Message,
    Question,
    Rcode,
    Record,
    RRType,
    decode,
    encode,
)

Serve = Callable[..., Awaitable[tuple[DnsServer, SocketAddress]]]


@pytest.fixture(params=["own socket", "the loop's"])
async def serve(request: Any) -> AsyncIterator[Serve]:
    """Servers of each kind: of the machine's, and of whatever loop there is, as in a pod."""
    own_socket = request.param == "own socket"
    started: list[DnsServer] = []

    async def start(zone: Any, **more: Any) -> tuple[DnsServer, SocketAddress]:
        source = zone if callable(zone) else lambda: zone
        server = DnsServer(source, dice=Random(1), own_socket=own_socket, **more)
        started.append(server)
        return server, await server.start("127.0.0.1", 0)

    yield start
    for server in started:
        await server.close()


def query(name: str, type_: int = 1, number: int = 9, **more: Any) -> Message:
    full = name[:-1] + "cluster.local" if name.endswith("Z") else name
    question = Question(full, type_)
    return Message(id=number, recursion_desired=True, questions=(question,), **more)


async def by_udp(address: SocketAddress, *queries: Message | bytes) -> list[Message]:
    """Send all, and wait for as many answers."""

    class Client(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.received: asyncio.Queue[bytes] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.received.put_nowait(data)

    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(
        Client, remote_addr=(address.ip, address.port)
    )
    for each in queries:
        transport.sendto(each if isinstance(each, bytes) else encode(each))
    async with asyncio.timeout(10):
        answers = [decode(await client.received.get()) for _ in queries]
    transport.close()
    return answers


class Stream:
    """A client's TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: SocketAddress) -> "Stream":
        return cls(*await asyncio.open_connection(*address))

    def send(self, message: Message | bytes) -> None:
        raw = message if isinstance(message, bytes) else encode(message)
        self._writer.write(len(raw).to_bytes(2, "big") + raw)

    def send_raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def receive(self) -> Message:
        async with asyncio.timeout(10):
            length = int.from_bytes(await self._reader.readexactly(2), "big")
            return decode(await self._reader.readexactly(length))

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            return await self._reader.read(1) == b""

    def close(self) -> None:
        self._writer.close()


async def test_udp_and_tcp_answer_on_one_port(worked: Zone, serve: Serve) -> None:
    _, address = await serve(worked)
    (answer,) = await by_udp(address, query("web.ns.svc.Z"))
    stream = await Stream.open(address)
    stream.send(query("web.ns.svc.Z"))
    assert await stream.receive() == answer
    assert [str(each.data) for each in answer.answers] == ["10.96.0.20"]
    assert answer.authoritative and not answer.recursion_available
    stream.close()


async def test_a_large_answer_is_truncated_by_udp_and_whole_by_tcp(make: Any, serve: Serve) -> None:
    """D-40, D-93, D-94, D-95."""
    ips = [f"10.244.{n >> 8}.{n & 255}" for n in range(1000)]
    _, address = await serve(make.zone(make.headless("hl"), slices=(make.slice("hl", *ips),)))
    small, large = (
        await by_udp(address, query("hl.ns.svc.Z")),
        await by_udp(address, query("hl.ns.svc.Z", edns=Edns(udp_bytes=4096))),
    )
    assert small[0].truncated and len(small[0].answers) < 32
    assert large[0].truncated and len(large[0].answers) > 200
    stream = await Stream.open(address)
    stream.send(query("hl.ns.svc.Z"))
    whole = await stream.receive()
    assert not whole.truncated
    assert sorted(str(each.data) for each in whole.answers) == sorted(ips)
    stream.close()


async def test_a_connection_carries_many_queries_split_anyhow(worked: Zone, serve: Serve) -> None:
    """D-95."""
    _, address = await serve(worked)
    stream = await Stream.open(address)
    for number in range(5):
        stream.send(query("web.ns.svc.Z", number=number))
    assert [(await stream.receive()).id for _ in range(5)] == [0, 1, 2, 3, 4]
    raw = encode(query("web.ns.svc.Z", number=6))
    for byte in len(raw).to_bytes(2, "big") + raw:
        stream.send_raw(bytes([byte]))
    assert (await stream.receive()).id == 6
    stream.close()


async def test_an_idle_connection_is_closed(
    worked: Zone, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-95."""
    monkeypatch.setattr(server_module, "TCP_IDLE_SECONDS", 0.02)
    _, address = await serve(worked)
    stream = await Stream.open(address)
    assert await stream.ended()
    stream.close()


async def test_connections_are_bounded(
    worked: Zone, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "TCP_CONNECTIONS_MAX", 1)
    _, address = await serve(worked)
    first = await Stream.open(address)
    first.send(query("web.ns.svc.Z"))
    await first.receive()
    second = await Stream.open(address)
    assert await second.ended()
    first.send(query("web.ns.svc.Z"))
    assert (await first.receive()).rcode == 0
    first.close()
    second.close()


async def test_one_connection_asks_a_bounded_number_of_queries(
    worked: Zone, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "TCP_QUERIES_MAX", 2)
    _, address = await serve(worked)
    stream = await Stream.open(address)
    stream.send(query("web.ns.svc.Z"))
    stream.send(query("web.ns.svc.Z"))
    await stream.receive()
    await stream.receive()
    assert await stream.ended()
    stream.close()


async def test_nonsense_harms_nobody(worked: Zone, serve: Serve) -> None:
    """D-99: responses get no response; the next query is answered."""
    _, address = await serve(worked)
    unanswered = encode(replace(query("web.ns.svc.Z"), response=True))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(address.ip, address.port)
    )
    for junk in (b"", b"x", unanswered):
        transport.sendto(junk)
    transport.close()
    malformed = encode(query("web.ns.svc.Z"))[:-3]
    broken, fine = await by_udp(address, malformed, query("web.ns.svc.Z"))
    assert (broken.rcode, fine.rcode) == (Rcode.FORMERR, Rcode.NOERROR)
    stream = await Stream.open(address)
    stream.send(malformed)
    assert (await stream.receive()).rcode == Rcode.FORMERR
    stream.close()


async def test_a_change_of_the_zone_is_answered_at_once(
    make: Any, worked: Zone, serve: Serve
) -> None:
    """D-23."""
    current = worked
    _, address = await serve(lambda: current)
    (before,) = await by_udp(address, query("new.ns.svc.Z"))
    current = worked.with_changes([(SERVICES, None, make.service("new", "10.96.0.30"))])
    (after,) = await by_udp(address, query("new.ns.svc.Z"))
    assert (before.rcode, after.rcode) == (Rcode.NXDOMAIN, Rcode.NOERROR)


async def test_addresses_are_rotated(worked: Zone, serve: Serve) -> None:
    """D-102."""
    _, address = await serve(worked)
    answers = await by_udp(address, *[query("hl.ns.svc.Z")] * 30)
    assert {str(each.answers[0].data) for each in answers} == {"10.244.1.5", "10.244.2.6"}


async def test_foreign_names_are_refused_unless_it_is_told_where_to_ask(
    worked: Zone, serve: Serve, upstream: Any
) -> None:
    """D-66, D-98, D-119, D-120."""
    world = await upstream(lambda q: replace(q.reply(Rcode.NXDOMAIN), recursion_available=True))
    _, alone = await serve(worked)
    _, told = await serve(worked, forward=[world.address])
    (refused,) = await by_udp(alone, query("example.com"))
    (passed,) = await by_udp(told, query("example.com"))
    assert (refused.rcode, refused.recursion_available) == (Rcode.REFUSED, False)
    assert (passed.rcode, passed.recursion_available, passed.id) == (Rcode.NXDOMAIN, True, 9)
    await by_udp(told, query("nope.ns.svc.Z"))
    assert world.asked == [("udp", "example.com A")], "cluster names never leave"


async def test_a_reverse_miss_is_asked_elsewhere(worked: Zone, serve: Serve, upstream: Any) -> None:
    """D-61, D-67: only what would be NXDOMAIN falls through, not what would be NODATA."""
    world = await upstream(lambda q: q.reply())
    _, told = await serve(worked, forward=[world.address])
    await by_udp(told, query("1.2.0.192.in-addr.arpa", RRType.PTR))
    await by_udp(told, query("20.0.96.10.in-addr.arpa", RRType.PTR))
    (bare,) = await by_udp(told, query("20.0.96.10.in-addr.arpa", RRType.TXT))
    assert bare.rcode == Rcode.NOERROR and not bare.answers
    assert world.asked == [("udp", "1.2.0.192.in-addr.arpa PTR")]


async def test_an_alias_out_of_the_zone_brings_what_the_world_knows(
    make: Any, serve: Serve, upstream: Any
) -> None:
    """D-43, D-45."""
    zone = make.zone(make.alias("db", "db.example.com"))

    def known(asked: Message) -> Message:
        record = Record(asked.questions[0].name, 1, 60, Address("192.0.2.7"))
        return replace(asked.reply(), answers=(record,))

    world = await upstream(known)
    _, told = await serve(zone, forward=[world.address])
    (answer,) = await by_udp(told, query("db.ns.svc.Z"))
    assert [str(each) for each in answer.answers] == [
        "db.ns.svc.cluster.local. 30 IN CNAME db.example.com",
        "db.example.com. 60 IN A 192.0.2.7",
    ]
    world.answering = lambda asked: asked.reply(Rcode.NXDOMAIN)
    (bare,) = await by_udp(told, query("db.ns.svc.Z"))
    assert len(bare.answers) == 1
    world.answering = lambda asked: asked.reply(Rcode.SERVFAIL)
    (failed,) = await by_udp(told, query("db.ns.svc.Z"))
    assert failed.answers == ()
    _, alone = await serve(zone)
    (unresolved,) = await by_udp(alone, query("db.ns.svc.Z"))
    assert len(unresolved.answers) == 1


async def test_queries_are_recorded_with_their_real_addresses(
    worked: Zone, serve: Serve, clock: Any, upstream: Any
) -> None:
    """O-13."""
    recorder = Recorder("dns", clock)
    world = await upstream(lambda q: q.reply(Rcode.NXDOMAIN))
    _, address = await serve(worked, recorder=recorder, forward=[world.address])
    await by_udp(address, query("web.ns.svc.Z"))
    await by_udp(address, query("example.com"))
    stream = await Stream.open(address)
    stream.send(query("hl.ns.svc.Z"))
    await stream.receive()
    stream.close()
    own, passed, by_tcp = await recorder.wait_for(Query(), 0)
    assert own.original.destination == address and own.original.protocol is Protocol.UDP
    assert passed.reason == "example.com A is NXDOMAIN (forwarded)"
    assert by_tcp.original.protocol is Protocol.TCP


async def test_a_taken_port_is_an_error_not_another_port(worked: Zone) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        server = DnsServer(lambda: worked)
        with pytest.raises(OSError, match="in use"):
            await server.start("127.0.0.1", taken.getsockname()[1])
        await server.close()


async def test_close_ends_connections_and_frees_the_port(worked: Zone) -> None:
    server = DnsServer(lambda: worked)
    address = await server.start("127.0.0.1", 0)
    stream = await Stream.open(address)
    stream.send(query("web.ns.svc.Z"))
    await stream.receive()
    await server.close()
    assert await stream.ended()
    stream.close()
    again = DnsServer(lambda: worked)
    assert await again.start("127.0.0.1", address.port) == address
    await again.close()


async def test_it_serves_health_readiness_and_metrics_when_told(worked: Zone) -> None:
    """D-123, D-62: ready once synced."""
    server = DnsServer(lambda: worked.with_synced(False))
    await server.start("127.0.0.1", 0, health_port=0, ready_port=0, metrics_port=0)
    statuses = []
    async with aiohttp.ClientSession() as session:
        paths = ("health", "ready", "metrics")
        for (host, port), path in zip(server.monitoring.addresses, paths, strict=True):
            async with session.get(f"http://{host}:{port}/{path}") as response:
                statuses.append(response.status)
    assert statuses == [200, 503, 200]
    await server.close()
