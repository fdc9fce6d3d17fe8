"""The kubelet API: what is there, and what says that it is not."""

import aiohttp
import pytest
from aiohttp import web

from cluster.objects.resources import PODS


@pytest.fixture
async def get(kubelet):
    runner = web.AppRunner(kubelet.app(add_flows), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:

        async def get(path):
            async with session.get(path) as answer:
                return answer.status, await answer.text()

        yield get
    await runner.cleanup()


def add_flows(app):
    async def flows(_):
        return web.Response(text="flows")

    app.router.add_get("/flows", flows)
    app.router.add_get("/healthz", flows)


async def test_the_traces_routes_come_first_and_stay(get):
    assert await get("/flows") == (200, "flows")
    assert await get("/healthz") == (200, "flows")


async def test_pods_are_shown_as_this_node_sees_them(get, kubelet, api, field):
    """With the API away, /pods still says what runs."""
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    api.failing = OSError("no API")
    worker = kubelet.pods.find("shop", "web")
    await field.until(lambda: worker.status.get("phase") == "Running")
    status, text = await get("/pods")
    assert status == 200
    assert '"phase": "Running"' in text


async def test_metrics(get):
    status, text = await get("/metrics")
    assert (status, text.splitlines()[2]) == (200, "kubelet_running_pods 0")
