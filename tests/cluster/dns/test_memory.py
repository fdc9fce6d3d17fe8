"""Remembered replies are those that would be made anew."""

from random import Random
from typing import Any

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
    assert replies[0].response is replies[1].response, "nothing was decoded or looked up again"


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


def test_it_is_bounded(worked: Zone) -> None:
    remembered = AnswerMemory(Random(1), udp=True)
    for number in range(memory.REMEMBERED_MAX):
        ask(remembered, query(f"n{number}"), worked)
    assert len(remembered) == memory.REMEMBERED_MAX == 4096
    ask(remembered, query("one-more"), worked)
    assert len(remembered) == 1
    long = query("web", edns=Edns(options=((12, b"x" * memory.REMEMBERED_BYTES_MAX),)))
    ask(remembered, long, worked)
    assert len(remembered) == 1


def test_what_gets_no_reply_is_not_remembered(worked: Zone) -> None:
    remembered = AnswerMemory(Random(1), udp=True)
    assert remembered.reply(query("web", response=True), worked) is None
    assert len(remembered) == 0
