"""The kubelet API of this node: pods, logs, health, metrics, dialling; the trace adds flows.

    /healthz /metrics /pods /containerLogs/... /dial /echo-datagram
    /exec /attach /portForward    streams into pods

`make_app` builds the application; the agent serves it on its Unix socket, between machines by TLS.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from cluster.aio.clock import Clock
from node_agent.cni.interface import Network
from node_agent.kubelet.dial import DialRoutes
from node_agent.kubelet.log_routes import LogRoutes
from node_agent.kubelet.metrics import metrics_text
from node_agent.kubelet.streams import StreamRoutes
from node_agent.kubelet.sync_loop import SyncLoop

AddRoutes = Callable[[web.Application], Any]


def make_app(
    pods: SyncLoop, network: Network, clock: Clock, *, add_flows: AddRoutes | None = None
) -> web.Application:
    """The application; `add_flows` adds the recorder's routes (maybe /healthz and /metrics)."""
    app = web.Application()
    if add_flows is not None:
        add_flows(app)
    present = {resource.canonical for resource in app.router.resources()}
    routes = {
        "/healthz": _healthz,
        "/pods": _pods_handler(pods),
        "/metrics": _metrics_handler(pods),
    }
    for path, handler in routes.items():
        if path not in present:
            app.router.add_get(path, handler)
    LogRoutes(pods, clock).add_to(app)
    DialRoutes(pods, network).add_to(app)
    StreamRoutes(pods, network, clock).add_to(app)
    return app


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _pods_handler(pods: SyncLoop) -> Callable[[web.Request], Any]:
    async def handler(_: web.Request) -> web.Response:
        """The pods of this node, with the status that this kubelet sees (API or no API)."""
        items = [{**worker.pod, "status": worker.status} for worker in pods]
        return web.json_response(
            {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        )

    return handler


def _metrics_handler(pods: SyncLoop) -> Callable[[web.Request], Any]:
    async def handler(_: web.Request) -> web.Response:
        text = metrics_of(pods)
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    return handler


def metrics_of(pods: SyncLoop) -> str:
    """The kubelet's own lines of /metrics."""
    return metrics_text([worker.runs.records for worker in pods])
