"""Logs come through the API server from the kubelet of the pod's node."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.errors import ApiError
from control.apiserver.kubelets import KUBELET_ANNOTATION
from control.apiserver.pod_log import container_of
from control.apiserver.registry import Registry

Client = Any

LOG = "/api/v1/namespaces/shop/pods/web/log"


def pod(*names: str, inits: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": each} for each in names],
            "initContainers": [{"name": each} for each in inits],
        },
    }


def test_the_only_container_need_not_be_named() -> None:
    assert container_of(pod("web", inits=("setup",)), {}) == "web"
    assert container_of(pod("web", inits=("setup",)), {"container": "setup"}) == "setup"


def test_one_of_several_must_be_named_and_be_there() -> None:
    with pytest.raises(ApiError, match=r"choose one of: \[web log\]") as caught:
        container_of(pod("web", "log"), {})
    assert caught.value.code == 400
    with pytest.raises(ApiError, match="container db is not valid for pod web"):
        container_of(pod("web"), {"container": "db"})


@pytest.fixture
async def asked(registry: Registry, directory: Path) -> AsyncIterator[list[str]]:
    """A kubelet with a log of two lines; what it is asked."""
    heard: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(str(request.rel_url))
        if request.query.get("previous"):
            return web.Response(status=400, text="previous terminated container not found\n")
        response = web.StreamResponse()
        await response.prepare(request)
        for line in (b"one\n", b"two\n"):
            await response.write(line)
        return response

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.UnixSite(runner, str(directory / "node.sock")).start()
    annotations = {KUBELET_ANNOTATION: f"unix:{directory / 'node.sock'}"}
    registry.store.put(("", "nodes"), {"metadata": {"name": "node-1", "annotations": annotations}})
    registry.store.put(("", "pods"), pod("web"))
    await registry.store.committed()
    yield heard
    await runner.cleanup()


async def test_a_log_is_passed_on_with_what_was_asked_of_it(
    client: Client, asked: list[str]
) -> None:
    reply = await client("GET", f"{LOG}?tailLines=2&follow=true&insecureSkipTLS=true")
    assert (reply.status, reply.document) == (200, "one\ntwo\n")
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert asked == ["/containerLogs/shop/web/web?follow=true&tailLines=2"]


async def test_what_the_kubelet_refuses_is_refused(client: Client, asked: list[str]) -> None:
    reply = await client("GET", f"{LOG}?previous=true")
    assert (reply.status, reply.document["reason"]) == (400, "BadRequest")
    assert reply.document["message"] == "previous terminated container not found"


async def test_pods_without_a_node_or_a_being_have_no_log(
    client: Client, registry: Registry
) -> None:
    assert (await client("GET", LOG)).status == 404
    unplaced = pod("web")
    del unplaced["spec"]["nodeName"]
    registry.store.put(("", "pods"), unplaced)
    reply = await client("GET", LOG)
    assert reply.status == 400
    assert reply.document["message"] == "pod web does not have a host assigned"


async def test_a_node_that_is_not_there_is_unavailable(client: Client, registry: Registry) -> None:
    registry.store.put(("", "pods"), pod("web"))
    assert (await client("GET", LOG)).status == 503


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE = b"4\r\none\n\r\n"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[[Serve], Awaitable[None]]


@pytest.fixture
async def listen(registry: Registry, directory: Path) -> AsyncIterator[Listen]:
    """Starts a kubelet whose every byte is the test's own; the pod is on its node."""
    servers: list[asyncio.Server] = []

    async def start(serve: Serve) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
            writer.transport.abort()

        path = str(directory / "raw.sock")
        servers.append(await asyncio.start_unix_server(handle, path))
        metadata = {"name": "node-1", "annotations": {KUBELET_ANNOTATION: f"unix:{path}"}}
        registry.store.put(("", "nodes"), {"metadata": metadata})
        registry.store.put(("", "pods"), pod("web"))

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_lines_come_as_they_are_written_and_who_leaves_is_told_to_the_kubelet(
    client: Client, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    left = asyncio.Event()

    async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + ONE)
        assert await reader.read() == b""  # until the API server hangs up
        left.set()

    await listen(follow)
    async with client.session.get(f"http://api{LOG}?follow=true") as answer:
        assert await answer.content.readline() == b"one\n"
        assert not left.is_set()
        answer.close()
    await left.wait()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_kubelet_that_dies_ends_the_log(client: Client, listen: Listen) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + ONE)
        await writer.drain()

    await listen(die)
    reply = await client("GET", f"{LOG}?follow=true")
    assert (reply.status, reply.document) == (200, "one\n")


@pytest.mark.parametrize(
    "said",
    [
        b"",  # dies before it says anything
        b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nthe log is",  # dies in its excuse
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ],
)
async def test_a_kubelet_that_does_not_speak_is_unavailable(
    client: Client, listen: Listen, said: bytes
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    await listen(speak)
    reply = await client("GET", LOG)
    assert (reply.status, reply.document["reason"]) == (503, "ServiceUnavailable")
    assert reply.document["message"].startswith("the kubelet of node-1 does not answer")
