"""One query's life without a socket: answered, counted, recorded."""

import logging
from random import Random
from typing import Any

import pytest

from cluster.dns.handler import QueryHandler
from cluster.dns.query_record import origin_of
from cluster.dns.zone import Zone
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message, Question, Rcode, decode, encode
from cluster.wire.flow import Flow, FlowKind

FLOW = Flow(Protocol.UDP, SocketAddress("10.244.1.5", 4000), SocketAddress("10.244.2.3", 53))


def query(name: str) -> bytes:
    return encode(Message(id=5, questions=(Question(name, 1),)))


def handler(zone: Any, clock: Any, recorder: Recorder | None = None) -> QueryHandler:
    source = zone if callable(zone) else lambda: zone
    return QueryHandler(source, recorder, None, clock=clock, dice=Random(1), origin=origin_of)


def test_each_query_is_recorded_with_what_it_was_answered(worked: Zone, clock: Any) -> None:
    """O-12, O-13."""
    recorder = Recorder("dns", clock)
    handling, sent = handler(worked, clock, recorder), list[bytes]()
    for name in ("web.ns.svc.cluster.local", "nope.ns.svc.cluster.local", "example.com"):
        handling.serve(query(name), FLOW, sent.append)
    segments = recorder.find(Query(kind=FlowKind.DNS))
    assert [decode(raw).rcode for raw in sent] == [0, 3, 5]
    assert [each.outcome for each in segments] == [
        Outcome.DELIVERED,
        Outcome.REFUSED,
        Outcome.DELIVERED,
    ]
    assert segments[2].reason == ("example.com A is REFUSED (example.com is outside cluster.local)")
    assert {each.original for each in segments} == {FLOW}
    assert len({each.flow_id for each in segments}) == 3


def test_every_query_is_counted_once(worked: Zone, clock: Any) -> None:
    """O-68, O-69."""
    handling = handler(worked, clock)
    for _ in range(3):
        handling.serve(query("web.ns.svc.cluster.local"), FLOW, lambda _: None)
    handling.serve(b"too short", FLOW, lambda _: None)
    assert handling.accounts.metrics.requests == 3
    handling.serve(query("example.com"), FLOW, lambda _: None)
    text = handling.accounts.metrics.text()
    assert 'rcode="NOERROR",plugin="kubernetes"} 3' in text
    assert 'rcode="REFUSED",plugin=""} 1' in text


def test_our_own_mistake_is_a_server_failure_not_silence(
    worked: Zone, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    handling, sent = handler(worked, clock), list[bytes]()

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("broken")

    broken = handler(Broken, clock)
    with caplog.at_level(logging.ERROR):
        broken.serve(query("web.ns.svc.cluster.local"), FLOW, sent.append)
    assert decode(sent[0]).rcode == Rcode.SERVFAIL
    assert decode(sent[0]).id == 5
    assert "coredns_panics_total 1" in broken.accounts.metrics.text()
    assert "query failed" in caplog.text
    assert "coredns_panics_total 0" in handling.accounts.metrics.text()
