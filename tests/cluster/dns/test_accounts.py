"""What is told of queries, of those answered from memory and of those answered with care."""

from random import Random
from typing import Any

from cluster.dns.accounts import Accounts, Received
from cluster.dns.memory import AnswerMemory
from cluster.dns.query_notes import NotedQueries
from cluster.dns.query_record import origin_of
from cluster.dns.zone import Zone
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Edns, Message, Question, decode, encode
from cluster.wire.flow import Flow

CLIENT, SERVER = SocketAddress("10.244.1.5", 4000), SocketAddress("10.244.2.3", 53)


def query(name: str, **more: Any) -> bytes:
    return encode(Message(id=5, questions=(Question(f"{name}.ns.svc.cluster.local", 1),), **more))


def received(zone: Zone, raw: bytes, protocol: Protocol = Protocol.UDP) -> Received:
    return Received(raw=raw, flow=Flow(protocol, CLIENT, SERVER), zone=zone, began=1.0, at=2.0)


def accounts(clock: Any, recorder: Recorder | None = None) -> Accounts:
    return Accounts(recorder, clock=clock, dice=Random(1), origin=origin_of)


def test_hits_count_like_queries_answered_one_by_one(worked: Zone, clock: Any) -> None:
    """O-68 to O-70."""
    clock.time = 1.5
    memory = AnswerMemory(Random(1), udp=True)
    together, one_by_one = accounts(clock), accounts(clock)
    raws = [query("web"), query("nope"), query("web"), query("web", edns=Edns(dnssec_ok=True))]
    replies = [memory.reply(raw, worked) for raw in raws]
    prepared = [each.prepared for each in replies if each]
    together.metrics.before_reading(lambda: [together.settle(each) for each in prepared][:0])
    together.hits(
        NotedQueries(
            protocol=Protocol.UDP,
            prepared=prepared,
            peer=lambda _: CLIENT,
            server=SERVER,
            zone=worked,
            at=2.0,
            seconds=0.5,
        )
    )
    for raw, reply in zip(raws, replies, strict=True):
        assert reply is not None
        one_by_one.answered(received(worked, raw), reply)
    assert together.metrics.text() == one_by_one.metrics.text()
    assert together.metrics.requests == 4, "and none is counted twice"


def test_what_another_server_said_is_recorded_behind_what_was_noted(
    worked: Zone, clock: Any
) -> None:
    """O-13."""
    recorder = Recorder("dns", clock)
    told = accounts(clock, recorder)
    raw = query("web")
    reply = AnswerMemory(Random(1), udp=False).reply(raw, worked)
    assert reply is not None
    told.answered(received(worked, raw, Protocol.TCP), reply)
    told.forwarded(received(worked, raw), decode(raw).reply(3), 40)
    own, passed = recorder.find(Query())
    assert own.original.protocol is Protocol.TCP
    assert passed.reason == "web.ns.svc.cluster.local A is NXDOMAIN (forwarded)"
    text = told.metrics.text()
    assert 'rcode="NXDOMAIN",plugin="forward"} 1' in text
    assert 'proto="tcp",family="1",type="A"} 1' in text
    told.close()


def test_a_message_without_a_question_is_counted_and_not_recorded(worked: Zone, clock: Any) -> None:
    recorder = Recorder("dns", clock)
    told = accounts(clock, recorder)
    broken = query("web")[:-1]
    reply = AnswerMemory(Random(1), udp=True).reply(broken, worked)
    assert reply is not None
    told.answered(received(worked, broken), reply)
    assert recorder.find(Query()) == []
    assert told.metrics.requests == 1
    told.close()
