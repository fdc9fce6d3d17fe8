"""Active health checks: every node behind the balancer is asked, often, whether it lives."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from cluster.aio.clock import Clock
from cluster.aio.tunnel import alive
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.health import NodeHealth

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
CHECK_TIMEOUT_SECONDS = 1.0
CHECKS_AT_ONCE_MAX = 64


class HealthChecks:
    """Asks `nodes()`; `changed` is called when one's health has changed."""

    def __init__(
        self,
        nodes: Callable[[], Sequence[BackendNode]],
        health: NodeHealth,
        changed: Callable[[], None],
        clock: Clock,
        *,
        timeout_seconds: float = CHECK_TIMEOUT_SECONDS,
    ) -> None:
        self._nodes = nodes
        self._health = health
        self._changed = changed
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await self.check()
            await self._clock.sleep(CHECK_SECONDS)

    async def check(self) -> None:
        """Ask every node once."""
        nodes = self._nodes()
        self._health.keep([node.name for node in nodes])
        room = asyncio.Semaphore(CHECKS_AT_ONCE_MAX)
        await asyncio.gather(*(self._check(node, room) for node in nodes))

    async def _check(self, node: BackendNode, room: asyncio.Semaphore) -> None:
        if node.tunnel is None:
            return
        async with room:
            try:
                await alive(node.tunnel, timeout_seconds=self._timeout_seconds)
            except OSError as error:
                self.failed(node.name, error)
                return
        if self._health.succeeded(node.name):
            log.info("node answers again node=%s", node.name)
            self._changed()

    def failed(self, node: str, error: OSError) -> None:
        """A check or a connection failed; refused is certain, silence may be chance."""
        reason = error.strerror or str(error)
        if self._health.failed(node, reason, surely=isinstance(error, ConnectionRefusedError)):
            log.warning("node does not answer node=%s reason=%s", node, reason)
            self._changed()
