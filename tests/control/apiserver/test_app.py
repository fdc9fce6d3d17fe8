"""The handler: paths, methods, limits, and faults of our own."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from control.apiserver import app
from control.apiserver.app import BODY_BYTES_MAX
from control.apiserver.reads import Reader
from control.resources.causes import CAUSES_MAX
from control.resources.kinds import kinds
from tests.control.resources.protobuf.encoding import envelope

Client = Any

MAPS = "/api/v1/namespaces/shop/configmaps"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v2/pods",
        "/api/v1/nothings",
        "/apis/nobody.example/v1/things",
        "/api/v1/namespaces/shop/nodes",  # nodes are in no namespace
        "/api/v1/pods/web",  # a pod is in one
        "/api/v1/namespaces/shop/configmaps/one/scale",
        "/api/v1/namespaces/shop/pods/web/status/more",
        "/api/v1/nodes/node-1/proxy/metrics",
        "/apis/apps/v1/deployments/cart/scale",
    ],
)
async def test_paths_that_name_nothing_are_not_found(client: Client, path: str) -> None:
    reply = await client("GET", path)
    assert (reply.status, reply.document["reason"]) == (404, "NotFound")
    assert reply.document["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/namespaces"),  # which alone of all kinds lacks deletecollection
        ("PUT", MAPS),
        ("PATCH", MAPS),
        ("POST", f"{MAPS}/one"),
        ("DELETE", "/api/v1/namespaces/shop/pods/web/status"),
        ("PUT", "/api/v1/namespaces/shop/pods/web/log"),
        ("GET", "/api/v1/namespaces/shop/pods/web/binding"),
        ("PUT", "/api/v1/namespaces/shop/pods/web/binding"),
        ("GET", "/api/v1/namespaces/shop/finalize"),
        ("POST", "/apis/apps/v1/namespaces/shop/deployments/cart/scale"),
        ("DELETE", "/apis/apps/v1/namespaces/shop/deployments/cart/scale"),
    ],
)
async def test_what_a_resource_does_not_serve_is_not_allowed(
    client: Client, method: str, path: str
) -> None:
    reply = await client(method, path, {"metadata": {"name": "one"}})
    assert (reply.status, reply.document["reason"]) == (405, "MethodNotAllowed")
    assert (await client("GET", "/api/v1/namespaces/shop")).status == 200


async def test_what_discovery_tells_of_verbs_is_what_is_served(client: Client) -> None:
    """A collection's DELETE is allowed for exactly the kinds that list deletecollection."""
    for kind in kinds():
        resource = kind.resource
        path = resource.path("shop") if resource.namespaced else resource.path()
        reply = await client("DELETE", f"{path}?dryRun=All")
        served = "deletecollection" in kind.verbs
        assert reply.status == (200 if served else 405), path


async def test_a_field_named_to_break_the_headers_breaks_nothing(client: Client) -> None:
    odd = {"a\r\nX-Injected: yes": 1, "ü": 2, "x" * 100_000: 3}
    reply = await client("POST", MAPS, {"metadata": {"name": "one"}, **odd})
    assert reply.status == 201
    assert "X-Injected" not in reply.headers
    assert reply.warnings[0] == '299 - "unknown field \\"a  X-Injected: yes\\""'
    assert len(reply.warnings) == 3


async def test_a_packed_body_is_measured_as_it_unpacks(client: Client) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"a":"%b"}}' % (b"x" * BODY_BYTES_MAX)
    reply = await client("POST", MAPS, data=gzip.compress(body), Content_Encoding="gzip")
    assert (reply.status, reply.document["reason"]) == (413, "RequestEntityTooLarge")
    small = gzip.compress(b'{"metadata":{"name":"a"}}')
    assert (await client("POST", MAPS, data=small, Content_Encoding="gzip")).status == 201


async def test_methods_that_nothing_knows_are_not_allowed(client: Client) -> None:
    for method in ("OPTIONS", "TRACE"):
        reply = await client(method, MAPS)
        assert reply.status == 405


async def test_what_the_api_says_of_itself_is_read_with_and_without_a_slash(
    client: Client,
) -> None:
    for path in ("/version", "/version/", "/healthz", "/api", "/apis"):
        assert (await client("GET", path)).status == 200
    assert (await client("POST", "/version")).status == 404


async def test_a_body_beyond_the_limit_is_refused(client: Client) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"a":"%b"}}' % (b"x" * BODY_BYTES_MAX)
    reply = await client("POST", MAPS, data=body)
    assert (reply.status, reply.document["reason"]) == (413, "RequestEntityTooLarge")
    async with client.session.post(f"http://api{MAPS}", data=_endless()) as answer:
        assert answer.status == 413
    assert (await client("GET", MAPS)).document["items"] == []


async def _endless() -> AsyncIterator[bytes]:
    """A body that does not say how long it is, and goes on for as long as it is read."""
    while True:
        yield b" " * 65_536


async def test_bodies_that_are_no_json_are_refused(client: Client) -> None:
    for body in (b"{", b"\xff", b"[" * 100_000):
        reply = await client("POST", MAPS, data=body)
        assert (reply.status, reply.document["reason"]) == (400, "BadRequest")


async def test_a_body_in_protobuf_is_read_and_answered_in_json(client: Client) -> None:
    protobuf = "application/vnd.kubernetes.protobuf"
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "binary"}}
    body = envelope({**made, "data": {"a": "1"}})
    accept = f"{protobuf},application/json"
    reply = await client("POST", MAPS, data=body, Content_Type=protobuf, Accept=accept)
    assert (reply.status, reply.document["data"]) == (201, {"a": "1"})
    reply = await client("POST", MAPS, data=body[:-2], Content_Type=protobuf)
    assert (reply.status, reply.document["reason"]) == (400, "BadRequest")
    reply = await client("PATCH", f"{MAPS}/binary", data=body, Content_Type=protobuf)
    assert (reply.status, reply.document["reason"]) == (415, "UnsupportedMediaType")


async def test_a_fault_of_ours_is_told_as_one_and_the_next_request_is_served(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any, **more: Any) -> Any:
        raise LookupError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(Reader, "many", broken)
        reply = await client("GET", MAPS)
    assert (reply.status, reply.document["reason"]) == (500, "InternalError")
    assert "a bug" not in reply.document["message"]
    assert "a bug" in caplog.text
    assert (await client("GET", MAPS)).status == 200


async def test_a_store_that_cannot_write_is_an_error_and_nothing_is_there(
    client: Client, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(registry.store._journal, "commit", full)
        reply = await client("POST", MAPS, {"metadata": {"name": "one"}})
    assert (reply.status, reply.document["reason"]) == (500, "InternalError")
    assert "no space left" in reply.document["message"]
    assert (await client("GET", f"{MAPS}/one")).status == 404
    assert (await client("POST", MAPS, {"metadata": {"name": "one"}})).status == 201


async def test_who_is_impersonated_has_his_own_rights(client: Client) -> None:
    """`kubectl --as`: an answer with the caller's own rights would say the wrong thing."""
    reply = await client("GET", MAPS, Impersonate_User="ada")
    assert (reply.status, reply.document["reason"]) == (403, "Forbidden")
    assert 'User "ada" cannot list resource "configmaps"' in reply.document["message"]


async def raw(directory: Path, head: str, body: bytes = b"") -> tuple[str, bytes]:
    """A request byte by byte; the answer's status line and its body."""
    reader, writer = await asyncio.open_unix_connection(str(directory / "api.sock"))
    lines = head.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    writer.write(lines + b"\r\n\r\n" + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    writer.write_eof()
    rest = await reader.read()
    writer.close()
    return answered.decode().partition("\r\n")[0], rest


async def test_a_body_without_a_type_is_json(client: Client, directory: Path) -> None:
    for number, typed in enumerate(("", "Content-Type:\n", "Content-Type: Application/JSON\n")):
        body = b'{"metadata":{"name":"m%d"}}' % number
        head = f"POST {MAPS} HTTP/1.1\nHost: api\n{typed}Content-Length: {len(body)}"
        status, answer = await raw(directory, head, body)
        assert status == "HTTP/1.1 201 Created"
        assert orjson.loads(answer)["metadata"]["name"] == f"m{number}"


@pytest.mark.parametrize(
    "name", ["Accept", "Content-Type", "Impersonate-User", "User-Agent", "X-Any"]
)
async def test_a_header_that_is_no_text_is_refused_in_words(
    client: Client, directory: Path, name: str
) -> None:
    head = f"POST {MAPS} HTTP/1.1\nHost: api\n{name}: a\udcff\nContent-Length: 2"
    status, answer = await raw(directory, head, b"{}")
    assert status.split()[1] == "400"
    assert orjson.loads(answer)["message"] == f"the header {name} is not UTF-8"
    document = {"metadata": {"name": "one"}, "data": {"a": "1"}}
    reply = await client("POST", MAPS, document, User_Agent="größe/1")
    assert reply.document["metadata"]["managedFields"][0]["manager"] == "größe"


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"ownerReferences": [{"uid": str(each)} for each in range(30_000)]}, 422),
        ({"labels": {f"l{each}": "-" for each in range(30_000)}}, 422),
        ({"finalizers": [5] * 30_000}, 400),
    ],
)
async def test_what_is_wrong_very_often_is_told_so_often(
    client: Client, metadata: dict[str, Any], code: int
) -> None:
    reply = await client("POST", MAPS, {"metadata": {"name": "one", **metadata}})
    assert reply.status == code
    causes = reply.document["details"]["causes"] if code == 422 else []
    assert len(causes) in (0, CAUSES_MAX)
    assert reply.document["message"].count("Invalid value") <= CAUSES_MAX
    assert (f"no more than {CAUSES_MAX} are told" in reply.document["message"]) == bool(causes)


async def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(
    client: Client, directory: Path
) -> None:
    head = f"POST {MAPS} HTTP/1.1\nHost: api\nContent-Length: {BODY_BYTES_MAX + 1}"
    status, answer = await raw(directory, head)
    assert status.split()[1] == "413"
    assert orjson.loads(answer)["reason"] == "RequestEntityTooLarge"


async def test_what_is_no_http_is_answered_and_hurts_nobody(
    client: Client, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the client's fault, and none that a log should be filled with."""
    chunked = f"POST {MAPS} HTTP/1.1\nHost: api\nTransfer-Encoding: chunked"
    with caplog.at_level(logging.INFO):
        status, _ = await raw(directory, "one two three four")
        assert status.split()[1] == "400"
        status, _ = await raw(directory, chunked, b"no size\r\n")
        assert status.split()[1] == "400"
    assert not caplog.records
    assert (await client("GET", MAPS)).status == 200


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_fault(
    client: Client,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    read = app._body

    async def reading(request: web.BaseRequest) -> bytes:
        begun.set()
        try:
            return await read(request)
        finally:
            ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(app, "_body", reading)
        _, writer = await asyncio.open_unix_connection(str(directory / "api.sock"))
        head = f"POST {MAPS} HTTP/1.1\r\nHost: api\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode() + b'{"metadata":')
        await begun.wait()
        writer.transport.abort()
        await ended.wait()
    assert (await client("GET", MAPS)).document["items"] == []
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
