"""/containerLogs: what `kubectl logs` reads through the API server.

GET /containerLogs/{namespace}/{pod}/{container}
    follow, previous, timestamps, tailLines, sinceSeconds, sinceTime, limitBytes, stream
"""

from aiohttp import web

from cluster.aio.clock import Clock
from node_agent.kubelet.log_ring import LogQuery
from node_agent.kubelet.logs import ContainerLogs, RunLog
from node_agent.kubelet.pod_state import Waiting
from node_agent.kubelet.pod_worker import PodWorker
from node_agent.kubelet.sync_loop import SyncLoop
from node_agent.kubelet.timestamps import parse


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
        async for chunk in run.read(query, follow=_flag(request, "follow")):
            await response.write(chunk)
        await response.write_eof()
        return response

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
        since = None
        try:
            if "sinceTime" in request.query:
                since = parse(request.query["sinceTime"])
            elif (seconds := _number(request, "sinceSeconds")) is not None:
                since = self._clock.now() - seconds
            return LogQuery(
                tail_lines=_number(request, "tailLines"),
                since=since,
                timestamps=_flag(request, "timestamps"),
                limit_bytes=_number(request, "limitBytes"),
                stream=request.query.get("stream", "All"),
            )
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None


def _why_waiting(worker: PodWorker, pod: str, container: str) -> str:
    state = worker.runs.records[container].state
    reason = state.reason if isinstance(state, Waiting) else "ContainerCreating"
    return f'container "{container}" in pod "{pod}" is waiting to start: {reason}'


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "").lower() in ("true", "1")


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise ValueError(f"{name}={text!r} is not a number of zero or more")
    return int(text)
