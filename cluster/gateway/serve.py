"""The gateway as a process: the API behind it, the diagnostics beside it."""

import logging
from random import Random, SystemRandom

from aiohttp import web

from cluster.aio.awaited_files import await_files
from cluster.aio.clock import SystemClock
from cluster.aio.process import Lifecycle
from cluster.client.api import ApiClient
from cluster.client.informer import Informer
from cluster.gateway.balancer_view import WATCHED
from cluster.gateway.config import GatewayConfig
from cluster.gateway.gateway import Gateway
from cluster.wire.clients import LOCALHOST

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 1.0


async def serve(config: GatewayConfig, lifecycle: Lifecycle) -> None:
    """Run until told to stop."""
    clock = SystemClock(config.time_scale)
    if not await await_files([config.cluster_key, config.kubeconfig], lifecycle, clock):
        return
    key = config.read_key()
    async with ApiClient.of(config.api, kubeconfig=config.kubeconfig) as api:
        dice = Random(SystemRandom().getrandbits(128))
        informers = {each: Informer(api, each, clock=clock) for each in WATCHED}
        gateway = Gateway(config, key, api, informers, clock=clock, dice=dice)
        diagnostics = web.AppRunner(
            gateway.app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
        )
        try:
            if not await gateway.start():
                log.warning("the API has not answered: no front is open before it does")
            status_port = await _listen(diagnostics, config)
            lifecycle.ready(diagnostics=f"unix:{config.socket}", status_port=status_port)
            await lifecycle.stopping.wait()
        finally:
            await gateway.close()
            await diagnostics.cleanup()
            config.socket.unlink(missing_ok=True)


async def _listen(diagnostics: web.AppRunner, config: GatewayConfig) -> int | None:
    """Serve the diagnostics; the TCP port, if one was asked for."""
    config.socket.unlink(missing_ok=True)  # of a process that was killed
    await diagnostics.setup()
    await web.UnixSite(diagnostics, str(config.socket)).start()
    config.socket.chmod(0o600)
    if config.status_port is None:
        return None
    await web.TCPSite(diagnostics, config.bind or LOCALHOST, config.status_port).start()
    port: int = diagnostics.addresses[-1][1]
    return port
