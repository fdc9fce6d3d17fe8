"""The routes of streams: what is refused before a connection changes, and bounds."""

import pytest

from cluster.objects.resources import PODS
from cluster.wire.channels import Channel
from node_agent.kubelet import streams as routes

PATHS = (
    "/exec/shop/web/app?command=true",
    "/attach/shop/web/app?",
    "/portForward/shop/web?port=80",
)


@pytest.fixture
async def worker(kubelet, api, field):
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    found = kubelet.pods.find("shop", "web")
    await field.until(found.runs.live)
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_another_upgrade_is_refused(worker, streams, path):
    code, text = await streams(path, upgrade="websocket")
    assert code == 426
    assert "kubehop-channels" in text


@pytest.mark.parametrize("path", PATHS)
async def test_a_pod_that_is_not_here_is_not_found(worker, streams, path):
    code, text = await streams(path.replace("web", "nobody"))
    assert (code, text) == (404, 'pod "nobody" does not run on this node')


@pytest.mark.parametrize("path", PATHS[:2])
async def test_a_container_that_does_not_run_is_not_found(worker, streams, path):
    code, text = await streams(path.replace("app", "other"))
    assert code == 404
    assert text == 'container not found ("other")'


async def test_exec_wants_a_command(worker, streams):
    assert (await streams("/exec/shop/web/app?stdout=true"))[0] == 400


async def test_a_node_serves_a_bounded_number_of_streams(worker, streams, monkeypatch):
    monkeypatch.setattr(routes, "STREAMS_MAX", 1)
    await streams(PATHS[0])
    assert (await streams(PATHS[0]))[0] == 503


async def test_who_does_not_begin_as_agreed_is_let_go(worker, streams):
    channels = await streams(PATHS[0])
    await channels.send(Channel.STDIN, b"too early")
    assert await channels.receive() is None
