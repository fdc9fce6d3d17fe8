"""Disruption budgets, counted."""

from typing import Any

import pytest

from cluster.objects.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, REPLICA_SETS
from control.controllers.disruption import Uncountable, expectations, reconcile
from control.controllers.view import Objects, key_of
from control.controllers.writes import EmitEvent, LookAgain, Patch


def budget(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "default", "uid": "b", "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
        "status": status or {},
    }


def web(build: Any, *ready: bool, replicas: int = 4) -> list[Any]:
    """A Deployment's ReplicaSet and pods."""
    deployment = build.deployment("web", replicas=replicas)
    owner = build.owner(DEPLOYMENTS, deployment)
    middle = build.replica_set("web-1", replicas=9, metadata={"ownerReferences": [owner]})
    above = build.owner(REPLICA_SETS, middle)
    labels = {"app": "web"}
    pods = [
        build.pod(f"p{number}", labels=labels, owner=above, ready=each)
        for number, each in enumerate(ready)
    ]
    return [deployment, middle, *pods]


def counted(view: Any, held: Any, *others: Any, elapsed: float = 0.0) -> list[Any]:
    return list(reconcile(view(held, *others, elapsed=elapsed), key_of(DISRUPTION_BUDGETS, held)))


def status(view: Any, held: Any, *others: Any) -> Any:
    [write] = [w for w in counted(view, held, *others) if isinstance(w, Patch)]
    return write.changes["status"]


def test_what_is_healthy_above_the_least_may_go(build: Any, view: Any) -> None:
    """P-65."""
    found = status(view, budget(minAvailable=2), *web(build, True, True, True, False))
    assert (found["currentHealthy"], found["desiredHealthy"]) == (3, 2)
    assert (found["expectedPods"], found["disruptionsAllowed"]) == (4, 1)
    [condition] = found["conditions"]
    assert (condition["status"], condition["reason"]) == ("True", "SufficientPods")
    assert found["observedGeneration"] == 2


@pytest.mark.parametrize(
    ("spec", "desired"),
    [
        ({"maxUnavailable": 1}, 3),
        ({"maxUnavailable": "30%"}, 2),  # rounded up: 2 of 4 may be lost
        ({"minAvailable": "30%"}, 2),
        ({"minAvailable": 3}, 3),
    ],
)
def test_shares_are_of_what_the_controller_should_have(
    build: Any, view: Any, spec: dict[str, Any], desired: int
) -> None:
    """The Deployment says 4, whatever its ReplicaSets say in the middle of a rollout."""
    found = status(view, budget(**spec), *web(build, True, True, True, True))
    assert found["desiredHealthy"] == desired
    assert found["disruptionsAllowed"] == 4 - desired


def test_nothing_may_go_where_nobody_knows_how_many_there_should_be(build: Any, view: Any) -> None:
    alone = build.pod("alone", labels={"app": "web"})
    writes = counted(view, budget(maxUnavailable=1), alone)
    [patch] = [w for w in writes if isinstance(w, Patch)]
    assert patch.changes["status"]["disruptionsAllowed"] == 0
    assert patch.changes["status"]["conditions"][0]["reason"] == "SyncFailed"
    [event] = [w for w in writes if isinstance(w, EmitEvent)]
    assert event.message.endswith('found no controllers for pod "alone"')
    with pytest.raises(Uncountable):
        expectations(Objects(), budget(maxUnavailable=1), [alone])


def test_owners_in_a_circle_and_of_another_time_are_passed_over(build: Any, view: Any) -> None:
    middle = build.replica_set("web-1", replicas=9)
    middle["metadata"]["ownerReferences"] = [build.owner(REPLICA_SETS, middle)]
    above = build.owner(REPLICA_SETS, middle)
    pod = build.pod("p", labels={"app": "web"}, owner=above, ready=True)
    assert status(view, budget(minAvailable="50%"), middle, pod)["expectedPods"] == 9
    again = {**middle, "metadata": {**middle["metadata"], "uid": "another"}}
    found = status(view, budget(minAvailable="50%"), again, pod)
    assert found["conditions"][0]["reason"] == "SyncFailed"


def test_a_pod_that_was_just_evicted_is_not_healthy_for_a_while(build: Any, view: Any) -> None:
    held = budget({"disruptedPods": {"p0": build.stamp()}}, minAvailable=1)
    writes = counted(view, held, *web(build, True, True))
    [patch] = [w for w in writes if isinstance(w, Patch)]
    assert patch.changes["status"]["currentHealthy"] == 1
    assert writes[-1] == LookAgain(120)
    later = counted(view, held, *web(build, True, True), elapsed=121)
    [patch] = [w for w in later if isinstance(w, Patch)]
    assert patch.changes["status"]["currentHealthy"] == 2
    assert patch.changes["status"]["disruptedPods"] is None


def test_a_budget_that_is_right_writes_nothing(build: Any, view: Any) -> None:
    objects = web(build, True, True)
    held = budget(minAvailable=1)
    [write] = [w for w in counted(view, held, *objects) if isinstance(w, Patch)]
    news = {key: value for key, value in write.changes["status"].items() if value is not None}
    assert counted(view, {**held, "status": news}, *objects) == []


def test_without_pods_nothing_may_go(view: Any) -> None:
    assert status(view, budget(minAvailable=0))["disruptionsAllowed"] == 0
