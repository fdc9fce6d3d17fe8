"""Answers to HTTP requests."""

import pytest

from cluster.traffic.response import Response


def response(body: bytes, *headers: tuple[str, str]) -> Response:
    return Response(
        status=200, reason="OK", headers=headers, body=body, flow_ids=("f",), seconds=0.1
    )


def test_a_header_is_found_however_it_is_spelled() -> None:
    answer = response(b"", ("Set-Cookie", "a"), ("set-cookie", "b"))
    assert answer.header("SET-COOKIE") == "a"
    assert answer.header("Server") == "" and answer.header("Server", "?") == "?"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Grün".encode(), "text/plain", "Grün"),
        ("Grün".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Grün"),
        ("Grün".encode("latin-1"), 'text/plain; charset="latin-1"; x=y', "Grün"),
        (b"Gr\xfcn", "text/plain; charset=utf-8", "Gr\ufffdn"),
        (b"plain", "text/plain; charset=klingon", "plain"),
    ],
)
def test_the_text_is_in_the_charset_that_the_server_named(
    body: bytes, content_type: str, text: str
) -> None:
    assert response(body, ("Content-Type", content_type)).text == text


def test_a_body_of_json() -> None:
    assert response(b'{"items": [1]}').json() == {"items": [1]}
    with pytest.raises(ValueError, match="Expecting"):
        response(b"<html>").json()
