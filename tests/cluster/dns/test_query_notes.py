"""Queries noted, and written to the trace when somebody looks."""

from random import Random
from typing import Any

import pytest

from cluster.dns import query_notes
from cluster.dns.memory import AnswerMemory
from cluster.dns.query_notes import NotedQueries, QueryNotes
from cluster.dns.query_record import origin_of
from cluster.dns.zone import Zone
from cluster.trace.query import Query
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message, Question, encode

SERVER = SocketAddress("10.244.2.3", 53)
CLIENTS = [SocketAddress("10.244.1.5", 4000 + number) for number in range(10)]


def noted(zone: Zone, *names: str, at: float = 1.0) -> NotedQueries:
    memory = AnswerMemory(Random(1), udp=True)
    prepared = []
    for name in names:
        question = Question(f"{name}.ns.svc.cluster.local", 1)
        reply = memory.reply(encode(Message(questions=(question,))), zone)
        assert reply is not None
        prepared.append(reply.prepared)
    return NotedQueries(
        protocol=Protocol.UDP,
        prepared=prepared,
        peer=CLIENTS.__getitem__,
        server=SERVER,
        began=[at] * len(names),
        ended=[at + 0.5] * len(names),
        epoch=1000.0,
    )


def notes_of(recorder: Recorder) -> QueryNotes:
    return QueryNotes(recorder, origin_of, Random(1))


def test_they_are_recorded_once_when_somebody_reads(worked: Zone, clock: Any) -> None:
    """O-12, O-13."""
    recorder = Recorder("dns", clock)
    notes = notes_of(recorder)
    notes.add(noted(worked, "web", "nope"), worked)
    notes.add(noted(worked, "web", at=2.0), worked)
    for _ in range(2):
        segments = recorder.find(Query())
        assert [each.reason.split(" (")[0] for each in segments] == [
            "web.ns.svc.cluster.local A is 10.96.0.20",
            "nope.ns.svc.cluster.local A is NXDOMAIN",
            "web.ns.svc.cluster.local A is 10.96.0.20",
        ]
    assert [each.original.source for each in segments] == [*CLIENTS[:2], CLIENTS[0]]
    assert {each.original.destination for each in segments} == {SERVER}
    assert [each.started for each in segments] == [1001.0, 1001.0, 1002.0]
    assert {each.decided_seconds for each in segments} == {0.5}
    assert len({each.flow_id for each in segments}) == 3


def test_who_follows_is_told_at_once(worked: Zone, clock: Any) -> None:
    """O-49."""
    recorder = Recorder("dns", clock)
    notes = notes_of(recorder)
    with recorder.follow(Query()) as follower:
        offered: list[Any] = []
        follower.offer = offered.append  # type: ignore[method-assign]
        notes.add(noted(worked, "web", "hl"), worked)
        assert len(offered) == 2


def test_the_newest_are_kept_and_the_rest_is_counted(
    worked: Zone, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-49."""
    monkeypatch.setattr(query_notes, "DNS_MAX", 4)
    recorder = Recorder("dns", clock)
    notes = notes_of(recorder)
    for number in range(5):
        notes.add(noted(worked, "web", "hl", at=float(number)), worked)
    assert [each.started for each in recorder.find(Query())] == [1003.0, 1003.0, 1004.0, 1004.0]
    assert (recorder.lost["dns"], recorder.recorded) == (6, 10)


def test_what_was_noted_is_written_at_the_end(worked: Zone, clock: Any) -> None:
    recorder = Recorder("dns", clock)
    notes = notes_of(recorder)
    notes.add(noted(worked, "web"), worked)
    notes.close()
    notes.add(noted(worked, "web"), worked)
    assert len(recorder.find(Query())) == 1


def test_who_asked_is_told_by_the_zone_of_the_time_and_few_zones_are_kept(
    make: Any, worked: Zone, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-13."""
    monkeypatch.setattr(query_notes, "ERAS_MAX", 2)
    recorder = Recorder("dns", clock)
    notes = notes_of(recorder)
    zones = [make.zone(pods=(make.pod(f"p{n}", CLIENTS[0].ip),)) for n in range(3)]
    for number, zone in enumerate(zones):
        notes.add(noted(worked, "web", at=float(number)), zone)
    segments = recorder.find(Query())
    assert [each.started for each in segments] == [1000.0, 1001.0, 1002.0]
    assert [each.origin.name for each in segments] == ["ns/p1", "ns/p1", "ns/p2"]
