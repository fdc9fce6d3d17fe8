"""CronJobs: a Job when one is due, never two for one time."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import CRON_JOBS, JOBS
from control.controllers.cronjob import SCHEDULED_AT, controller, reconcile
from control.controllers.view import Key
from control.controllers.writes import LookAgain

KEY = Key(CRON_JOBS, "default", "tick")


@pytest.fixture
def start(simulation: Any, build: Any) -> Callable[..., Any]:
    """A CronJob, due every quarter of an hour; the clock stands at noon."""

    def started(**spec: Any) -> Any:
        inner = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}
        template = {"metadata": {"labels": {"cron": "tick"}}, "spec": inner}
        document = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "tick", "namespace": "default"},
            "spec": {"schedule": "*/15 * * * *", "jobTemplate": template, **spec},
        }
        simulation.store.create(CRON_JOBS, document)
        simulation.settle([controller()])
        return simulation

    return started


def passes(simulation: Any, seconds: float) -> None:
    simulation.elapsed += seconds
    simulation.settle([controller()])


def jobs(simulation: Any) -> list[str]:
    return [job["metadata"]["name"] for job in simulation.store.all(JOBS)]


def status(simulation: Any) -> Any:
    return simulation.store.get(CRON_JOBS, "tick", "default")["status"]


def over(simulation: Any, name: str, kind: str = "Complete") -> None:
    when = simulation.store._stamp()
    held = {"conditions": [{"type": kind, "status": "True"}], "startTime": when}
    if kind == "Complete":
        held["completionTime"] = when
    simulation.store.patch(JOBS, name, {"status": held}, "default", "status")
    simulation.settle([controller()])


def reasons(simulation: Any) -> list[str]:
    return [event.reason for event in simulation.events]


def test_nothing_is_started_before_it_is_due(start: Any) -> None:
    simulation = start()
    assert jobs(simulation) == []
    assert simulation.look(reconcile, KEY) == [LookAgain(900)]


def test_a_job_is_made_once_for_a_time(start: Any, build: Any) -> None:
    simulation = start()
    passes(simulation, 905)
    [job] = simulation.store.all(JOBS)
    metadata = job["metadata"]
    assert metadata["name"] == "tick-29454495"  # minutes since 1970
    assert metadata["annotations"][SCHEDULED_AT] == "2026-01-01T12:15:00Z"
    assert metadata["labels"] == {"cron": "tick"}
    assert status(simulation)["lastScheduleTime"] == build.stamp(900)
    assert [each["name"] for each in status(simulation)["active"]] == ["tick-29454495"]
    assert simulation.look(reconcile, KEY) == [LookAgain(895)]


def test_of_several_that_were_missed_only_the_last_is_made_up_for(start: Any) -> None:
    simulation = start()
    passes(simulation, 3700)
    assert jobs(simulation) == ["tick-29454540"]


def test_a_job_that_is_over_is_no_longer_active(start: Any, build: Any) -> None:
    simulation = start()
    passes(simulation, 905)
    over(simulation, jobs(simulation)[0])
    assert "active" not in status(simulation)
    assert status(simulation)["lastSuccessfulTime"] == build.stamp(905)
    [event] = simulation.events
    words = "Saw completed job: tick-29454495, condition: Complete"
    assert (event.reason, event.message) == ("SawCompletedJob", words)


def test_forbid_waits_for_the_one_that_runs(start: Any) -> None:
    simulation = start(concurrencyPolicy="Forbid")
    passes(simulation, 905)
    passes(simulation, 900)
    assert len(jobs(simulation)) == 1
    assert "JobAlreadyActive" in reasons(simulation)
    over(simulation, jobs(simulation)[0])
    assert len(jobs(simulation)) == 2


def test_replace_ends_the_one_that_runs(start: Any) -> None:
    simulation = start(concurrencyPolicy="Replace")
    passes(simulation, 905)
    [first] = jobs(simulation)
    passes(simulation, 900)
    assert len(jobs(simulation)) == 1
    assert first not in jobs(simulation)


def test_a_suspended_one_starts_nothing(start: Any) -> None:
    simulation = start(suspend=True)
    passes(simulation, 5000)
    assert jobs(simulation) == []


def test_what_is_too_late_is_not_started(start: Any) -> None:
    simulation = start(startingDeadlineSeconds=10)
    passes(simulation, 930)
    assert jobs(simulation) == []
    assert "MissSchedule" in reasons(simulation)


@pytest.mark.parametrize(("kind", "kept"), [("Complete", 3), ("Failed", 1)])
def test_some_of_the_past_is_kept(start: Any, kind: str, kept: int) -> None:
    simulation = start()
    for _ in range(5):
        passes(simulation, 900)
        over(simulation, jobs(simulation)[-1], kind)
    assert len(jobs(simulation)) == kept


def test_a_schedule_is_read_in_its_time_zone(start: Any) -> None:
    """12:00 UTC is 17:30 in Kolkata."""
    simulation = start(schedule="45 17 * * *", timeZone="Asia/Kolkata")
    passes(simulation, 900)
    [job] = simulation.store.all(JOBS)
    assert job["metadata"]["annotations"][SCHEDULED_AT] == "2026-01-01T17:45:00+05:30"


def test_an_unknown_time_zone_is_told(start: Any) -> None:
    simulation = start(timeZone="Middle/Earth")
    passes(simulation, 5000)
    assert jobs(simulation) == []
    assert "UnknownTimeZone" in reasons(simulation)
