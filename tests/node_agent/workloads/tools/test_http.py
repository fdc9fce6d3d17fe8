"""HTTP as the tools speak it: URLs, heads, and where bodies end."""

import asyncio
from typing import Any

import pytest

from node_agent.workloads.tools.http import exchange
from node_agent.workloads.tools.http.exchange import Cut, EmptyReply
from node_agent.workloads.tools.http.message import (
    BadMessage,
    Framing,
    chunk_size,
    framing,
    parse_head,
    request_head,
)
from node_agent.workloads.tools.http.url import BadScheme, BadUrl, parse_url

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


@pytest.mark.parametrize(
    ("text", "host", "port", "target", "authority"),
    [
        ("web", "web", 80, "/", "web"),
        ("web:8080/a?b=c#d", "web", 8080, "/a?b=c", "web:8080"),
        ("https://Web.shop/", "Web.shop", 443, "/", "Web.shop"),
        ("http://web:80", "web", 80, "/", "web"),
        ("http://[::1]:81/x", "::1", 81, "/x", "[::1]:81"),
        ("http://web?q=1", "web", 80, "/?q=1", "web"),
        ("http://web/ü", "web", 80, "/%C3%BC", "web"),
    ],
)
def test_urls(text: str, host: str, port: int, target: str, authority: str) -> None:
    url = parse_url(text)
    assert (url.host, url.port, url.target, url.authority) == (host, port, target, authority)


def test_a_url_may_name_its_user_and_be_joined() -> None:
    url = parse_url("http://me:p%40ss@web/a/b")
    assert (url.user, url.authority) == ("me:p@ss", "web")
    assert parse_url("http://web").joined("/x") == "http://web/x"
    assert parse_url("http://web/a/b").joined("c") == "http://web/a/c"


@pytest.mark.parametrize("text", ["http://", "http:///x", "web:port", "web:70000", "a b", "web:0"])
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_url(text)


def test_another_scheme() -> None:
    with pytest.raises(BadScheme, match=r"^ftp$"):
        parse_url("ftp://web/")


def test_a_request() -> None:
    assert request_head("GET", "/", [("Host", "web"), ("X", "")]) == (
        b"GET / HTTP/1.1\r\nHost: web\r\nX:\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "raw", "how"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Framing.LENGTH),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Framing.NONE),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", Framing.NONE),
        ("GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", Framing.CHUNKS),
        ("GET", b"HTTP/1.0 200 OK\r\n\r\n", Framing.CLOSE),
    ],
)
def test_where_a_body_ends(method: str, raw: bytes, how: Framing) -> None:
    assert framing(method, parse_head(raw)) is how


def test_a_head() -> None:
    head = parse_head(b"HTTP/1.0 404 Not Found\r\nX-A: b: c\r\n\r\n")
    assert (head.status, head.reason, head.value("x-a")) == (404, "Not Found", "b: c")
    assert not head.keeps_alive
    assert parse_head(b"HTTP/1.1 200\r\n\r\n").keeps_alive


@pytest.mark.parametrize("raw", [b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/2 200\r\n\r\n"])
def test_what_is_no_head(raw: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_head(raw)


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000])
def test_a_length_that_is_none(length: str) -> None:
    head = parse_head(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    with pytest.raises(BadMessage):
        framing("GET", head)


def test_chunk_sizes() -> None:
    assert chunk_size(b"1f;a=b\r\n") == 31
    for line in (b"\r\n", b"xyz\r\n", b"0" * 17 + b"\r\n"):
        with pytest.raises(BadMessage):
            chunk_size(line)


async def answered(fabric: Any, raw: bytes) -> tuple[int, bytes]:
    """Status and body of what a server sends."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(serve, "0.0.0.0", 80)

    async def ask() -> tuple[int, bytes]:
        (ip,) = await exchange.resolve(WEB, 80)
        connection = await exchange.connection(await exchange.connected(ip, 80), None, "")
        assert connection.remote == (WEB, 80)
        head = await connection.head()
        body = b"".join([part async for part in connection.body("GET", head)])
        connection.close()
        return head.status, body

    await fabric.run(fabric.pod("web", WEB), listen)
    result: tuple[int, bytes] = await fabric.run(fabric.pod("client", CLIENT), ask)
    return result


async def test_a_body_up_to_the_end(fabric: Any) -> None:
    assert await answered(fabric, b"HTTP/1.0 200 OK\r\n\r\nall of it") == (200, b"all of it")


async def test_trailers_are_read_over(fabric: Any) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n"
    assert await answered(fabric, raw) == (200, b"a")


async def test_a_body_that_ends_early(fabric: Any) -> None:
    with pytest.raises(Cut) as caught:
        await answered(fabric, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    assert caught.value.missing == 6


async def test_nothing_at_all(fabric: Any) -> None:
    with pytest.raises(EmptyReply):
        await answered(fabric, b"")
