"""Who runs for a Job, and when a failed pod is replaced."""

from typing import Any

from control.controllers.job_count import TRACKING
from control.controllers.job_pods import BACKOFF_SECONDS_MAX, backoff_in, released, taken_back
from control.controllers.writes import Delete, Patch

JOB = {"metadata": {"name": "j", "namespace": "default"}, "spec": {}}


def ended(build: Any, name: str, phase: str, at: float) -> Any:
    terminated = {"exitCode": 1, "finishedAt": build.stamp(at)}
    state = [{"name": "main", "state": {"terminated": terminated}}]
    return build.pod(name, phase=phase, status={"containerStatuses": state})


def test_a_success_ends_a_row_of_failures(build: Any, view: Any) -> None:
    pods = [ended(build, "a", "Failed", 0), ended(build, "b", "Succeeded", 5)]
    assert backoff_in(view(elapsed=6), JOB, pods) == 0
    pods.append(ended(build, "c", "Failed", 6))
    assert backoff_in(view(elapsed=6), JOB, pods) == 10


def test_the_pause_has_an_end(build: Any, view: Any) -> None:
    pods = [ended(build, f"p{number}", "Failed", 0) for number in range(40)]
    assert backoff_in(view(), JOB, pods) == BACKOFF_SECONDS_MAX
    assert backoff_in(view(scale=0.1), JOB, pods) == BACKOFF_SECONDS_MAX / 10


def test_who_is_taken_back_loses_the_finalizer_first(build: Any) -> None:
    pod = build.pod("a", finalizers=[TRACKING, "example.com/mine"])
    first, second = taken_back(JOB, [pod])
    assert isinstance(first, Patch)
    assert first.changes["metadata"]["finalizers"] == ["example.com/mine"]
    assert isinstance(second, Delete)
    assert released([build.pod("b")]) == []
