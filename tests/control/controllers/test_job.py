"""Jobs: from the first pod to the end, each pod counted once."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import JOBS, PODS
from control.controllers import job as module
from control.controllers.job import reconcile
from control.controllers.job_count import TRACKING
from control.controllers.view import Key
from control.controllers.writes import LookAgain

KEY = Key(JOBS, "default", "work")


def work(build: Any, **spec: Any) -> dict[str, Any]:
    labels = {"job-name": "work"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main"}], "restartPolicy": "Never"},
    }
    given = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "template": template}
    metadata = {"name": "work", "namespace": "default", "uid": "work-uid", "generation": 1}
    selector = {"matchLabels": labels}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {**given, "selector": selector, **spec},
        "status": {},
    }


@pytest.fixture
def start(simulation: Any, build: Any) -> Callable[..., Any]:
    """A Job with its first pods."""

    def started(**spec: Any) -> Any:
        simulation.store.create(JOBS, work(build, **spec))
        settle(simulation)
        return simulation

    return started


def settle(simulation: Any) -> None:
    simulation.settle([module.controller()])


def pods(simulation: Any) -> list[Any]:
    return list(simulation.store.all(PODS))


def running(simulation: Any) -> list[Any]:
    """Pods that neither ended nor are going."""
    return [
        pod
        for pod in pods(simulation)
        if pod["status"].get("phase", "Pending") in ("Pending", "Running")
        and "deletionTimestamp" not in pod["metadata"]
    ]


def ends(simulation: Any, pod: Any, phase: str, code: int = 0) -> None:
    """A pod ends now, and everybody looks."""
    when = simulation.store._stamp()
    terminated = {"exitCode": code, "finishedAt": when}
    status = {
        "phase": phase,
        "containerStatuses": [{"name": "main", "state": {"terminated": terminated}}],
    }
    simulation.store.patch(PODS, pod["metadata"]["name"], {"status": status}, "default", "status")
    settle(simulation)


def status(simulation: Any) -> Any:
    return simulation.store.get(JOBS, "work", "default")["status"]


def conditions(simulation: Any) -> list[tuple[str, str]]:
    held = status(simulation).get("conditions", ())
    return [(each["type"], each.get("reason")) for each in held if each["status"] == "True"]


def told(simulation: Any) -> list[tuple[str, str]]:
    return [(event.reason, event.message) for event in simulation.events]


def test_a_job_runs_a_pod_and_is_complete_when_that_succeeded(start: Any) -> None:
    simulation = start()
    [pod] = pods(simulation)
    assert TRACKING in pod["metadata"]["finalizers"]
    assert status(simulation)["active"] == 1
    ends(simulation, pod, "Succeeded")
    held = status(simulation)
    reached = [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert conditions(simulation) == reached
    assert held["succeeded"] == 1
    assert "active" not in held
    assert held["uncountedTerminatedPods"] == {}
    assert held["startTime"] and held["completionTime"]
    assert not pods(simulation)[0]["metadata"].get("finalizers")
    assert told(simulation) == [("Completed", "Job completed")]


def test_a_job_that_is_over_writes_nothing_more(start: Any) -> None:
    simulation = start()
    ends(simulation, pods(simulation)[0], "Succeeded")
    assert simulation.look(reconcile, KEY) == []


def test_as_many_run_at_a_time_as_may_until_enough_succeeded(start: Any) -> None:
    simulation = start(completions=3, parallelism=2)
    assert len(running(simulation)) == 2
    ends(simulation, running(simulation)[0], "Succeeded")
    assert len(running(simulation)) == 2
    ends(simulation, running(simulation)[0], "Succeeded")
    assert len(running(simulation)) == 1
    ends(simulation, running(simulation)[0], "Succeeded")
    assert status(simulation)["succeeded"] == 3
    assert len(pods(simulation)) == 3


def test_a_success_stays_counted_when_its_pod_is_deleted(start: Any) -> None:
    simulation = start(completions=2)
    first = pods(simulation)[0]
    ends(simulation, first, "Succeeded")
    simulation.store.delete(PODS, first["metadata"]["name"], "default", grace_seconds=0)
    settle(simulation)
    ends(simulation, running(simulation)[0], "Succeeded")
    assert status(simulation)["succeeded"] == 2


def test_a_failed_pod_is_replaced_after_a_pause_that_doubles(start: Any) -> None:
    simulation = start()
    ends(simulation, pods(simulation)[0], "Failed", 1)
    assert running(simulation) == []
    [again] = [w for w in simulation.look(reconcile, KEY) if isinstance(w, LookAgain)]
    assert again.seconds == 10
    simulation.elapsed += 10
    settle(simulation)
    ends(simulation, running(simulation)[0], "Failed", 1)
    [again] = [w for w in simulation.look(reconcile, KEY) if isinstance(w, LookAgain)]
    assert again.seconds == 20
    assert status(simulation)["failed"] == 2


def test_one_failure_too_many_is_the_end(start: Any) -> None:
    simulation = start(backoffLimit=0)
    ends(simulation, pods(simulation)[0], "Failed", 1)
    exceeded = "BackoffLimitExceeded"
    assert conditions(simulation) == [("FailureTarget", exceeded), ("Failed", exceeded)]
    assert status(simulation)["failed"] == 1
    assert "completionTime" not in status(simulation)
    assert told(simulation) == [(exceeded, "Job has reached the specified backoff limit")]


def test_the_deadline_ends_what_still_runs(start: Any) -> None:
    simulation = start(activeDeadlineSeconds=30)
    [again] = [w for w in simulation.look(reconcile, KEY) if isinstance(w, LookAgain)]
    assert again.seconds == 30
    simulation.elapsed = 30
    settle(simulation)
    assert pods(simulation) == []
    late = "DeadlineExceeded"
    assert conditions(simulation) == [("FailureTarget", late), ("Failed", late)]


def test_a_suspended_job_has_no_pods_and_counts_none_as_failed(start: Any) -> None:
    simulation = start(parallelism=2, completions=2)
    simulation.store.patch(JOBS, "work", {"spec": {"suspend": True}}, "default")
    settle(simulation)
    assert pods(simulation) == []
    assert "failed" not in status(simulation)
    assert conditions(simulation) == [("Suspended", "JobSuspended")]
    simulation.store.patch(JOBS, "work", {"spec": {"suspend": False}}, "default")
    settle(simulation)
    assert len(pods(simulation)) == 2
    assert conditions(simulation) == []
    assert [reason for reason, _ in told(simulation)] == ["Suspended", "Resumed"]


def test_an_indexed_job_numbers_its_pods(start: Any) -> None:
    simulation = start(completions=3, parallelism=2, completionMode="Indexed")
    first, second = running(simulation)
    assert first["metadata"]["generateName"] == "work-0-"
    assert first["spec"]["hostname"] == "work-0"
    assert second["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "1"
    [variable] = second["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    ends(simulation, second, "Succeeded")
    assert status(simulation)["completedIndexes"] == "1"
    assert {pod["spec"]["hostname"] for pod in running(simulation)} == {"work-0", "work-2"}
    for pod in running(simulation):
        ends(simulation, pod, "Succeeded")
    assert status(simulation)["completedIndexes"] == "0-2"
    assert status(simulation)["succeeded"] == 3


def test_without_completions_one_success_ends_the_start_of_pods(start: Any) -> None:
    simulation = start(completions=None, parallelism=2)
    ends(simulation, running(simulation)[0], "Succeeded")
    assert len(running(simulation)) == 1
    ends(simulation, running(simulation)[0], "Succeeded")
    assert ("Complete", "CompletionsReached") in conditions(simulation)


def test_a_finished_job_goes_when_its_time_is_over(start: Any) -> None:
    simulation = start(ttlSecondsAfterFinished=60)
    ends(simulation, pods(simulation)[0], "Succeeded")
    assert simulation.look(reconcile, KEY) == [LookAgain(60)]
    simulation.elapsed = 60
    simulation.look(reconcile, KEY)
    [held] = simulation.store.all(JOBS)
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_a_policy_may_end_a_job_at_once_or_ignore_a_failure(start: Any) -> None:
    fatal = {"containerName": "main", "operator": "In", "values": [42]}
    harmless = {"operator": "In", "values": [7]}
    rules = [
        {"action": "FailJob", "onExitCodes": fatal},
        {"action": "Ignore", "onExitCodes": harmless},
    ]
    simulation = start(backoffLimit=0, podFailurePolicy={"rules": rules})
    ends(simulation, pods(simulation)[0], "Failed", 7)
    assert conditions(simulation) == []
    simulation.elapsed += 10
    settle(simulation)
    ends(simulation, running(simulation)[0], "Failed", 42)
    assert conditions(simulation)[-1] == ("Failed", "PodFailurePolicy")


def test_pods_of_a_job_that_is_gone_are_let_go(start: Any) -> None:
    simulation = start()
    simulation.store.delete(JOBS, "work", "default")
    simulation.look(reconcile, KEY)
    assert not pods(simulation)[0]["metadata"].get("finalizers")


def test_orphans_of_a_job_that_is_gone_are_let_go_too(simulation: Any, build: Any) -> None:
    labels = {"batch.kubernetes.io/job-name": "work"}
    orphan = build.pod("work-1", node=None, labels=labels, finalizers=[TRACKING])
    simulation.store.create(PODS, orphan)
    settle(simulation)
    assert not pods(simulation)[0]["metadata"].get("finalizers")


def test_a_job_that_somebody_else_manages_is_left_alone(start: Any) -> None:
    simulation = start(managedBy="example.com/queue")
    assert pods(simulation) == []
