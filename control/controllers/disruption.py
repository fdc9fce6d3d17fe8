"""PodDisruptionBudget: how many of its pods may be taken away now.

Pure: `reconcile` from a view to writes. Spec: P-65; kubernetes.io, "Specifying a Disruption Budget
for your Application". The API server takes from the number at each eviction; here it is counted
anew from the pods.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
    Resource,
)
from control.controllers.conditions import with_condition
from control.controllers.definition import Controller, itself
from control.controllers.ownership import controller_of
from control.controllers.pods import ready
from control.controllers.rollout import resolved
from control.controllers.selection import selects
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import (
    Key,
    Objects,
    View,
    deleting,
    key_of,
    labels_of,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.writes import WARNING, EmitEvent, LookAgain, Patch, Write, status_changes

EVICTION_SECONDS_MAX = 120.0  # a pod that is still there then was not evicted after all
SCALED: Mapping[str, Resource] = {
    each.kind: each for each in (REPLICA_SETS, STATEFUL_SETS, DEPLOYMENTS, REPLICATION_CONTROLLERS)
}
OWNERS_MAX = 2  # one above the other: a ReplicaSet, a Deployment; references may go in a circle
COUNTERS = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")


class Uncountable(Exception):
    """The number of pods that there should be is not known."""


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Count one budget anew."""
    budget = view.objects.at(key)
    if budget is None or deleting(budget):
        return ()
    selector = spec_of(budget).get("selector")
    pods = list(view.objects.pods_selected(key.namespace, selector))
    going = _going(view, budget, pods)
    events: list[Write] = []
    try:
        expected, desired = expectations(view.objects, budget, pods)
    except Uncountable as error:
        text = f"Failed to calculate the number of expected pods: {error}"
        events.append(EmitEvent(budget, "CalculateExpectedPodCountFailed", text, WARNING))
        status = {"disruptionsAllowed": 0, "conditions": _conditions(view, budget, 0, str(error))}
    else:
        healthy = sum(ready(p) and not deleting(p) and _name(p) not in going for p in pods)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        status = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
            "conditions": _conditions(view, budget, allowed),
        }
    status |= {
        "disruptedPods": going,
        "observedGeneration": budget["metadata"].get("generation"),
    }
    news = status_changes(status, status_of(budget), always=COUNTERS)
    writes: list[Write] = []
    if news:
        # Only upon what was counted: an eviction in between has changed the number.
        news_of = {"metadata": {"resourceVersion": budget["metadata"].get("resourceVersion")}}
        place = key.namespace, key.name
        writes.append(Patch(DISRUPTION_BUDGETS, *place, {**news_of, "status": news}, "status"))
        writes += events
    return [*writes, *([LookAgain(EVICTION_SECONDS_MAX)] if going else [])]


def expectations(objects: Objects, budget: Document, pods: Sequence[Document]) -> tuple[int, int]:
    """How many pods there should be, and how many of them healthy."""
    spec = spec_of(budget)
    lost, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if lost is not None:
        expected = _scale(objects, pods)
        return expected, max(0, expected - resolved(lost, expected, up=True))
    if isinstance(least, str):
        expected = _scale(objects, pods)
        return expected, resolved(least, expected, up=True)
    return len(pods), int(least or 0)


def _scale(objects: Objects, pods: Iterable[Document]) -> int:
    """The replicas that the pods' controllers are told to have."""
    found: dict[str, int] = {}
    for pod in pods:
        owner = _scaled(objects, pod)
        replicas = spec_of(owner).get("replicas")
        found[owner["metadata"]["uid"]] = 1 if replicas is None else int(replicas)
    return sum(found.values())


def _scaled(objects: Objects, pod: Document) -> Document:
    """The controller of the pod that has a scale; of a ReplicaSet's pod, the Deployment."""
    owner: Document | None = None
    held = pod
    for _ in range(OWNERS_MAX):
        reference = controller_of(held)
        resource = SCALED.get(reference["kind"]) if reference is not None else None
        if reference is None or resource is None:
            break
        above = objects.get(resource, pod["metadata"]["namespace"], reference["name"])
        if above is None or uid_of(above) != reference["uid"]:
            break
        owner = held = above
    if owner is None:
        raise Uncountable(f'found no controllers for pod "{_name(pod)}"')
    return owner


def _going(view: View, budget: Document, pods: Iterable[Document]) -> dict[str, str]:
    """Pods that an eviction took and that are still shown as if nothing had happened."""
    there = {_name(pod) for pod in pods if not deleting(pod)}
    limit = view.now - EVICTION_SECONDS_MAX
    held: Mapping[str, str] = status_of(budget).get("disruptedPods") or {}
    return {
        name: when
        for name, when in held.items()
        if name in there and (seconds_of(when) or 0.0) > limit
    }


def _conditions(view: View, budget: Document, allowed: int, failure: str = "") -> list[Any]:
    reason = "SufficientPods" if allowed else "InsufficientPods"
    condition = {
        "type": "DisruptionAllowed",
        "status": "True" if allowed else "False",
        "reason": "SyncFailed" if failure else reason,
        "message": failure,
        "observedGeneration": budget["metadata"].get("generation"),
    }
    held = status_of(budget).get("conditions") or ()
    return with_condition(held, condition, when=timestamp(view.now))


def _name(pod: Document) -> str:
    return str(pod["metadata"]["name"])


def _of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The budgets that select the pod, or did."""
    for pod in (old, new):
        if pod is not None:
            for budget in objects.each(DISRUPTION_BUDGETS, pod["metadata"]["namespace"]):
                if selects(spec_of(budget).get("selector"), labels_of(pod)):
                    yield key_of(DISRUPTION_BUDGETS, budget)


def _of_scaled(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The namespace's budgets, when something is scaled."""
    before, after = (spec_of(each).get("replicas") if each else None for each in (old, new))
    if old is not None and new is not None and before == after:
        return
    changed = new if new is not None else old
    if changed is not None:
        for budget in objects.each(DISRUPTION_BUDGETS, changed["metadata"]["namespace"]):
            yield key_of(DISRUPTION_BUDGETS, budget)


def controller() -> Controller:
    """The disruption controller."""
    return Controller(
        name="disruption",
        component="controllermanager",
        reconcile=reconcile,
        watches={
            DISRUPTION_BUDGETS: itself(DISRUPTION_BUDGETS),
            PODS: _of_pod,
            **dict.fromkeys(SCALED.values(), _of_scaled),
        },
    )
