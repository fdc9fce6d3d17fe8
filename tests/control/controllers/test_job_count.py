"""Counting the pods of a Job."""

from typing import Any

from control.controllers.indexes import INDEX
from control.controllers.job_count import TRACKING, count_of, failed

NOBODY: frozenset[str] = frozenset()


def job(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "j"}, "spec": spec, "status": status or {}}


def pod(build: Any, phase: str, *, tracked: bool = True, **more: Any) -> Any:
    finalizers = [TRACKING] if tracked else []
    return build.pod(f"p-{phase}", phase=phase, finalizers=finalizers, **more)


def test_an_ended_pod_is_written_down_before_it_is_counted(build: Any) -> None:
    done = pod(build, "Succeeded")
    uid = done["metadata"]["uid"]
    first = count_of(job(), [done], NOBODY)
    assert first.counters["uncountedTerminatedPods"] == {"succeeded": [uid]}
    assert (first.succeeded, first.counters["succeeded"]) == (1, 0)
    assert first.counted == NOBODY
    noted = job({"uncountedTerminatedPods": {"succeeded": [uid]}})
    second = count_of(noted, [done], NOBODY)
    assert second.counted == {uid}
    assert not second.settled
    third = count_of(noted, [pod(build, "Succeeded", tracked=False)], NOBODY)
    assert third.counters["succeeded"] == third.succeeded == 1
    assert third.settled


def test_one_that_is_gone_is_counted_if_it_was_written_down(build: Any) -> None:
    count = count_of(job({"failed": 2, "uncountedTerminatedPods": {"failed": ["u"]}}), [], NOBODY)
    assert count.failed == count.counters["failed"] == 3


def test_a_pod_that_is_being_deleted_failed_unless_its_end_is_waited_for(build: Any) -> None:
    going = pod(build, "Running", deletionTimestamp=build.stamp())
    assert failed(job(), going)
    assert not failed(job(podReplacementPolicy="Failed"), going)
    assert not failed(job(), pod(build, "Succeeded", deletionTimestamp=build.stamp()))


def test_an_ignored_failure_loses_its_finalizer_and_counts_nothing(build: Any) -> None:
    bad = pod(build, "Failed")
    count = count_of(job(), [bad], frozenset({bad["metadata"]["uid"]}))
    assert count.failed == 0
    assert count.counted == {bad["metadata"]["uid"]}


def test_an_index_is_done_once(build: Any) -> None:
    done = pod(build, "Succeeded", annotations={INDEX: "1"})
    spec = {"completionMode": "Indexed", "completions": 3}
    first = count_of(job(**spec), [done], NOBODY)
    assert (first.succeeded, first.counters["completedIndexes"]) == (1, "1")
    assert first.counted == NOBODY
    second = count_of(job({"completedIndexes": "1", "succeeded": 1}, **spec), [done], NOBODY)
    assert second.succeeded == 1
    assert second.counted == {done["metadata"]["uid"]}
