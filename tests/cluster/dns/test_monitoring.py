"""/health, /ready and /metrics."""

import aiohttp
import pytest

from cluster.dns.monitoring import Monitoring


async def get(address: tuple[str, int], path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{address[0]}:{address[1]}{path}") as response,
    ):
        return response.status, await response.text()


async def test_health_ready_and_metrics_have_a_port_each() -> None:
    """D-123, O-68: ready says who is not."""
    synced = False
    monitoring = Monitoring(lambda: synced, lambda: "coredns_x 1\n")
    await monitoring.start("127.0.0.1", health_port=0, ready_port=0, metrics_port=0)
    health, ready, metrics = monitoring.addresses
    assert await get(health, "/health") == (200, "OK")
    assert await get(ready, "/ready") == (503, "kubernetes")
    synced = True
    assert await get(ready, "/ready") == (200, "OK")
    assert await get(metrics, "/metrics") == (200, "coredns_x 1\n")
    assert (await get(health, "/ready"))[0] == 404
    await monitoring.close()
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(health, "/health")


async def test_what_is_not_asked_for_does_not_listen() -> None:
    monitoring = Monitoring(lambda: True, str)
    await monitoring.start("127.0.0.1", health_port=None, ready_port=None, metrics_port=None)
    assert monitoring.addresses == []
