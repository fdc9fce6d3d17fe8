"""HorizontalPodAutoscaler: stored, and honest about it: nothing is measured, so nothing is scaled.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Horizontal Pod Autoscaling", status
conditions.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import (
    DEPLOYMENTS,
    POD_AUTOSCALERS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from control.controllers.conditions import Condition, with_condition
from control.controllers.definition import Controller, itself, present
from control.controllers.times import timestamp
from control.controllers.view import Key, Objects, View, deleting, key_of, spec_of, status_of
from control.controllers.writes import WARNING, EmitEvent, Write, patch_of, status_changes

TARGETS = {
    each.kind: each for each in (DEPLOYMENTS, STATEFUL_SETS, REPLICA_SETS, REPLICATION_CONTROLLERS)
}
NO_METRICS = (
    "kubehop stores autoscalers and measures nothing: the number of replicas is what the target "
    "says"
)
REASON = "FailedGetResourceMetric"
COUNTERS = ("currentReplicas", "desiredReplicas")


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Tell the replicas of the target, and that nobody will change them."""
    scaler = view.objects.at(key)
    if scaler is None or deleting(scaler):
        return ()
    target = _target(view.objects, scaler)
    replicas = int(status_of(target).get("replicas") or 0) if target is not None else 0
    held = list(status_of(scaler).get("conditions") or ())
    conditions: list[Condition] = held
    for condition in (_able(scaler, target), _active()):
        if not any(condition.items() <= each.items() for each in conditions):
            conditions = with_condition(conditions, condition, when=timestamp(view.now))
    status = {"currentReplicas": replicas, "desiredReplicas": replicas, "conditions": conditions}
    news = status_changes(status, status_of(scaler), always=COUNTERS)
    if not news:
        return ()
    patch = patch_of(POD_AUTOSCALERS, scaler, {"status": news}, subresource="status")
    return [patch] if held else [patch, EmitEvent(scaler, REASON, NO_METRICS, WARNING)]


def _target(objects: Objects, scaler: Document) -> Document | None:
    reference = spec_of(scaler).get("scaleTargetRef") or {}
    resource = TARGETS.get(reference.get("kind", ""))
    if resource is None:
        return None
    return objects.get(resource, scaler["metadata"]["namespace"], reference.get("name", ""))


def _able(scaler: Document, target: Document | None) -> dict[str, Any]:
    if target is not None:
        words = "the HPA controller was able to get the target's current scale"
        return _condition("AbleToScale", "True", "SucceededGetScale", words)
    wanted = spec_of(scaler).get("scaleTargetRef") or {}
    missing = f'{wanted.get("kind")} "{wanted.get("name")}" not found'
    words = f"the HPA controller was unable to get the target's current scale: {missing}"
    return _condition("AbleToScale", "False", "FailedGetScale", words)


def _active() -> dict[str, Any]:
    return _condition("ScalingActive", "False", REASON, NO_METRICS)


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _of_target(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The autoscalers of a target whose replicas change."""
    target = present(old, new)
    if old is not None and new is not None and _replicas(old) == _replicas(new):
        return
    for scaler in objects.each(POD_AUTOSCALERS, target["metadata"]["namespace"]):
        reference = spec_of(scaler).get("scaleTargetRef") or {}
        if reference.get("name") == target["metadata"]["name"]:
            yield key_of(POD_AUTOSCALERS, scaler)


def _replicas(target: Document) -> Any:
    return status_of(target).get("replicas")


def controller() -> Controller:
    """The autoscaler's status."""
    return Controller(
        name="pod-autoscaler",
        component="horizontal-pod-autoscaler",
        reconcile=reconcile,
        watches={
            POD_AUTOSCALERS: itself(POD_AUTOSCALERS),
            **dict.fromkeys(TARGETS.values(), _of_target),
        },
    )
