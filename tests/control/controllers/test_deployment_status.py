"""What a Deployment says of itself."""

from typing import Any

from control.controllers.deployment_status import (
    Progress,
    complete,
    complete_sets,
    status_writes,
    with_condition_changed,
)
from control.controllers.rollout import bounds_of
from control.controllers.writes import LookAgain, Patch

BOUNDS = bounds_of(2, 1, 0)


def progress(new: Any, **more: Any) -> Progress:
    return Progress(sets=[new] if new else [], new=new, bounds=BOUNDS, **more)


def conditions(plan: list[Any]) -> dict[str, Any]:
    [patch] = [write for write in plan if isinstance(write, Patch)]
    return {held["type"]: held for held in patch.changes["status"]["conditions"]}


def test_a_created_set_is_progress_with_a_deadline(build: Any, view: Any) -> None:
    """P-83."""
    plan = status_writes(view(), build.deployment("web"), progress(None, created="web-1"))
    told = conditions(plan)["Progressing"]
    assert (told["reason"], told["message"]) == (
        "NewReplicaSetCreated",
        'Created new replica set "web-1"',
    )
    assert LookAgain(600.0) in plan


def test_the_deadline_is_scaled(build: Any, view: Any) -> None:
    plan = status_writes(view(scale=0.01), build.deployment("web"), progress(None, created="w"))
    assert LookAgain(6.0) in plan


def test_availability_is_the_minimum_not_the_whole(build: Any, view: Any) -> None:
    """P-82."""
    new = build.replica_set("web-1", replicas=2, status={"replicas": 2, "availableReplicas": 2})
    held = conditions(status_writes(view(), build.deployment("web"), progress(new)))
    assert held["Available"]["status"] == "True"
    new["status"]["availableReplicas"] = 1
    held = conditions(status_writes(view(), build.deployment("web"), progress(new)))
    assert held["Available"]["message"] == "Deployment does not have minimum availability."


def test_an_unchanged_condition_keeps_its_update_time() -> None:
    held = {"type": "Available", "status": "True", "reason": "x", "lastUpdateTime": "old"}
    assert with_condition_changed([held], {**held, "message": "new"}, 0.0) == [held]


def test_complete_means_new_available_and_alone(build: Any) -> None:
    counters = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}
    assert complete(counters, 2)
    assert not complete({**counters, "replicas": 3}, 2)
    new = build.replica_set("x", replicas=2, status={"replicas": 2, "availableReplicas": 1})
    assert not complete_sets(new, 2)


def test_a_set_that_gets_no_pods_is_a_failure_of_the_deployment(build: Any, view: Any) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "m"}
    new = build.replica_set("web-1", replicas=2, status={"conditions": [failure]})
    web = build.deployment("web")
    told = conditions(status_writes(view(), web, progress(new)))
    assert told["ReplicaFailure"]["message"] == "m"
    web["status"] = {"conditions": list(told.values())}
    new["status"] = {}
    assert "ReplicaFailure" not in conditions(status_writes(view(), web, progress(new)))
