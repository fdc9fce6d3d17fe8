"""Jobs and CronJobs as `kubectl get` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns.batch import CRON_JOBS, JOBS, job_status

Make = Callable[..., dict[str, Any]]
TEMPLATE = {"spec": {"containers": [{"name": "work", "image": "busybox"}]}}


def test_the_row_of_a_job(now: datetime, document: Make, before: Callable[[float], str]) -> None:
    spec = {"completions": 3, "template": TEMPLATE, "selector": {"matchLabels": {"job": "a"}}}
    status = {"succeeded": 1, "startTime": before(90)}
    running = document("a", spec=spec, status=status)
    told = ["a", "Running", "1/3", "90s", "5m", "work", "busybox", "job=a"]
    assert JOBS.row(running, now) == told
    done = document("a", spec=spec, status={**status, "completionTime": before(60)})
    assert JOBS.row(done, now)[3] == "30s"
    assert JOBS.row(document("a"), now)[3] == ""


@pytest.mark.parametrize(
    ("spec", "shown"),
    [({}, "2/1"), ({"parallelism": 1}, "2/1"), ({"parallelism": 4}, "2/1 of 4")],
)
def test_a_job_without_completions_wants_one(
    now: datetime, document: Make, spec: dict[str, Any], shown: str
) -> None:
    assert JOBS.row(document(spec=spec, status={"succeeded": 2}), now)[2] == shown


@pytest.mark.parametrize("word", ["Complete", "Failed", "Suspended", "FailureTarget"])
def test_a_jobs_condition_is_its_status(document: Make, word: str) -> None:
    conditions = [{"type": word, "status": "True"}]
    assert job_status(document(status={"conditions": conditions})) == word


def test_a_job_that_is_deleted_terminates_unless_it_has_ended(document: Make) -> None:
    going = {"deletionTimestamp": "2026-01-01T12:00:00Z"}
    suspended = {"conditions": [{"type": "Suspended", "status": "True"}]}
    assert job_status(document(metadata=going, status=suspended)) == "Terminating"
    failed = {"conditions": [{"type": "Failed", "status": "True"}]}
    assert job_status(document(metadata=going, status=failed)) == "Failed"


def test_the_row_of_a_cron_job(
    now: datetime, document: Make, before: Callable[[float], str]
) -> None:
    spec = {
        "schedule": "@hourly",
        "suspend": False,
        "jobTemplate": {"spec": {"template": TEMPLATE}},
    }
    status = {"active": [{"name": "a"}], "lastScheduleTime": before(600)}
    told = ["tick", "@hourly", "<none>", "False", 1, "10m", "5m", "work", "busybox", "<none>"]
    assert CRON_JOBS.row(document("tick", spec=spec, status=status), now) == told
    assert CRON_JOBS.row(document("tick"), now)[3:6] == ["<unset>", 0, "<none>"]
