"""The API over HTTP: what is asked, what is made of the answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.client import api as module
from cluster.client.api import ApiClient
from cluster.client.interface import EventType, PatchType
from cluster.errors import ApiError, ConfigError
from cluster.objects.resources import DEPLOYMENTS, NODES, PODS

POD = {"metadata": {"name": "cart", "namespace": "shop"}}
GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}


class Server:
    """Answers whatever is asked with what the test says, and notes the question."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[Any] = []
        self.types: list[str] = []
        self.answer: Callable[[web.Request], Any] = lambda request: web.json_response({})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.query)))
        body = await request.read()
        self.bodies.append(json.loads(body) if body else None)
        self.types.append(request.content_type if body else "")
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "control.sock")).start()
    yield made
    await runner.cleanup()


@pytest.fixture
async def api(server: Server, tmp_path: Path) -> AsyncIterator[ApiClient]:
    async with ApiClient.of(f"unix:{tmp_path / 'control.sock'}") as client:
        yield client


def says(document: Any, status: int = 200) -> Callable[[web.Request], web.Response]:
    return lambda request: web.json_response(document, status=status)


# -- what is asked


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda api: api.get(NODES, "node-1"), ("GET", "/api/v1/nodes/node-1", {})),
        (
            lambda api: api.get(PODS, "cart", namespace="shop"),
            ("GET", "/api/v1/namespaces/shop/pods/cart", {}),
        ),
        (
            lambda api: api.create(DEPLOYMENTS, POD),
            ("POST", "/apis/apps/v1/namespaces/shop/deployments", {}),
        ),
        (
            lambda api: api.update(PODS, POD, subresource="status"),
            ("PUT", "/api/v1/namespaces/shop/pods/cart/status", {}),
        ),
        (
            lambda api: api.patch(PODS, "cart", {}, namespace="shop"),
            ("PATCH", "/api/v1/namespaces/shop/pods/cart", {}),
        ),
        (
            lambda api: api.patch(
                *(PODS, "cart", {}),
                namespace="shop",
                subresource="status",
                field_manager="kubelet",
                force=True,
            ),
            (
                "PATCH",
                "/api/v1/namespaces/shop/pods/cart/status",
                {"fieldManager": "kubelet", "force": "true"},
            ),
        ),
        (
            lambda api: api.delete(PODS, "cart", namespace="shop"),
            ("DELETE", "/api/v1/namespaces/shop/pods/cart", {}),
        ),
        (
            lambda api: api.call("GET", "/version", query={"a": "b"}),
            ("GET", "/version", {"a": "b"}),
        ),
    ],
)
async def test_a_verb_is_a_request(api: ApiClient, server: Server, call, asked):
    await call(api)
    assert server.asked == [asked]


async def test_a_list_asks_for_what_matches(api: ApiClient, server: Server):
    server.answer = says({"metadata": {"resourceVersion": "7"}, "items": []})
    await api.list(PODS, namespace="shop", label_selector="app=cart", field_selector="spec.x=y")
    assert server.asked == [
        (
            "GET",
            "/api/v1/namespaces/shop/pods",
            {"labelSelector": "app=cart", "fieldSelector": "spec.x=y"},
        )
    ]


@pytest.mark.parametrize("patch_type", list(PatchType))
async def test_a_patch_says_of_which_type_it_is(api: ApiClient, server: Server, patch_type):
    await api.patch(PODS, "cart", {"spec": {}}, namespace="shop", patch_type=patch_type)
    assert server.types == [str(patch_type)]
    assert server.bodies == [{"spec": {}}]


async def test_a_deletion_says_how(api: ApiClient, server: Server):
    await api.delete(PODS, "a", namespace="b", grace_seconds=0, uid="u", propagation="Foreground")
    assert server.bodies == [
        {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": "u"},
            "propagationPolicy": "Foreground",
        }
    ]


# -- what is made of the answers


async def test_items_of_a_list_know_what_they_are(api: ApiClient, server: Server):
    other = {"kind": "Special", "apiVersion": "v9", **POD}
    server.answer = says({"metadata": {"resourceVersion": "7"}, "items": [POD, other]})
    listing = await api.list(DEPLOYMENTS)
    assert listing.resource_version == "7"
    assert [(each["apiVersion"], each["kind"]) for each in listing.items] == [
        ("apps/v1", "Deployment"),
        ("v9", "Special"),
    ]


async def test_a_list_of_nothing_may_be_null(api: ApiClient, server: Server):
    server.answer = says({"metadata": {"resourceVersion": "7"}, "items": None})
    assert (await api.list(PODS)).items == []


async def test_a_refusal_is_an_api_error(api: ApiClient, server: Server):
    status = {"kind": "Status", "code": 409, "reason": "AlreadyExists", "message": "it exists"}
    server.answer = says(status, 409)
    with pytest.raises(ApiError, match="it exists") as caught:
        await api.create(PODS, POD)
    assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")


async def test_what_is_no_json_is_a_connection_error(api: ApiClient, server: Server):
    """Whatever answers there, it is no API server."""
    server.answer = lambda request: web.Response(text="<html>")
    with pytest.raises(ConnectionError, match=r"GET /api/v1/nodes/node-1 with what is no JSON"):
        await api.get(NODES, "node-1")


async def test_answers_are_asked_for_unpacked(api: ApiClient, server: Server):
    """They are read as they come; a server that packs large ones must be told."""

    def answer(request: web.Request) -> web.Response:
        response = web.json_response({"asked": request.headers["Accept-Encoding"]})
        response.enable_compression()
        return response

    server.answer = answer
    assert await api.get(NODES, "node-1") == {"asked": "identity"}


async def test_a_server_that_is_not_there_is_a_connection_error(tmp_path: Path):
    async with ApiClient.of(f"unix:{tmp_path / 'nowhere.sock'}") as api:
        with pytest.raises(ConnectionError, match=r"the API server at .*nowhere\.sock does not"):
            await api.get(NODES, "node-1")
        with pytest.raises(ConnectionError, match=r"does not answer"):
            await anext(api.watch(PODS, resource_version="7"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/run/control.sock", "'/run/control.sock' is neither unix:PATH nor https://IP:PORT"),
        ("http://127.0.0.1", "is neither unix:PATH nor https"),
        ("https://127.0.0.1:6443", "needs --kubeconfig: TLS wants credentials"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_can(address: str, message: str):
    with pytest.raises(ConfigError, match=message):
        ApiClient.of(address)


# -- watches


def streaming(*chunks: bytes) -> Callable[[web.Request], Any]:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    return stream


def line(kind: str, document: Any) -> bytes:
    return json.dumps({"type": kind, "object": document}).encode() + b"\n"


async def watched(api: ApiClient) -> list[tuple[EventType, Any]]:
    return [(event.type, event.document) async for event in api.watch(PODS, resource_version="7")]


async def test_a_watch_goes_on_from_a_version_with_bookmarks(api: ApiClient, server: Server):
    server.answer = streaming()
    watching = api.watch(PODS, resource_version="7", namespace="shop", field_selector="spec.x=y")
    assert [event async for event in watching] == []
    assert server.asked == [
        (
            "GET",
            "/api/v1/namespaces/shop/pods",
            {
                "watch": "true",
                "resourceVersion": "7",
                "allowWatchBookmarks": "true",
                "fieldSelector": "spec.x=y",
            },
        )
    ]


async def test_events_come_whole_however_they_are_cut(api: ApiClient, server: Server):
    text = line("ADDED", POD) + b"\n" + line("MODIFIED", POD) + line("BOOKMARK", {})
    server.answer = streaming(*(text[at : at + 7] for at in range(0, len(text), 7)))
    assert await watched(api) == [
        (EventType.ADDED, POD),
        (EventType.MODIFIED, POD),
        (EventType.BOOKMARK, {}),
    ]


async def test_a_watch_that_starts_too_far_back_is_gone(api: ApiClient, server: Server):
    server.answer = says(GONE, 410)
    with pytest.raises(ApiError, match="too old") as refused:
        await watched(api)
    server.answer = streaming(line("ADDED", POD), line("ERROR", GONE))
    with pytest.raises(ApiError, match="too old") as told:
        await watched(api)
    assert refused.value.code == told.value.code == 410


@pytest.mark.parametrize(
    "text", [b"{\n", b"[]\n", b'{"type": "ADDED"}\n', b'{"type": "LOST", "object": {}}\n']
)
async def test_what_is_no_event_ends_the_link(api: ApiClient, server: Server, text: bytes):
    server.answer = streaming(text)
    with pytest.raises(ConnectionError, match="the watch sent what is no event"):
        await watched(api)


async def test_an_event_without_end_ends_the_link(
    api: ApiClient, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "EVENT_BYTES_MAX", 1000)
    server.answer = streaming(b"x" * 1001)
    with pytest.raises(ConnectionError, match="an event of the watch is longer than 1000 bytes"):
        await watched(api)
