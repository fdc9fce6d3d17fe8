"""Queries by UDP, without a socket."""

from random import Random
from typing import Any

from cluster.dns.datagrams import QueryDatagrams
from cluster.dns.handler import QueryHandler
from cluster.dns.query_record import origin_of
from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, Rcode, decode, encode

CLIENT = ("10.244.1.5", 4000)


class Transport:
    """A datagram transport that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []
        self.closing = False

    def get_extra_info(self, name: str) -> Any:
        return ("10.244.2.3", 53) if name == "sockname" else None

    def is_closing(self) -> bool:
        return self.closing

    def sendto(self, data: bytes, addr: Any) -> None:
        self.sent.append((data, addr))


class Served:
    """A protocol, its transport and what it tells."""

    def __init__(self, zone: Any, clock: Any) -> None:
        self.recorder = Recorder("dns", clock)
        self.handler = QueryHandler(
            zone, self.recorder, None, clock=clock, dice=Random(1), origin=origin_of
        )
        self.transport = Transport()
        self.protocol = QueryDatagrams(self.handler)
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]

    def ask(self, name: str, number: int = 5) -> Message:
        query = Message(id=number, questions=(Question(f"{name}.ns.svc.cluster.local", 1),))
        self.protocol.datagram_received(encode(query), CLIENT)
        answer, addr = self.transport.sent[-1]
        assert addr == CLIENT
        return decode(answer)


def test_what_was_answered_before_is_answered_from_memory(worked: Zone, clock: Any) -> None:
    """D-100, O-13, O-68: the same answer, counted and recorded as the first."""
    served = Served(lambda: worked, clock)
    answers = [served.ask("web", number) for number in range(4)]
    assert [each.id for each in answers] == [0, 1, 2, 3]
    assert len({each.answers for each in answers}) == 1
    segments = served.recorder.find(Query())
    assert len(segments) == 4 and len({each.flow_id for each in segments}) == 4
    assert {each.original.source for each in segments} == {SocketAddress(*CLIENT)}
    assert {each.original.destination for each in segments} == {SocketAddress("10.244.2.3", 53)}
    assert served.handler.accounts.metrics.requests == 4


def test_a_change_counts_for_what_is_remembered(make: Any, worked: Zone, clock: Any) -> None:
    """D-23."""
    zones = [worked]
    served = Served(lambda: zones[-1], clock)
    assert [served.ask("new").rcode for _ in range(2)] == [Rcode.NXDOMAIN] * 2
    zones.append(worked.with_changes([(SERVICES, None, make.service("new", "10.96.0.30"))]))
    assert [served.ask("new").rcode for _ in range(2)] == [Rcode.NOERROR] * 2


def test_nothing_is_sent_once_it_closes(worked: Zone, clock: Any) -> None:
    served = Served(lambda: worked, clock)
    served.ask("web")
    served.transport.closing = True
    served.protocol.datagram_received(b"x" * 20, CLIENT)
    assert len(served.transport.sent) == 1


def test_without_a_zone_each_query_fails_by_itself(clock: Any) -> None:
    def broken() -> Zone:
        raise RuntimeError("no zone")

    assert Served(broken, clock).ask("web").rcode == Rcode.SERVFAIL
