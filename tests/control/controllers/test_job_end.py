"""When a Job is over."""

from typing import Any

from control.controllers.job_count import Count
from control.controllers.job_end import BACKED_OFF, LATE, REACHED, deadline_in, end_of, ended


def job(build: Any, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "j"}, "spec": {"completions": 2, **spec}, "status": status or {}}


def counted(succeeded: int = 0, failed: int = 0) -> Count:
    nobody: frozenset[Any] = frozenset()
    return Count(
        succeeded=succeeded, failed=failed, counters={}, done=nobody, counted=nobody, settled=True
    )


def test_enough_successes_are_the_end(build: Any, view: Any) -> None:
    assert end_of(view(), job(build), counted(1), []) is None
    assert end_of(view(), job(build), counted(2), []) == REACHED
    assert (REACHED.target, REACHED.final) == ("SuccessCriteriaMet", "Complete")


def test_failures_beyond_the_limit_are_too(build: Any, view: Any) -> None:
    assert end_of(view(), job(build, backoffLimit=1), counted(failed=1), []) is None
    assert end_of(view(), job(build, backoffLimit=1), counted(failed=2), []) == BACKED_OFF
    assert end_of(view(), job(build), counted(failed=7), []) == BACKED_OFF


def test_starts_of_containers_count_where_pods_start_them_again(build: Any, view: Any) -> None:
    pod = build.pod("a", status={"containerStatuses": [{"name": "main", "restartCount": 2}]})
    template = {"spec": {"restartPolicy": "OnFailure"}}
    again = job(build, backoffLimit=2, template=template)
    assert end_of(view(), again, counted(), [pod]) == BACKED_OFF
    assert end_of(view(), {**again, "spec": {"completions": 2}}, counted(), [pod]) is None


def test_a_deadline_counts_from_the_start(build: Any, view: Any) -> None:
    late = job(build, {"startTime": build.stamp()}, activeDeadlineSeconds=30)
    assert deadline_in(view(elapsed=10), late) == 20
    assert end_of(view(elapsed=30), late, counted(), []) == LATE
    assert deadline_in(view(), job(build)) is None


def test_what_was_decided_stays(build: Any, view: Any) -> None:
    condition = {"type": "FailureTarget", "status": "True", "reason": "R", "message": "M"}
    end = end_of(view(), job(build, {"conditions": [condition]}), counted(2), [])
    assert end is not None
    assert (end.good, end.reason, end.final) == (False, "R", "Failed")


def test_a_job_says_that_it_is_over(build: Any) -> None:
    over = {"type": "Failed", "status": "True"}
    assert ended(job(build, {"conditions": [over]})) == over
    assert ended(job(build, {"conditions": [{"type": "Complete", "status": "False"}]})) is None
