"""The request that becomes a connection, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.traffic.upgrade import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    DialReply,
    dial_request,
    parse_failure,
    parse_reply,
)

SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: kubehop-dial\r\n"
    b"Kubehop-Flow-Id: 4c1f9a2b7d3e6f80\r\n\r\n"
)
BODY = b'{"error": "refused", "message": "10.96.0.20:80: no", "flowId": "4c1f"}'
FAILED = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


def test_the_request_says_who_dials_and_where_to() -> None:
    lines = dial_request("pod/shop/web", "cart.shop", 80).decode().split("\r\n")
    assert lines[0] == "GET /dial?from=pod/shop/web&host=cart.shop&port=80 HTTP/1.1"
    assert "Upgrade: kubehop-dial" in lines and "Connection: Upgrade" in lines
    assert lines[-2:] == ["", ""]


def test_what_a_host_name_holds_cannot_leave_the_query() -> None:
    request = dial_request("node", "a b\r\nX: y&port=1", 80)
    assert request.count(b"\r\n") == 5 and request.count(b"&port=") == 1


@given(cut=st.integers(0, len(SWITCHED) - 1))
def test_a_reply_is_whole_only_at_its_end(cut: int) -> None:
    assert parse_reply(SWITCHED[:cut]) is None


@given(cut=st.integers(0, len(FAILED) - 1))
def test_a_refusal_is_whole_only_with_its_body(cut: int) -> None:
    assert parse_reply(FAILED[:cut]) is None


def test_after_101_the_bytes_are_the_connections() -> None:
    reply = parse_reply(SWITCHED + b"220 mail\r\n\r\n")
    assert reply is not None and reply.switched
    assert reply.flow_id == "4c1f9a2b7d3e6f80" and reply.rest == b"220 mail\r\n\r\n"


def test_a_refusal_tells_symptom_words_and_flow() -> None:
    reply = parse_reply(FAILED)
    assert reply is not None and not reply.switched and reply.status == 502
    failure = parse_failure(reply)
    assert (failure.error, failure.flow_id) == ("refused", "4c1f")
    assert failure.message == "10.96.0.20:80: no"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"pod shop/web does not run", "pod shop/web does not run"),
        (b"", "status 404"),
        (b"[]", "[]"),
    ],
)
def test_a_refusal_in_other_words_is_kept_as_it_is(body: bytes, message: str) -> None:
    failure = parse_failure(DialReply(status=404, headers={}, body=body))
    assert (failure.error, failure.message, failure.flow_id) == ("unreachable", message, "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP/1.1 reply: 'SSH-2.0-OpenSSH'"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP/1.1 reply"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "no header: 'nonsense'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", "Content-Length '-4'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1), "no number up"),
        (b"H" * (HEAD_BYTES_MAX + 1), f"longer than {HEAD_BYTES_MAX} bytes"),
    ],
)
def test_what_breaks_the_format_is_said(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        parse_reply(data)
