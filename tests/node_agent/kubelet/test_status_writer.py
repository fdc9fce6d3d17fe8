"""How a pod's status reaches the API."""

import asyncio

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import PODS
from node_agent.kubelet.status_writer import StatusWriter


@pytest.fixture
def pod(api, field):
    return api.put(PODS, field.pod())


@pytest.fixture
async def writer(api, clock, tasks, pod):
    made = StatusWriter(api, clock, pod)
    tasks.start(made.run(), name="status")
    return made


async def test_an_equal_status_is_not_written_again(writer, api, clock):
    for _ in range(3):
        writer.put({"phase": "Running"})
        await clock.advance(0)
    assert len(api.patches) == 1


async def test_of_several_in_one_moment_only_the_newest_is_written(writer, api, clock):
    writer.put({"phase": "Pending"})
    writer.put({"phase": "Running"})
    await clock.advance(0)
    assert [patch["status"]["phase"] for _, _, patch in api.patches] == ["Running"]


async def test_a_patch_names_the_uid_it_is_for(writer, api, clock):
    writer.put({"phase": "Running"})
    await clock.advance(0)
    assert api.patches[0][2]["metadata"] == {"uid": "uid-web"}


async def test_what_the_api_cannot_take_now_is_written_later(writer, api, clock):
    api.failing = OSError("no API")
    writer.put({"phase": "Pending"})
    await clock.advance(1)
    writer.put({"phase": "Running"})
    api.failing = None
    await clock.advance(5)
    assert api.find(PODS, "web", "shop")["status"]["phase"] == "Running"


async def test_a_pod_that_is_gone_ends_the_writing(writer, api, clock):
    del api.objects[("pods", "shop", "web")]
    writer.put({"phase": "Running"})
    await clock.advance(0)
    assert writer.gone
    await writer.flushed()


async def test_a_refusal_is_logged_and_not_repeated(writer, api, clock, caplog):
    api.failing = ApiError({"code": 422, "reason": "Invalid", "message": "no such phase"})
    writer.put({"phase": "Runing"})
    await clock.advance(60)
    assert caplog.text.count("status refused") == 1


async def test_flushed_waits_for_the_newest(writer, api, clock, field):
    api.failing = OSError("no API")
    writer.put({"phase": "Running"})
    waiting = asyncio.create_task(writer.flushed())
    await clock.advance(1)
    assert not waiting.done()
    api.failing = None
    await clock.advance(5)
    assert waiting.done()
