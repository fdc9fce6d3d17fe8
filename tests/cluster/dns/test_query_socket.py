"""Queries by UDP on a socket of the machine, one by one and by the batch."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest

from cluster.dns import query_socket
from cluster.dns.handler import QueryHandler
from cluster.dns.query_record import origin_of
from cluster.dns.query_socket import QuerySocket
from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, Rcode, decode, encode

WAIT_SECONDS = 10


class Served:
    """A served address and a client that waits for nothing."""

    def __init__(self, zone: Callable[[], Zone], clock: Any) -> None:
        self.recorder = Recorder("dns", clock)
        self.handler = QueryHandler(
            zone, self.recorder, None, clock=clock, dice=Random(1), origin=origin_of
        )
        self.serving = QuerySocket(self.handler, SocketAddress("127.0.0.1", 0))
        self.serving.start()
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.setblocking(False)
        self.client.connect(self.serving.address)

    async def ask(self, *names: str) -> list[Message]:
        """Ask all at once; the answers in the order of their ids."""
        for number, name in enumerate(names):
            question = Question(f"{name}.ns.svc.cluster.local", 1)
            self.client.send(encode(Message(id=number, questions=(question,))))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WAIT_SECONDS):
            raws = [await loop.sock_recv(self.client, 65535) for _ in names]
        return sorted(map(decode, raws), key=lambda each: each.id)

    async def close(self) -> None:
        self.client.close()
        self.serving.close()
        await self.handler.close()


@pytest.fixture
async def served(clock: Any) -> AsyncIterator[Callable[..., Served]]:
    made: list[Served] = []

    def serve(zone: Callable[[], Zone]) -> Served:
        made.append(Served(zone, clock))
        return made[-1]

    yield serve
    for each in made:
        await each.close()


@pytest.fixture(params=["batches", "no batches"])
def machine(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has the calls for batches, and one that has not."""
    if request.param == "no batches":
        monkeypatch.setattr(query_socket, "mmsg_works", lambda: False)


async def test_many_at_once_are_answered_like_one(
    machine: None, worked: Zone, served: Callable[..., Served]
) -> None:
    """D-100, O-13, O-68."""
    serving = served(lambda: worked)
    names = ["web", "nope", "hl", "web"] * 40
    for _ in range(2):
        answers = await serving.ask(*names)
        assert [each.id for each in answers] == list(range(160))
        said = [(each.rcode, {str(record.data) for record in each.answers}) for each in answers]
        assert said[:4] * 40 == said
        assert said[:4] == [
            (Rcode.NOERROR, {"10.96.0.20"}),
            (Rcode.NXDOMAIN, set()),
            (Rcode.NOERROR, {"10.244.1.5", "10.244.2.6"}),
            (Rcode.NOERROR, {"10.96.0.20"}),
        ]
    assert serving.handler.accounts.metrics.requests == 320
    segments = serving.recorder.find(Query(limit=1000))
    assert len(segments) == 320
    assert {each.original.source for each in segments} == {
        SocketAddress(*serving.client.getsockname())
    }
    assert {each.original.destination for each in segments} == {serving.serving.address}


async def test_one_after_the_other_is_answered_as_well(
    machine: None, worked: Zone, served: Callable[..., Served]
) -> None:
    serving = served(lambda: worked)
    for _ in range(200):
        (answer,) = await serving.ask("web")
        assert [str(each.data) for each in answer.answers] == ["10.96.0.20"]
    await serving.ask(*["web"] * 50)
    assert serving.handler.accounts.metrics.requests == 250
    assert serving.serving.dropped == 0


async def test_a_change_counts_from_the_next_query_on(
    machine: None, make: Any, worked: Zone, served: Callable[..., Served]
) -> None:
    """D-23."""
    zones = [worked]
    serving = served(lambda: zones[-1])
    before = await serving.ask(*["new"] * 9)
    zones.append(worked.with_changes([(SERVICES, None, make.service("new", "10.96.0.30"))]))
    after = await serving.ask(*["new"] * 9)
    assert {each.rcode for each in before} == {Rcode.NXDOMAIN}
    assert {each.rcode for each in after} == {Rcode.NOERROR}


async def test_without_a_zone_each_query_fails_by_itself(
    machine: None, served: Callable[..., Served]
) -> None:
    def broken() -> Zone:
        raise RuntimeError("no zone")

    answers = await served(broken).ask(*["web"] * 5)
    assert [each.rcode for each in answers] == [Rcode.SERVFAIL] * 5


async def test_what_the_kernel_does_not_take_is_counted(
    worked: Zone, served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = query_socket.bound
    monkeypatch.setattr(query_socket, "bound", lambda address: Deaf(bound(address)))
    serving = served(lambda: worked)
    query = encode(Message(questions=(Question("web.ns.svc.cluster.local", 1),)))
    for _ in range(3):
        serving.client.send(query)
        serving.serving._singles = 1
        serving.serving._readable()
    assert serving.serving.dropped == 3


class Deaf:
    """A socket that receives, and whose answers the kernel does not take."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendto(self, *_: Any) -> int:
        raise BlockingIOError


async def test_an_answer_after_the_end_is_sent_nowhere(
    worked: Zone, served: Callable[..., Served]
) -> None:
    serving = served(lambda: worked)
    serving.serving.close()
    serving.serving._send(b"late", SocketAddress("127.0.0.1", 9))
    assert serving.serving.dropped == 0
