"""Starting containers and what their hooks do; whole lives are in test_pod_worker."""

import pytest

from cluster.objects.resources import EVENTS, PODS


@pytest.fixture
def bind(kubelet, api, field):
    def bind(**container):
        pod = field.pod(containers=[{"name": "app", "image": "pause", **container}])
        kubelet.pods.pod_changed(None, api.put(PODS, pod))
        return kubelet.pods.find("shop", "web")

    return bind


def reasons(api):
    return [event["reason"] for event in api.of(EVENTS)]


async def test_a_container_is_not_ready_before_its_post_start_hook_has_ended(
    bind, api, clock, field
):
    worker = bind(lifecycle={"postStart": {"sleep": {"seconds": 5}}})
    await clock.advance(4)
    assert not worker.runs.records["app"].ready
    await clock.advance(2)
    assert worker.runs.records["app"].ready


async def test_a_post_start_hook_that_fails_ends_the_container(bind, api, clock, field):
    worker = bind(lifecycle={"postStart": {"exec": {"command": ["false"]}}})
    await field.until(lambda: worker.runs.records["app"].restarts == 1)
    await clock.advance(1)
    assert "FailedPostStartHook" in reasons(api)


async def test_what_could_not_be_started_is_not_tried_before_its_time(bind, api, clock, field):
    worker = bind(envFrom=[{"configMapRef": {"name": "settings"}}])
    await clock.advance(0)
    tries = worker.runs.retry_at
    assert tries == clock.now() + 1
    worker.wake()
    await field.turns()
    assert worker.runs.retry_at == tries


async def test_a_startup_probe_that_fails_restarts_the_container(bind, api, clock, field):
    """P-53."""
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    worker = bind(startupProbe=probe)
    await clock.advance(1.1)
    await field.until(lambda: worker.runs.records["app"].restarts == 1)
    await clock.advance(1)
    messages = [event["message"] for event in api.of(EVENTS)]
    assert "Container app failed startup probe, will be restarted" in messages
    assert not worker.runs.records["app"].started


async def test_the_probes_own_grace_period_wins(bind, tmp_path, clock, field):
    """P-52."""
    (tmp_path / "stays.py").write_text(
        "import asyncio\n"
        "async def main(ctx):\n"
        "    await ctx.until_terminated()\n"
        "    await asyncio.Event().wait()\n"
    )
    probe = {
        "exec": {"command": ["false"]},
        "periodSeconds": 1,
        "failureThreshold": 1,
        "terminationGracePeriodSeconds": 3,
    }
    worker = bind(image="python://stays:main", livenessProbe=probe)
    await clock.advance(2.5)
    assert worker.runs.records["app"].restarts == 0
    await clock.advance(1)
    await field.until(lambda: worker.runs.records["app"].restarts == 1)
    assert worker.runs.records["app"].last.exit_code == 137
