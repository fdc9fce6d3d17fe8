"""The DNS as a process: an API on a Unix socket in, answers and diagnostics out."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.aio.process import Lifecycle
from cluster.dns.config import DnsConfig
from cluster.dns.serve import serve
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from cluster.wire.dns import Message, Question, decode, encode


@pytest.fixture
async def api(make: Any, tmp_path: Path) -> AsyncIterator[str]:
    """An API server that lists a small cluster, and watches in which nothing happens."""
    lists = {
        NAMESPACES: [make.namespace("ns")],
        SERVICES: [make.service("web", "10.96.0.20")],
        ENDPOINT_SLICES: [],
        PODS: [make.pod("client", "10.244.1.5")],
    }
    stopping = asyncio.Event()
    app = web.Application()
    for resource, items in lists.items():
        body = {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": "7"},
            "items": items,
        }

        async def answer(request: web.Request, body: Any = body) -> web.StreamResponse:
            if request.query.get("watch") not in ("1", "true"):
                return web.json_response(body)
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await stopping.wait()
            return response

        app.router.add_get(resource.path(), answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    path = tmp_path / "control.sock"
    await web.UnixSite(runner, str(path)).start()
    yield f"unix:{path}"
    stopping.set()
    await runner.cleanup()


async def test_it_answers_from_the_api_and_tells_what_it_was_asked(
    api: str, tmp_path: Path
) -> None:
    """D-125, O-13."""
    reading, writing = os.pipe()
    arguments = ["--api", api, "--run-dir", str(tmp_path), "--bind", "127.0.0.1:0"]
    config = DnsConfig.parse([*arguments, "--ready-fd", str(writing)])
    lifecycle = Lifecycle(config.process)
    serving = asyncio.ensure_future(serve(config, lifecycle))
    facts = json.loads(await asyncio.to_thread(os.read, reading, 4096))
    os.close(reading)
    host, _, port = facts["dns"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    raw = encode(Message(id=3, questions=(Question("web.ns.svc.cluster.local", 1),)))
    writer.write(len(raw).to_bytes(2, "big") + raw)
    length = int.from_bytes(await reader.readexactly(2), "big")
    answer = decode(await reader.readexactly(length))
    writer.close()
    assert [str(each.data) for each in answer.answers] == ["10.96.0.20"]
    assert facts["ready"] is True and facts["diagnostics"] == f"unix:{config.socket}"
    assert stat.S_IMODE(config.socket.stat().st_mode) == 0o600
    connector = aiohttp.UnixConnector(str(config.socket))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get("http://dns/flows?kind=dns") as response:
            (flow,) = [json.loads(line) for line in (await response.text()).splitlines()]
        async with session.get("http://dns/metrics") as response:
            metrics = await response.text()
    assert flow["process"] == "dns" and "is 10.96.0.20" in flow["reason"]
    assert 'proto="tcp"' in metrics
    lifecycle.stopping.set()
    async with asyncio.timeout(20):
        await serving
    assert not config.socket.exists()
