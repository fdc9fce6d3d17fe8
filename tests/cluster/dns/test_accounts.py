"""What is told of queries, of those answered from memory and of those answered with care."""

from random import Random
from typing import Any

from cluster.dns.accounts import SINGLES_MAX, Accounts, Received, socket_address
from cluster.dns.memory import AnswerMemory
from cluster.dns.query_record import origin_of
from cluster.dns.zone import Zone
from cluster.objects.resources import PODS
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Edns, Message, Question, decode, encode
from cluster.wire.flow import Flow

CLIENT, SERVER = SocketAddress("10.244.1.5", 4000), SocketAddress("10.244.2.3", 53)


def query(name: str, **more: Any) -> bytes:
    return encode(Message(id=5, questions=(Question(f"{name}.ns.svc.cluster.local", 1),), **more))


def received(zone: Zone, raw: bytes, protocol: Protocol = Protocol.UDP) -> Received:
    return Received(raw=raw, flow=Flow(protocol, CLIENT, SERVER), zone=zone, began=1.0)


def accounts(clock: Any, recorder: Recorder | None = None) -> Accounts:
    return Accounts(recorder, clock=clock, dice=Random(1), origin=origin_of)


def test_hits_count_like_queries_answered_with_care(worked: Zone, clock: Any) -> None:
    """O-68 to O-70."""
    clock.time = 1.5
    memory = AnswerMemory(Random(1), udp=True)
    raws = [query("web"), query("nope"), query("web"), query("web", edns=Edns(dnssec_ok=True))]
    replies = [memory.reply(raw, worked) for raw in raws]
    prepared = [each.prepared for each in replies if each]
    together, singly, with_care = accounts(clock), accounts(clock), accounts(clock)
    for told in (together, singly):
        told.metrics.before_reading(lambda told=told: settle(told, prepared))  # type: ignore[misc]
    for raw, reply in zip(raws, replies, strict=True):
        assert reply is not None
        with_care.answered(received(worked, raw), reply)
    together.hits(prepared, lambda _: CLIENT, SERVER, worked, 1.0)
    expected = with_care.metrics.text()
    assert together.metrics.text() == expected
    for each in prepared:
        singly.hit(each, tuple(CLIENT), SERVER, worked, 1.0)
    assert singly.metrics.text() == expected
    assert singly.metrics.requests == 4, "and none is counted twice"


def settle(told: Accounts, prepared: list[Any]) -> None:
    told.settle_singles()
    for each in prepared:
        told.settle(each)


def test_single_hits_are_recorded_in_order_with_all_others(
    make: Any, worked: Zone, clock: Any
) -> None:
    """O-12, O-13: whoever reads finds them, whoever follows is told at once."""
    recorder = Recorder("dns", clock)
    told = accounts(clock, recorder)
    memory = AnswerMemory(Random(1), udp=True)
    replies = [memory.reply(query(name), worked) for name in ("web", "nope", "hl")]
    web, nope, hl = (each for each in replies if each)
    later = worked.with_changes([(PODS, None, make.pod("asker", CLIENT.ip))])
    told.hit(web.prepared, tuple(CLIENT), SERVER, worked, 1.0)
    told.hit(nope.prepared, tuple(CLIENT), SERVER, later, 1.0)
    told.hits([web.prepared, nope.prepared], lambda _: CLIENT, SERVER, later, 1.0)
    told.hit(web.prepared, tuple(CLIENT), SERVER, later, 1.0)
    told.answered(received(later, query("hl")), hl)
    found = recorder.find(Query())
    asked = [each.reason.partition(".")[0] for each in found]
    assert asked == ["web", "nope", "web", "nope", "web", "hl"]
    assert [each.origin.name for each in found] == [CLIENT.ip] + ["ns/asker"] * 5
    with recorder.follow(Query()) as follower:
        offered: list[Any] = []
        follower.offer = offered.append  # type: ignore[method-assign]
        told.hit(web.prepared, tuple(CLIENT), SERVER, later, 1.0)
        assert len(offered) == 1
    told.hit(web.prepared, tuple(CLIENT), SERVER, later, 1.0)
    told.close()
    assert len(recorder.find(Query())) == 8


def test_few_single_hits_wait(worked: Zone, clock: Any) -> None:
    told = accounts(clock)
    reply = AnswerMemory(Random(1), udp=True).reply(query("web"), worked)
    assert reply is not None
    for _ in range(SINGLES_MAX + 5):
        told.hit(reply.prepared, tuple(CLIENT), SERVER, worked, 1.0)
    assert reply.prepared.hits == SINGLES_MAX


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


def test_addresses_are_read_without_what_ipv6_has_besides() -> None:
    assert socket_address(("::1", 53, 0, 0)) == SocketAddress("::1", 53)
