"""An API server over a store in memory, reached by calls or over a real Unix socket."""

import asyncio
import io
import json
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.objects.resources import NAMESPACES, Resource
from control.apiserver.app import ApiServer
from control.apiserver.kubelets import Kubelets
from control.apiserver.options import WriteOptions
from control.apiserver.pod_log import PodLogs
from control.apiserver.registry import Registry
from control.apiserver.streams.front import FrontServer
from control.resources.kinds import Kind, find_kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store

START = 1_767_268_800.0  # 2026-01-01T12:00:00Z


class StandingClock:
    """Time stands still, but for deadlines, which the test moves."""

    scale = 1.0

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return START

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


def kind_of(resource: Resource) -> Kind:
    kind = find_kind(resource.group, resource.version, resource.plural)
    assert kind is not None
    return kind


@pytest.fixture
def kind() -> Callable[[Resource], Kind]:
    """The served kind of a resource."""
    return kind_of


@pytest.fixture
async def registry(clock: StandingClock) -> Registry:
    """A registry with the namespaces `default` and `shop`."""
    addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
    made = Registry(Store(NoJournal()), addresses, clock, random.Random(7))
    for name in ("default", "shop"):
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await made.create(kind_of(NAMESPACES), None, document, WriteOptions())
    return made


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose sockets' paths are short enough."""
    made = Path(tempfile.mkdtemp(prefix="kh-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end."""

    status: int
    document: Any
    headers: dict[str, str]
    warnings: tuple[str, ...]


class Client:
    """A client of the API over its Unix socket."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, data: bytes = b"", **headers: str
    ) -> Reply:
        """One request; header names are written with underscores."""
        sent = data or (b"" if body is None else json.dumps(body).encode())
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        named.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method, f"http://api{path}", data=io.BytesIO(sent) if sent else None, headers=named
        ) as answer:
            text = await answer.read()
            structured = "json" in answer.headers.get("Content-Type", "")
            return Reply(
                answer.status,
                json.loads(text) if structured else text.decode(),
                dict(answer.headers),
                tuple(answer.headers.getall("Warning", ())),
            )

    async def lines(self, path: str, **headers: str) -> AsyncIterator[dict[str, Any]]:
        """The events of a watch."""
        async with self.session.get(f"http://api{path}", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                yield json.loads(line)


@pytest.fixture
async def client(
    registry: Registry, clock: StandingClock, directory: Path
) -> AsyncIterator[Client]:
    """A client of a running server; plain HTTP, so it is the administrator."""
    logs = PodLogs(registry.store, Kubelets(registry.store))
    server = ApiServer(registry, logs, clock, random.Random(7))
    front = FrontServer(server.handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(front)
    await runner.setup()
    await web.UnixSite(runner, str(directory / "api.sock")).start()
    connector = aiohttp.UnixConnector(str(directory / "api.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Client(session)
    registry.store.close()
    await runner.cleanup()
