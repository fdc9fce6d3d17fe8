"""What CoreDNS serves besides DNS: /health, /ready and /metrics, each on its own port.

    :8080/health   200 OK as long as the process serves
    :8181/ready    200 OK once every plugin is ready, else 503 with their names
    :9153/metrics  Prometheus' text

Spec: D-123, O-68 to O-71.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

METRICS_TYPE = "text/plain; version=0.0.4"


class Monitoring:
    """The three servers; one whose port is None is not there."""

    def __init__(self, ready: Callable[[], bool], metrics: Callable[[], str]) -> None:
        self._ready = ready
        self._metrics = metrics
        self._runners: list[web.ServerRunner] = []

    async def start(
        self,
        host: str,
        *,
        health_port: int | None,
        ready_port: int | None,
        metrics_port: int | None,
    ) -> None:
        """Listen where there is a port."""
        served = (
            (health_port, "/health", self._answer_health),
            (ready_port, "/ready", self._answer_ready),
            (metrics_port, "/metrics", self._answer_metrics),
        )
        for port, path, handler in served:
            if port is not None:
                runner = web.ServerRunner(web.Server(_only(path, handler)))
                await runner.setup()
                self._runners.append(runner)
                await web.TCPSite(runner, host, port).start()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, in the order health, ready, metrics."""
        return [
            (str(address[0]), int(address[1]))
            for each in self._runners
            for address in each.addresses
        ]

    async def close(self) -> None:
        """Stop."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _answer_health(self, _: web.BaseRequest) -> web.Response:
        return web.Response(text="OK")

    async def _answer_ready(self, _: web.BaseRequest) -> web.Response:
        if self._ready():
            return web.Response(text="OK")
        return web.Response(status=503, text="kubernetes")

    async def _answer_metrics(self, _: web.BaseRequest) -> web.Response:
        return web.Response(text=self._metrics(), headers={"Content-Type": METRICS_TYPE})


def _only(path: str, handler: Handler) -> Handler:
    """Answer one path, 404 on others."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != path:
            return web.Response(status=404, text=f"only {path} is here")
        return await handler(request)

    return answer
