"""HTTP/1.1 from places in the cluster network, byte by byte."""

import asyncio
from typing import Any

import pytest

from cluster.errors import ConfigError, WireError
from cluster.traffic import http
from cluster.traffic.access import Access
from cluster.traffic.http import fetch, parse_url
from cluster.traffic.place import Place
from cluster.traffic.response import Response
from cluster.traffic.unreached import Unreached

INTERNET = Place.parse("internet")
WEB = Place.parse("pod/shop/web")


class Server:
    """Answers every request with the same bytes, and keeps what it was asked."""

    def __init__(self, machine: Any, answer: bytes, *, reset: bool = False) -> None:
        self._machine = machine
        self._answer = answer
        self._reset = reset
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    async def start(self) -> str:
        return f"localhost:{await self._machine.serve(self._serve)}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        length = next(
            (int(line.split(":")[1]) for line in head.split("\r\n") if "ontent-Length:" in line), 0
        )
        self.bodies.append(await reader.readexactly(length))
        writer.write(self._answer)
        await writer.drain()
        if self._reset:
            writer.transport.get_extra_info("socket").setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")
            writer.transport.abort()
        writer.close()


async def fetched(access: Access, machine: Any, answer: bytes, **options: Any) -> Response:
    return await fetch(
        access, INTERNET, f"http://{await Server(machine, answer).start()}/", **options
    )


async def test_a_request_is_sent_as_asked_and_nothing_more(access: Access, machine: Any) -> None:
    server = Server(machine, b"HTTP/1.1 204 No Content\r\n\r\n")
    where = await server.start()
    await fetch(
        access,
        INTERNET,
        f"http://{where}/a%2Fb?q=1&r=%20",
        method="post",
        headers=[("X-Twice", "1"), ("X-Twice", "2"), ("Host", "shop.example")],
        body=b"name=tea",
    )
    first, *rest = server.heads[0].strip().split("\r\n")
    assert first == "POST /a%2Fb?q=1&r=%20 HTTP/1.1"
    assert set(rest) - {"X-Twice: 1", "X-Twice: 2", "Host: shop.example"} == {
        "Accept: */*",
        "User-Agent: kubehop",
        "Content-Length: 8",
    } | {each for each in rest if each.startswith("Connection")}
    assert server.bodies == [b"name=tea"]


async def test_without_a_host_header_the_urls_host_is_named(access: Access, machine: Any) -> None:
    server = Server(machine, b"HTTP/1.1 204 No Content\r\n\r\n")
    where = await server.start()
    await fetch(access, INTERNET, where)
    assert f"Host: {where}" in server.heads[0] and server.heads[0].startswith("GET / ")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 Fine\r\nConnection: close\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 Fine\r\n\r\nhello",
    ],
)
async def test_a_body_ends_by_length_by_chunks_or_by_the_end(
    access: Access, machine: Any, answer: bytes
) -> None:
    response = await fetched(access, machine, answer)
    assert (response.status, response.reason, response.body) == (200, "Fine", b"hello")
    assert response.version == answer[5:8].decode() and response.seconds > 0


async def test_a_head_request_has_no_body(access: Access, machine: Any) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert (await fetched(access, machine, answer, method="HEAD")).body == b""


async def test_headers_come_back_in_order_and_spelling(access: Access, machine: Any) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\nContent-Length: 0\r\n\r\n"
    response = await fetched(access, machine, answer)
    assert response.headers[:3] == (("X-b", "1"), ("x-A", "2"), ("X-b", "3"))


async def test_redirects_are_answers_and_packed_bodies_stay_packed(
    access: Access, machine: Any
) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
    response = await fetched(access, machine, moved)
    assert response.status == 302 and response.header("location") == "/x"
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nzip"
    assert (await fetched(access, machine, packed)).body == b"zip"


async def test_a_pod_asks_through_its_kubelet(access: Access, shop: Any, machine: Any) -> None:
    server = Server(machine, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    port = int((await server.start()).split(":")[1])
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 80] = ("127.0.0.1", port)
    response = await fetch(access, WEB, "http://10.96.0.20/cart")
    assert response.body == b"ok" and response.flow_ids == ("00c0ffee00c0ffee",)
    assert server.heads[0].startswith("GET /cart HTTP/1.1\r\nHost: 10.96.0.20\r\n")


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", b"HTTP/1.1 200"]
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_cut_off_is_a_reset(
    access: Access, machine: Any, answer: bytes, reset: bool
) -> None:
    server = Server(machine, answer, reset=reset)
    with pytest.raises(Unreached, match="cut off before the end of the answer") as caught:
        await fetch(access, INTERNET, await server.start())
    assert caught.value.kind == "reset"


async def test_a_server_that_closes_at_once_is_a_reset(access: Access, machine: Any) -> None:
    """What the gateway does to a client that it must refuse after the handshake."""

    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.get_extra_info("socket").setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")
        writer.transport.abort()

    port = await machine.serve(reset)
    with pytest.raises(Unreached) as caught:
        await fetch(access, INTERNET, f"localhost:{port}")
    assert caught.value.kind == "reset"


async def test_a_server_that_says_nothing_is_a_time_out(access: Access, machine: Any) -> None:
    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    port = await machine.serve(keep)
    with pytest.raises(Unreached, match=r"no answer within 0\.05 s") as caught:
        await fetch(access, INTERNET, f"localhost:{port}", timeout_seconds=0.05)
    assert caught.value.kind == "timeout"


async def test_an_answer_that_is_not_http_is_said(access: Access, machine: Any) -> None:
    with pytest.raises(WireError, match=r"not with HTTP/1\.1"):
        await fetched(access, machine, b"220 mail ready\r\n\r\n")


async def test_a_body_has_a_bound(
    access: Access, machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_BYTES_MAX", 4)
    with pytest.raises(WireError, match="longer than 4 bytes"):
        await fetched(access, machine, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"headers": [("X", "a\r\nY: b")]}, "cannot be sent"),
        ({"method": "GE T"}, "cannot be sent"),
    ],
)
async def test_a_request_that_is_no_http_is_not_sent(
    access: Access, machine: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        await fetched(access, machine, b"HTTP/1.1 204 x\r\n\r\n", **options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://frontend/", "only http://"),
        ("http://", "names no host"),
        ("http://frontend:port/", "is no URL"),
        ("ftp://frontend/", "only http://"),
    ],
)
def test_a_url_is_an_http_one(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_url(text)


def test_a_url_may_be_as_short_as_curls() -> None:
    assert str(parse_url("frontend/cart?x=%2F")) == "http://frontend/cart?x=%2F"
    assert parse_url("http://frontend").port == 80
