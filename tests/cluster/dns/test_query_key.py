"""What of a query's bytes its answer depends on."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dns.query_key import without_options
from cluster.wire.dns import Edns, Message, Question, decode, encode

QUESTION = Question("web.ns.svc.cluster.local", 1)


def query(*options: tuple[int, bytes], **more: Any) -> bytes:
    edns = Edns(udp_bytes=1232, dnssec_ok=True, options=options)
    return encode(Message(id=7, questions=(QUESTION,), edns=edns, **more))


def test_a_clients_cookie_is_left_out() -> None:
    bare = query()
    assert without_options(query((10, b"12345678"))) == bare
    assert without_options(query((10, b"abcdefgh"), (12, b""), (8, b"\0" * 40))) == bare
    assert without_options(bare) == bare
    left = decode(without_options(query((10, b"12345678"), recursion_desired=True)))
    assert (left.recursion_desired, left.edns) == (True, Edns(udp_bytes=1232, dnssec_ok=True))


def test_only_the_plain_form_is_touched() -> None:
    whole = query((10, b"12345678"))
    two_questions = replace(decode(whole), questions=(QUESTION, QUESTION))
    for other in (
        encode(two_questions),
        whole + b"x",
        whole[:-1],
        whole[:20],
        whole[:12],
        b"",
        whole.replace(b"\0\x0a\0\x08", b"\0\x0a\0\x09"),  # an option longer than what is left
        whole.replace(b"\0\x0a\0\x08", b"\0\x0a\0\x05"),  # and one too short
        whole.replace(b"\x03svc", b"\xc0svc"),
        whole.replace(b"\0\0\x29", b"\0\0\x2a"),  # no OPT
    ):
        assert without_options(other) == other


@pytest.mark.parametrize("cut", range(12, 70))
def test_a_query_cut_anywhere_stays_as_it_is(cut: int) -> None:
    whole = query((10, b"12345678"))
    if cut < len(whole):
        assert without_options(whole[:cut]) == whole[:cut]
