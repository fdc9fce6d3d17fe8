"""Remembered replies are those that would be made anew."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from cluster.dns import memory
from cluster.dns.memory import AnswerMemory
from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.wire.dns import Edns, Message, Question, decode, encode


def query(name: str, number: int = 1, **more: Any) -> bytes:
    question = Question(name + ".ns.svc.cluster.local", 1)
    return encode(Message(id=number, questions=(question,), **more))


def ask(remembered: AnswerMemory, raw: bytes, zone: Zone) -> Message:
    reply = remembered.reply(raw, zone)
    assert reply is not None
    return decode(reply.raw)


def test_a_remembered_reply_bears_the_new_id(worked: Zone) -> None:
    """D-100."""
    remembered = AnswerMemory(Random(1), udp=True)
    first, second = (ask(remembered, query("web", number), worked) for number in (1, 2))
    assert (first.id, second.id) == (1, 2)
    assert first.answers == second.answers
    assert len(remembered) == 1
    replies = [remembered.reply(query("web", number), worked) for number in (3, 4)]
    assert replies[0] is not None and replies[1] is not None
    assert replies[0].prepared is replies[1].prepared
    assert replies[1].response is None, "nothing was decoded or looked up again"


def test_another_spelling_is_another_query(worked: Zone) -> None:
    """D-2, D-100."""
    remembered = AnswerMemory(Random(1), udp=True)
    ask(remembered, query("web"), worked)
    assert ask(remembered, query("WEB"), worked).questions[0].name.startswith("WEB")


def test_a_change_of_the_zone_counts_at_once(make: Any, worked: Zone) -> None:
    """D-23, D-111: nothing stale."""
    remembered = AnswerMemory(Random(1), udp=True)
    assert ask(remembered, query("new"), worked).rcode == 3
    changed = worked.with_changes([(SERVICES, None, make.service("new", "10.96.0.30"))])
    assert ask(remembered, query("new"), changed).rcode == 0


def test_addresses_are_shuffled_each_time(make: Any) -> None:
    """D-102: and truncated replies stay within their limit."""
    ips = [f"10.244.{n >> 8}.{n & 255}" for n in range(100)]
    zone = make.zone(make.headless("hl"), slices=(make.slice("hl", *ips),))
    remembered = AnswerMemory(Random(1), udp=True)
    firsts = {str(ask(remembered, query("hl"), zone).answers[0].data) for _ in range(20)}
    assert len(firsts) > 5
    reply = remembered.reply(query("hl"), zone)
    assert reply is not None and len(reply.raw) <= 512


def test_it_is_bounded_and_what_is_asked_again_stays(
    worked: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "GENERATION_MAX", 10)
    remembered = AnswerMemory(Random(1), udp=True)
    kept = remembered.reply(query("web"), worked)
    for number in range(95):
        ask(remembered, query(f"n{number}"), worked)
        if number % 5 == 0:
            ask(remembered, query("web"), worked)
    assert 10 <= len(remembered) <= 20
    again = remembered.reply(query("web"), worked)
    assert kept is not None and again is not None
    assert again.prepared is kept.prepared
    forgotten = remembered.reply(query("n0"), worked)
    assert forgotten is not None and forgotten.response is not None


def test_its_bytes_are_bounded(worked: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "GENERATION_BYTES_MAX", 1000)
    remembered = AnswerMemory(Random(1), udp=True)
    for number in range(50):
        ask(remembered, query(f"n{number}"), worked)
    assert 0 < len(remembered) < 20


def test_what_is_long_is_made_anew(worked: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED_BYTES_MAX", 100)
    remembered = AnswerMemory(Random(1), udp=True)
    ask(remembered, query("web-" + "x" * 55), worked)
    assert len(remembered) == 0
    ask(remembered, query("web"), worked)
    assert len(remembered) == 1


def test_a_clients_cookie_makes_no_other_answer(worked: Zone) -> None:
    """D-94: options change nothing."""
    remembered = AnswerMemory(Random(1), udp=True)
    for number in range(5):
        options = ((10, number.to_bytes(8, "big")),)
        message = ask(remembered, query("web", edns=Edns(options=options)), worked)
        assert message.edns == Edns()
    assert len(remembered) == 1
    plain = remembered.hit(query("web", edns=Edns())[2:])
    assert plain is not None and plain.told.query_bytes == len(query("web", edns=Edns()))


def test_a_change_forgets_only_what_it_changes(make: Any, worked: Zone) -> None:
    """D-23."""
    gone: list[Any] = []
    remembered = AnswerMemory(Random(1), udp=True, gone=gone.append)
    before = {name: remembered.reply(query(name), worked) for name in ("web", "hl", "new", "nope")}
    changed = worked.with_changes([(SERVICES, None, make.service("new", "10.96.0.30"))])
    after = {name: remembered.reply(query(name), changed) for name in before}
    same = {name for name in before if before[name].prepared is after[name].prepared}  # type: ignore[union-attr]
    assert same == {"web", "hl", "nope"}
    assert gone == [before["new"].prepared]  # type: ignore[union-attr]
    serial = decode(after["nope"].raw).authority[0].data  # type: ignore[union-attr]
    assert getattr(serial, "serial", None) == changed.serial == worked.serial + 1


def test_other_settings_and_the_first_sync_forget_all(worked: Zone) -> None:
    """D-62."""
    remembered = AnswerMemory(Random(1), udp=True)
    assert ask(remembered, query("nope"), worked.with_synced(False)).rcode == 2
    assert ask(remembered, query("nope"), worked).rcode == 3
    slower = replace(worked, settings=replace(worked.settings, ttl=7))
    assert ask(remembered, query("web"), worked).answers[0].ttl == 30
    assert ask(remembered, query("web"), slower).answers[0].ttl == 7


def test_streams_share_what_fits_a_datagram(make: Any) -> None:
    """D-93, D-95."""
    ips = [f"10.244.0.{number}" for number in range(100)]
    zone = make.zone(
        make.service("web", "10.96.0.20"), make.headless("hl"), slices=(make.slice("hl", *ips),)
    )
    datagrams = AnswerMemory(Random(1), udp=True)
    streams = AnswerMemory(Random(1), udp=False, shared=datagrams)
    first = streams.reply(query("web"), zone)
    assert first is not None and datagrams.hit(query("web")[2:]) is first.prepared
    assert (len(datagrams), len(streams)) == (1, 0)
    for _ in range(2):
        assert len(ask(streams, query("hl"), zone).answers) == 100
        assert ask(datagrams, query("hl"), zone).truncated
    assert (len(datagrams), len(streams)) == (2, 1)


def test_what_others_may_know_better_is_not_remembered(worked: Zone) -> None:
    """D-66, D-67, D-120."""
    foreign = encode(Message(id=1, questions=(Question("example.com", 1),)))
    alone, told = (
        AnswerMemory(Random(1), udp=True),
        AnswerMemory(Random(1), udp=True, forwards=True),
    )
    for remembered in (alone, told):
        for raw in (foreign, query("nope")):
            remembered.reply(raw, worked)
    assert (len(alone), len(told)) == (2, 1)


def test_errors_are_not_remembered(worked: Zone) -> None:
    remembered = AnswerMemory(Random(1), udp=True)
    for raw in (query("web", opcode=5), query("web")[:-1], query("web", edns=Edns(version=1))):
        assert ask(remembered, raw, worked).rcode in (1, 4, 16)
    assert len(remembered) == 0


def test_every_answer_is_told_of_before_it_goes(worked: Zone) -> None:
    gone: list[Any] = []
    remembered = AnswerMemory(Random(1), udp=True, gone=gone.append)
    kept = [remembered.reply(query(name), worked) for name in ("web", "nope")]
    remembered.settle()
    assert gone == [each.prepared for each in kept if each]
    ask(remembered, query("web"), worked.with_synced(False))
    assert len(gone) == 4


def test_what_gets_no_reply_is_not_remembered(worked: Zone) -> None:
    remembered = AnswerMemory(Random(1), udp=True)
    assert remembered.reply(query("web", response=True), worked) is None
    assert len(remembered) == 0
