"""The diagnostics that a process with a recorder serves: /healthz, /metrics, /flows, /programmed.

    GET /flows?id=&source=&destination=&protocol=&kind=&outcome=&since=&limit=&wait=SECONDS
    GET /flows?...&follow=true

Segments come as JSON, one a line, newest last. A last line {"lost": n} says how many the rings have
forgotten; while following, such a line says how many this reader was too slow for (O-49). Following
begins with what started at `since`, if that is given. What a process wants to know less of, it asks
by query; a wrong query is answered 400 with the reason.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import orjson
from aiohttp import web

from cluster.errors import ConfigError, PoolExhausted
from cluster.trace.follower import Follower
from cluster.trace.metrics import metrics_text
from cluster.trace.query import Query
from cluster.trace.record import Segment
from cluster.trace.recorder import Recorder

WAIT_SECONDS_MAX = 300.0
PROGRAMMED_SECONDS_DEFAULT = 10.0
NDJSON = "application/x-ndjson"
METRICS_TYPE = "text/plain; version=0.0.4"
PROGRAMMED_RESOURCES = frozenset(
    {"services", "endpointslices", "networkpolicies", "pods", "nodes", "namespaces"}
)

Programmed = Callable[[Mapping[str, int], float], Awaitable[bool]]
Metrics = Callable[[], str]


def add_routes(
    app: web.Application,
    recorder: Recorder,
    *,
    programmed: Programmed | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Add the diagnostics to an application; `metrics` gives what the process counts besides.

    `programmed(versions, seconds)` says whether the view in use has seen these resourceVersions
    within a time.
    """
    routes = _Diagnostics(recorder, programmed, metrics)
    app.router.add_get("/healthz", routes.healthz)
    app.router.add_get("/metrics", routes.metrics)
    app.router.add_get("/flows", routes.flows)
    if programmed is not None:
        app.router.add_get("/programmed", routes.programmed)
    app.on_shutdown.append(routes.shut_down)


class _Diagnostics:
    """The handlers."""

    def __init__(
        self, recorder: Recorder, programmed: Programmed | None, metrics: Metrics | None
    ) -> None:
        self._recorder = recorder
        self._programmed = programmed
        self._metrics = metrics

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def metrics(self, _: web.Request) -> web.Response:
        text = metrics_text(self._recorder) + (self._metrics() if self._metrics else "")
        return web.Response(text=text, headers={"Content-Type": METRICS_TYPE})

    async def flows(self, request: web.Request) -> web.StreamResponse:
        parameters = dict(request.query)
        follow = _flag(parameters.pop("follow", ""), "follow")
        seconds = _seconds(parameters.pop("wait", ""), "wait", 0.0)
        try:
            query = Query.parse(parameters)
        except ConfigError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        if follow:
            return await self._follow(request, query)
        segments = await self._recorder.wait_for(query, seconds)
        body = _lines(segments) + _lost_line(sum(self._recorder.lost.values()))
        return web.Response(body=body, content_type=NDJSON)

    async def _follow(self, request: web.Request, query: Query) -> web.StreamResponse:
        try:
            follower = self._recorder.follow(query)
        except PoolExhausted as error:
            raise web.HTTPTooManyRequests(text=str(error)) from error
        with follower:
            response = web.StreamResponse(headers={"Content-Type": NDJSON})
            await response.prepare(request)
            if query.since is not None:
                await response.write(_lines(self._recorder.find(query)))
            with suppress(ConnectionError):  # the reader has left
                await _copy(follower, response)
        return response

    async def programmed(self, request: web.Request) -> web.Response:
        assert self._programmed is not None
        parameters = dict(request.query)
        seconds = _seconds(parameters.pop("timeout", ""), "timeout", PROGRAMMED_SECONDS_DEFAULT)
        wanted = {name: _version(name, text) for name, text in parameters.items() if text}
        if await self._programmed(wanted, seconds):
            return web.Response(text="programmed\n")
        versions = ", ".join(f"{name} {version}" for name, version in wanted.items())
        raise web.HTTPGatewayTimeout(text=f"not programmed in {seconds:g} s: {versions}\n")

    async def shut_down(self, _: web.Application) -> None:
        self._recorder.close()


async def _copy(follower: Follower, response: web.StreamResponse) -> None:
    """Write what comes until the follower is closed."""
    told = 0
    while batch := await follower.batch():
        lost, told = follower.lost - told, follower.lost
        await response.write(_lost_line(lost) + _lines(batch))


def _lines(segments: list[Segment]) -> bytes:
    return b"".join(orjson.dumps(segment.to_json()) + b"\n" for segment in segments)


def _lost_line(lost: int) -> bytes:
    return orjson.dumps({"lost": lost}) + b"\n" if lost else b""


def _flag(text: str, name: str) -> bool:
    if text not in ("", "true", "false", "1", "0"):
        raise web.HTTPBadRequest(text=f"{name}={text}: must be true or false")
    return text in ("true", "1")


def _seconds(text: str, name: str, default: float) -> float:
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= WAIT_SECONDS_MAX:
        most = f"{WAIT_SECONDS_MAX:g}"
        raise web.HTTPBadRequest(text=f"{name}={text}: must be a number of seconds up to {most}")
    return seconds


def _version(name: str, text: str) -> int:
    if name not in PROGRAMMED_RESOURCES:
        known = ", ".join(sorted(PROGRAMMED_RESOURCES))
        raise web.HTTPBadRequest(text=f"{name} is not a resource of the view; it has {known}")
    if not text.isdecimal():
        raise web.HTTPBadRequest(text=f"{name}={text}: a resourceVersion is a number")
    return int(text)
