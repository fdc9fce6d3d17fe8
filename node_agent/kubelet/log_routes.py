"""/containerLogs: what `kubectl logs` reads through the API server.

GET /containerLogs/{namespace}/{pod}/{container}
    follow, previous, timestamps, tailLines, sinceSeconds, sinceTime, limitBytes, stream

A log lives as long as its container's last two runs, in the memory of this agent.
Source: core/v1 PodLogOptions, whose names and limits these are.
"""

from collections.abc import AsyncIterator

from aiohttp import web

from cluster.aio.clock import Clock
from node_agent.kubelet.deadline import unless
from node_agent.kubelet.log_ring import LogQuery
from node_agent.kubelet.logs import ContainerLogs, RunLog
from node_agent.kubelet.pod_state import Waiting
from node_agent.kubelet.pod_worker import PodWorker
from node_agent.kubelet.sync_loop import SyncLoop
from node_agent.kubelet.timestamps import parse

FOLLOWER_CHECK_SECONDS = 5.0


class LogRoutes:
    """The route, over the logs that the workers hold."""

    def __init__(self, pods: SyncLoop, clock: Clock) -> None:
        self._pods = pods
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Register it."""
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self.read)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Stream the lines that the query asks for."""
        run = self._run(request)
        query = self._query(request)
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        await response.prepare(request)
        if _flag(request, "follow"):
            await response.write(b"")  # the headers: a follower waits for lines, not for us
            await unless(self._client_left(request), _send(response, run.read(query, follow=True)))
        else:
            await _send(response, run.read(query))
        await response.write_eof()
        return response

    async def _client_left(self, request: web.Request) -> None:
        """Return when nobody follows any more: a program that prints nothing would not tell."""
        while request.transport is not None:
            await self._clock.sleep(FOLLOWER_CHECK_SECONDS)

    def _run(self, request: web.Request) -> RunLog:
        namespace, pod, container = (
            request.match_info[n] for n in ("namespace", "pod", "container")
        )
        worker = self._pods.find(namespace, pod)
        if worker is None:
            raise web.HTTPNotFound(text=f'pod "{pod}" not found on this node')
        if container not in worker.runs.records:
            raise web.HTTPBadRequest(text=f"container {container} is not valid for pod {pod}")
        logs = worker.runs.logs.get(container) or ContainerLogs(self._clock)
        if _flag(request, "previous"):
            if logs.previous is None:
                text = f'previous terminated container "{container}" in pod "{pod}" not found'
                raise web.HTTPBadRequest(text=text)
            return logs.previous
        if logs.current is None:
            raise web.HTTPBadRequest(text=_why_waiting(worker, pod, container))
        return logs.current

    def _query(self, request: web.Request) -> LogQuery:
        try:
            return LogQuery(
                tail_lines=_number(request, "tailLines", least=0),
                since=self._since(request),
                timestamps=_flag(request, "timestamps"),
                limit_bytes=_number(request, "limitBytes", least=1),
                stream=request.query.get("stream", "All"),
            )
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None

    def _since(self, request: web.Request) -> float | None:
        seconds, at = _number(request, "sinceSeconds", least=1), request.query.get("sinceTime")
        if seconds is not None and at is not None:
            raise ValueError("at most one of sinceTime or sinceSeconds may be specified")
        if at is not None:
            return parse(at)
        return None if seconds is None else self._clock.now() - seconds


async def _send(response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        await response.write(chunk)


def _why_waiting(worker: PodWorker, pod: str, container: str) -> str:
    state = worker.runs.records[container].state
    reason = state.reason if isinstance(state, Waiting) else "ContainerCreating"
    return f'container "{container}" in pod "{pod}" is waiting to start: {reason}'


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "").lower() in ("true", "1")


def _number(request: web.Request, name: str, *, least: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{name}={text!r} is not a whole number of at least {least}")
    return int(text)
