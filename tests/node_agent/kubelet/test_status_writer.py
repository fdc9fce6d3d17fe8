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


def conditions(**status):
    return {"conditions": [{"type": kind, "status": value} for kind, value in status.items()]}


def shown(api):
    status = api.find(PODS, "web", "shop")["status"]
    return {each["type"]: each["status"] for each in status["conditions"]}


def overwritten(api, document, **status):
    """Another writer's word on a condition, as the API stores it."""
    merged = {each["type"]: each for each in document["status"]["conditions"]}
    merged |= {kind: {"type": kind, "status": value} for kind, value in status.items()}
    changed = {**document["status"], "conditions": list(merged.values())}
    return api.put(PODS, {**document, "status": changed})


async def test_a_condition_that_another_wrote_meanwhile_is_written_again(writer, api, clock):
    """P-69, P-74: the controller's word arrived while ours, on something else, was on its way."""
    writer.put({"phase": "Pending", **conditions(Ready="True")})
    await clock.advance(0)

    def controller(before):
        api.before_patch = None
        return overwritten(api, before, Ready="False")

    api.before_patch = controller
    writer.put({"phase": "Running", **conditions(Ready="True")})
    await clock.advance(0)
    assert shown(api) == {"Ready": "False"}
    await clock.advance(1)
    assert shown(api) == {"Ready": "True"}


async def test_what_the_watch_shows_while_a_write_is_on_its_way_counts_after_it(
    writer, api, clock, monkeypatch
):
    """P-74: the watch may be faster than the answer to our own write."""
    writer.put({"phase": "Pending", **conditions(Ready="True")})
    await clock.advance(0)
    patch = api.patch

    async def slow(*arguments, **options):
        answer = await patch(*arguments, **options)
        writer.reconcile(overwritten(api, answer, Ready="False"))
        monkeypatch.setattr(api, "patch", patch)
        return answer

    monkeypatch.setattr(api, "patch", slow)
    writer.put({"phase": "Running", **conditions(Ready="True")})
    await clock.advance(1)
    assert shown(api) == {"Ready": "True"}


async def test_what_the_api_says_of_a_condition_besides_its_status_is_no_dispute(
    writer, api, clock
):
    writer.put(conditions(Ready="True"))
    await clock.advance(0)
    document = api.find(PODS, "web", "shop")
    each = {"type": "Ready", "status": "True", "lastProbeTime": None}
    writer.reconcile(api.put(PODS, {**document, "status": {"conditions": [each]}}))
    writer.put(conditions(Ready="True"))
    await clock.advance(60)
    assert len(api.patches) == 1


async def test_a_condition_that_was_taken_away_is_written_again(writer, api, clock, pod):
    writer.put(conditions(Ready="True", Initialized="True"))
    await clock.advance(0)
    document = api.find(PODS, "web", "shop")
    left = [c for c in document["status"]["conditions"] if c["type"] != "Ready"]
    writer.reconcile(api.put(PODS, {**document, "status": {"conditions": left}}))
    writer.put(conditions(Ready="True", Initialized="True"))
    await clock.advance(0)
    assert shown(api) == {"Initialized": "True", "Ready": "True"}


async def test_another_pod_of_the_name_is_never_written_to(writer, api, clock, field):
    """P-8: the uid tells them apart."""
    twin = field.pod()
    api.put(PODS, {**twin, "metadata": {**twin["metadata"], "uid": "uid-twin"}})
    writer.put({"phase": "Failed"})
    await clock.advance(10)
    assert writer.gone
    assert "status" not in api.find(PODS, "web", "shop")


async def test_a_status_is_late_by_a_second_at_most_when_the_api_is_back(writer, api, clock):
    """P-74."""
    api.failing = OSError("no API")
    writer.put({"phase": "Running"})
    await clock.advance(600)
    api.failing = None
    await clock.advance(1)
    assert api.find(PODS, "web", "shop")["status"]["phase"] == "Running"
