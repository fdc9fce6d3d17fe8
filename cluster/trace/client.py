"""Asks the processes of a cluster for their segments: all at once, with or without the API server.

A process is "unix:PATH" or "https://HOST:PORT", with "#sha256:HEX" where it tells of which
certificate it can be known. One that cannot be reached is named in the result,
with the reason; the others' segments are there all the same.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Any, Self

import aiohttp
import orjson

from cluster.aio.clock import Clock, SystemClock
from cluster.aio.tasks import Tasks
from cluster.dataclass import dataclass
from cluster.trace.join import by_flow, join
from cluster.trace.query import Query
from cluster.trace.record import Segment

ANSWER_SECONDS = 5.0  # for a process to answer, beyond what it was asked to wait
LINE_BYTES_MAX = 4 * 2**20
STREAM_QUEUE_MAX = 4096
PIN = "#sha256:"
RETRY_SECONDS = 0.5

Enough = Callable[[list[Segment]], bool]

_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to speak to processes of other machines: TLS and who we are."""

    tls: ssl.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def trust(where: str, access: Access) -> tuple[str, Any]:
    """The start of a process's URLs, and whom to take for it; ValueError when that is garbled."""
    base, _, digest = where.partition(PIN)
    pinned = aiohttp.Fingerprint(bytes.fromhex(digest)) if digest else None
    return base.rstrip("/"), pinned or access.tls or True


@dataclass(frozen=True, slots=True)
class Collected:
    """What the processes said: segments as they came, whom nobody could ask, what was forgotten."""

    segments: tuple[Segment, ...] = ()
    unreachable: Mapping[str, str] = field(default_factory=dict)  # process -> why
    lost: Mapping[str, int] = field(default_factory=dict)  # process -> segments its rings forgot


async def collect(
    endpoints: Mapping[str, str],
    query: Query,
    *,
    wait: float = 0.0,
    access: Access | None = None,
    enough: Enough | None = None,
) -> Collected:
    """Ask every process at once.

    With `wait`, processes that have nothing yet are given so many seconds, but no longer than until
    the flow's trace is complete (a query by id) or until one of them has something (others): most
    processes are not on a flow's way and would wait in vain. As soon as what was said is `enough`,
    nobody is waited for: a node that is powered off would take its time to say nothing.
    """
    known = access or Access()
    if wait > 0 and query.id is None:
        first = await _gather(endpoints, query, wait, known, enough=enough or bool)
        if enough is not None and enough(list(first.segments)):
            return first
        wait = 0.0
    until = enough or (_whole if wait > 0 else _never)
    return await _gather(endpoints, query, wait, known, enough=until)


@dataclass(slots=True)
class _Said:
    """What one process said."""

    segments: list[Segment] = field(default_factory=list)
    lost: int = 0
    problem: str = ""


def _never(_: list[Segment]) -> bool:
    return False


def _whole(segments: list[Segment]) -> bool:
    return bool(segments) and all(join(each).complete for each in by_flow(segments).values())


async def _gather(
    endpoints: Mapping[str, str], query: Query, wait: float, access: Access, *, enough: Enough
) -> Collected:
    """Ask all; end early once the segments so far are enough."""
    segments: list[Segment] = []
    unreachable: dict[str, str] = {}
    lost: dict[str, int] = {}

    async def one(name: str, where: str) -> None:
        said = await _ask(where, query, wait, access)
        segments.extend(said.segments)
        if said.problem:
            unreachable[name] = said.problem
        if said.lost:
            lost[name] = said.lost

    async with asyncio.TaskGroup() as group:
        asking = {
            group.create_task(one(name, where), name=f"ask {name} for flows")
            for name, where in endpoints.items()
        }
        while asking and not enough(segments):
            _, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        for task in asking:
            task.cancel()
    return Collected(tuple(segments), unreachable, lost)


async def _ask(where: str, query: Query, wait: float, access: Access) -> _Said:
    parameters = query.to_parameters() | ({"wait": f"{wait:g}"} if wait > 0 else {})
    timeout = aiohttp.ClientTimeout(total=wait + ANSWER_SECONDS)
    said = _Said()
    try:
        async with _request(where, parameters, timeout, access) as response:
            for line in (await response.read()).splitlines():
                _take(orjson.loads(line), said)
    except _BROKEN as error:
        said.problem = f"{where}: {str(error) or type(error).__name__}"
    return said


def _take(document: Any, said: _Said) -> None:
    if "lost" in document:
        said.lost += int(document["lost"])
    else:
        said.segments.append(Segment.from_json(document))


@asynccontextmanager
async def _request(
    where: str, parameters: Mapping[str, str], timeout: aiohttp.ClientTimeout, access: Access
) -> AsyncIterator[aiohttp.ClientResponse]:
    """GET /flows; a status other than 200 is a ValueError with what the process said."""
    scheme, _, path = where.partition(":")
    connector: aiohttp.BaseConnector
    if scheme == "unix":
        connector, base = aiohttp.UnixConnector(path), "http://localhost"
    elif scheme in ("http", "https"):
        base, trusted = trust(where, access)
        connector = aiohttp.TCPConnector(ssl=trusted)
    else:
        raise ValueError("an endpoint is unix:PATH or https://HOST:PORT")
    async with (
        aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers=access.headers,
            read_bufsize=LINE_BYTES_MAX,
        ) as session,
        session.get(f"{base}/flows", params=parameters) as response,
    ):
        if response.status != 200:
            raise ValueError(f"{response.status} {(await response.text()).strip()}")
        yield response


class FlowStream:
    """Segments of all processes as they are recorded; an async iterator inside `async with`.

    A process that ends or cannot be reached is asked again and again (`unreachable` says which);
    a reader that is too slow loses segments and finds them counted in `lost`.
    """

    def __init__(
        self,
        endpoints: Mapping[str, str],
        query: Query,
        *,
        access: Access | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.unreachable: dict[str, str] = {}
        self.lost = 0
        self._endpoints = dict(endpoints)
        self._query = query
        self._access = access or Access()
        self._clock = clock or SystemClock()
        self._tasks = Tasks(self._clock)
        self._queue: asyncio.Queue[Segment] = asyncio.Queue(STREAM_QUEUE_MAX)

    async def __aenter__(self) -> Self:
        for name, where in self._endpoints.items():
            self._tasks.start(self._follow(name, where), name=f"follow {name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Segment:
        return await self._queue.get()

    async def _follow(self, name: str, where: str) -> None:
        parameters = self._query.to_parameters() | {"follow": "true"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_SECONDS)
        while True:
            try:
                async with _request(where, parameters, timeout, self._access) as response:
                    self.unreachable.pop(name, None)
                    async for line in response.content:
                        self._put(orjson.loads(line))
                self.unreachable[name] = f"{where}: ended"
            except _BROKEN as error:
                self.unreachable[name] = f"{where}: {str(error) or type(error).__name__}"
            await self._clock.sleep(RETRY_SECONDS)

    def _put(self, document: Any) -> None:
        if "lost" in document:
            self.lost += int(document["lost"])
            return
        if self._queue.full():
            self._queue.get_nowait()
            self.lost += 1
        self._queue.put_nowait(Segment.from_json(document))


def follow_all(
    endpoints: Mapping[str, str],
    query: Query,
    *,
    access: Access | None = None,
    clock: Clock | None = None,
) -> FlowStream:
    """`async with follow_all(...) as stream: async for segment in stream: ...`"""
    return FlowStream(endpoints, query, access=access, clock=clock)
