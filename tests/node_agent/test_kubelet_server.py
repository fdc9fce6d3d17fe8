"""Where the kubelet API listens: a Unix socket of its owner's, and TLS for who has the key."""

import hashlib
import ssl
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.wire.keys import KUBELET_TOKEN, derived_token
from node_agent.config import AgentConfig
from node_agent.kubelet_server import KubeletServer

KEY = bytes(range(32))


def config(path: Path, *more: str) -> AgentConfig:
    return AgentConfig.parse(
        [
            *("--name", "node-1", "--bind", "127.0.0.1", "--internal-ip", "172.30.0.1"),
            *("--api", "unix:/nowhere", "--run-dir", str(path), "--cluster-key", "/nowhere"),
            *more,
        ]
    )


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    """Servers that say hello."""
    made: list[KubeletServer] = []

    async def started(configured: AgentConfig) -> KubeletServer:
        async def hello(_: web.Request) -> web.Response:
            return web.Response(text="hello")

        app = web.Application()
        app.router.add_get("/", hello)
        server = KubeletServer(configured, KEY)
        made.append(server)
        await server.start(app)
        return server

    yield started
    for each in made:
        await each.close()


async def test_the_unix_socket_is_its_owners_alone_and_goes_with_the_server(
    start: Any, tmp_path: Path
) -> None:
    configured = config(tmp_path)
    configured.socket.touch()  # left behind by a process that was killed
    server = await start(configured)
    assert server.advertised == f"unix:{tmp_path}/node-1.sock"
    assert stat.S_IMODE(configured.socket.stat().st_mode) == 0o600
    connector = aiohttp.UnixConnector(str(configured.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get("http://node/") as answer,
    ):
        assert await answer.text() == "hello"
    await server.close()
    assert not configured.socket.exists()


async def test_between_machines_the_certificate_is_announced_and_the_token_asked_for(
    start: Any, tmp_path: Path
) -> None:
    server = await start(config(tmp_path, "--kubelet-port", "0", "--advertise", "localhost"))
    url, _, fingerprint = server.advertised.partition("#sha256:")
    assert url.startswith("https://")
    trusted = aiohttp.Fingerprint(bytes.fromhex(fingerprint))
    token = {"Authorization": f"Bearer {derived_token(KEY, KUBELET_TOKEN)}"}
    wrong = {"Authorization": "Bearer of bad news"}
    odd = {"Authorization": "Bearer ü"}  # a header's bytes may be any
    async with aiohttp.ClientSession() as session:
        for headers, status in ((token, 200), (wrong, 401), (odd, 401), ({}, 401)):
            async with session.get(url, ssl=trusted, headers=headers) as answer:
                assert answer.status == status
        impostor = aiohttp.Fingerprint(hashlib.sha256(b"another").digest())
        with pytest.raises(aiohttp.ServerFingerprintMismatch):
            await session.get(url, ssl=impostor)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=ssl.create_default_context())


async def test_without_a_start_nothing_is_left(tmp_path: Path) -> None:
    server = KubeletServer(config(tmp_path), KEY)
    await server.close()
    assert not config(tmp_path).socket.exists()
