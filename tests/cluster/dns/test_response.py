"""What DNS itself demands of a response."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dns.response import UDP_BYTES_MAX, Response, respond
from cluster.dns.zone import Zone
from cluster.wire.dns import Edns, Message, Question, Rcode, RRType, encode

WEB = Question("web.ns.svc.cluster.local", RRType.A)
QUERY = Message(id=7, recursion_desired=True, questions=(WEB,))


def response(zone: Zone, query: Message | bytes, *, udp: bool = True) -> Response:
    raw = query if isinstance(query, bytes) else encode(query)
    found = respond(raw, zone, udp=udp)
    assert found is not None
    return found


def test_an_answer_of_the_zone_is_authoritative_and_offers_no_recursion(worked: Zone) -> None:
    """D-98."""
    message = response(worked, QUERY).message
    assert message.authoritative and message.recursion_desired
    assert not message.recursion_available


def test_id_and_question_come_back_exactly(worked: Zone) -> None:
    """D-100."""
    query = replace(QUERY, id=0xBEEF, questions=(Question("WEB.ns.svc.cluster.local", 1),))
    message = response(worked, query).message
    assert (message.id, message.questions) == (0xBEEF, query.questions)


def test_a_refusal_is_not_authoritative(worked: Zone) -> None:
    """D-66, D-128."""
    message = response(worked, replace(QUERY, questions=(Question("example.com", 1),))).message
    assert message.rcode == Rcode.REFUSED and not message.authoritative


@pytest.mark.parametrize(
    ("udp_bytes", "limit"), [(None, 512), (100, 512), (1232, 1232), (65535, UDP_BYTES_MAX)]
)
def test_the_limit_of_a_datagram_is_what_its_sender_can_take(
    worked: Zone, udp_bytes: int | None, limit: int
) -> None:
    """D-93, D-94: less than 512 counts as 512."""
    edns = None if udp_bytes is None else Edns(udp_bytes=udp_bytes)
    assert response(worked, replace(QUERY, edns=edns)).bytes_max == limit
    assert response(worked, replace(QUERY, edns=edns), udp=False).bytes_max == 65535


def test_opt_comes_back_to_who_sent_one_and_to_nobody_else(worked: Zone) -> None:
    """D-94."""
    asked = replace(QUERY, edns=Edns(udp_bytes=1232, dnssec_ok=True, options=((10, b"cookie"),)))
    assert response(worked, asked).message.edns == Edns(udp_bytes=1232, dnssec_ok=True)
    assert response(worked, QUERY).message.edns is None


def test_another_version_of_edns_is_badvers(worked: Zone) -> None:
    """D-96."""
    message = response(worked, replace(QUERY, edns=Edns(version=1))).message
    assert message.rcode == Rcode.BADVERS
    assert message.edns is not None and message.edns.version == 0


@pytest.mark.parametrize("questions", [(), (WEB, WEB)])
def test_other_than_one_question_is_a_format_error(
    worked: Zone, questions: tuple[Question, ...]
) -> None:
    """D-99."""
    message = response(worked, replace(QUERY, questions=questions)).message
    assert message.rcode == Rcode.FORMERR


@pytest.mark.parametrize(
    ("opcode", "rcode"),
    [(1, Rcode.NOTIMP), (2, Rcode.NOTIMP), (5, Rcode.NOTIMP), (4, Rcode.REFUSED)],
)
def test_other_opcodes_are_not_implemented(worked: Zone, opcode: int, rcode: int) -> None:
    """D-99: NOTIFY is understood, and refused."""
    message = response(worked, replace(QUERY, opcode=opcode)).message
    assert (message.rcode, message.opcode) == (rcode, opcode)


def test_a_response_gets_no_response(worked: Zone) -> None:
    """D-99: nor does what has no header."""
    assert respond(encode(replace(QUERY, response=True)), worked, udp=True) is None
    assert respond(b"\x00" * 11, worked, udp=True) is None


def test_a_message_that_cannot_be_read_is_a_format_error(worked: Zone) -> None:
    """D-99."""
    found = response(worked, encode(replace(QUERY, opcode=5))[:-3])
    message = found.message
    assert (message.id, message.rcode, message.response) == (7, Rcode.FORMERR, True)
    assert (message.opcode, found.question, found.bytes_max) == (5, None, 512)
    assert message.recursion_desired


def test_several_addresses_come_in_several_orders(make: Any, worked: Zone) -> None:
    """D-102."""
    zone = make.zone(make.headless("hl"), slices=(make.slice("hl", "10.244.1.1", "10.244.1.2"),))
    assert response(
        zone, replace(QUERY, questions=(Question("hl.ns.svc.cluster.local", 1),))
    ).shuffles
    assert not response(worked, QUERY).shuffles
