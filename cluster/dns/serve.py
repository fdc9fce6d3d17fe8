"""The cluster's DNS as a process: informers -> zone -> server, and the diagnostics beside it."""

import logging
from random import SystemRandom

from aiohttp import web

from cluster.aio.awaited_files import await_files
from cluster.aio.clock import SystemClock
from cluster.aio.process import Lifecycle
from cluster.aio.tasks import Tasks
from cluster.client.api import ApiClient
from cluster.dns.config import DnsConfig
from cluster.dns.server import DnsServer
from cluster.dns.zone_view import ZoneView
from cluster.trace.endpoint import add_routes
from cluster.trace.recorder import Recorder

log = logging.getLogger(__name__)

PROCESS = "dns"  # its name in traces
SHUTDOWN_SECONDS = 1.0


async def serve(config: DnsConfig, lifecycle: Lifecycle) -> None:
    """Run until told to stop."""
    clock = SystemClock(config.time_scale)
    if not await await_files([config.kubeconfig], lifecycle, clock):
        return
    tasks = Tasks(clock)
    recorder = Recorder(PROCESS, clock)
    async with ApiClient.of(config.api, kubeconfig=config.kubeconfig) as api:
        view = ZoneView(api, config.zone, clock, tasks)
        server = DnsServer(
            view.zone, recorder, own_socket=True, forward=config.forward, dice=SystemRandom()
        )
        diagnostics = _diagnostics(recorder, view, server)
        try:
            view.start()
            if not await view.synced():
                log.warning("the API has not answered: names that are missing get SERVFAIL")
            address = await server.start(config.bind.ip, config.bind.port)
            await _listen(diagnostics, config)
            lifecycle.ready(dns=str(address), diagnostics=f"unix:{config.socket}")
            await lifecycle.stopping.wait()
        finally:
            await server.close()
            await diagnostics.cleanup()
            await tasks.close()
            config.socket.unlink(missing_ok=True)


def _diagnostics(recorder: Recorder, view: ZoneView, server: DnsServer) -> web.AppRunner:
    app = web.Application()
    add_routes(app, recorder, programmed=view.programmed, metrics=server.metrics.text)
    return web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)


async def _listen(diagnostics: web.AppRunner, config: DnsConfig) -> None:
    config.socket.unlink(missing_ok=True)  # of a process that was killed
    await diagnostics.setup()
    await web.UnixSite(diagnostics, str(config.socket)).start()
    config.socket.chmod(0o600)
