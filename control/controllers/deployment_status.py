"""What a Deployment says of itself: counters, and the conditions Available and Progressing.

Pure: no I/O. Spec: P-83; kubernetes.io, "Deployments", status.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import DEPLOYMENTS
from control.controllers.conditions import Condition, condition_of, with_condition
from control.controllers.rollout import Bounds
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import View, spec_of, status_of
from control.controllers.writes import LookAgain, Patch, Write, counted

COMPLETE, PROGRESSING, TIMED_OUT = (
    "NewReplicaSetAvailable",
    "ReplicaSetUpdated",
    "ProgressDeadlineExceeded",
)
FAILURE = "ReplicaFailure"
CREATED, PAUSED, RESUMED = "NewReplicaSetCreated", "DeploymentPaused", "DeploymentResumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one look found and did."""

    sets: Sequence[Document]
    new: Document | None
    bounds: Bounds
    created: str = ""  # the ReplicaSet that this look creates
    collisions: int = 0


def status_writes(view: View, deployment: Document, progress: Progress) -> list[Write]:
    """The write that brings the status up to date, and the date of the progress deadline."""
    held = status_of(deployment)
    counters = _counters(deployment, progress)
    before = list(held.get("conditions") or ())
    conditions = with_condition_changed(before, _available(counters, progress), view.now)
    told = _progressing(view, deployment, counters, progress)
    if told is not None:
        conditions = _renewed(conditions, told, view.now)
    conditions = _failed(conditions, progress, view.now)
    changes: dict[str, Any] = counted(counters, held)
    if conditions != before:
        changes["conditions"] = conditions
    writes: list[Write] = []
    if changes:
        metadata = deployment["metadata"]
        place = metadata["namespace"], metadata["name"]
        writes.append(Patch(DEPLOYMENTS, *place, {"status": changes}, "status"))
    return writes + _deadline(view, deployment, conditions)


def _failed(conditions: list[Condition], progress: Progress, now: float) -> list[Condition]:
    """ReplicaFailure, as long as one of the ReplicaSets says so."""
    told = [each for s in progress.sets if (each := condition_of(s, FAILURE)) is not None]
    if not told:
        return [each for each in conditions if each.get("type") != FAILURE]
    failure = {key: told[-1].get(key) for key in ("type", "status", "reason", "message")}
    return with_condition_changed(conditions, failure, now)


def with_condition_changed(
    conditions: Sequence[Condition], new: Condition, now: float
) -> list[Condition]:
    """Set a condition unless its status and reason are what they were."""
    held = next((each for each in conditions if each.get("type") == new["type"]), None)
    if held is not None and all(held.get(key) == new[key] for key in ("status", "reason")):
        return list(conditions)
    return _renewed(conditions, new, now)


def complete(counters: Mapping[str, Any], replicas: int) -> bool:
    """Whether the rollout is done: all pods are new, available, and no other is left."""
    wished = ("updatedReplicas", "replicas", "availableReplicas")
    return all(counters[key] == replicas for key in wished)


def complete_sets(new: Document, replicas: int) -> bool:
    """Whether the new set alone has all pods, all of them available."""
    status = status_of(new)
    counts = (status.get("replicas"), status.get("availableReplicas"))
    return int(spec_of(new).get("replicas") or 0) == replicas and all(
        int(count or 0) == replicas for count in counts
    )


def _renewed(conditions: Sequence[Condition], new: Condition, now: float) -> list[Condition]:
    when = timestamp(now)
    return with_condition(conditions, {**new, "lastUpdateTime": when}, when=when)


def _counters(deployment: Document, progress: Progress) -> dict[str, Any]:
    def total(field: str) -> int:
        return sum(int(status_of(each).get(field) or 0) for each in progress.sets)

    wished = sum(int(spec_of(each).get("replicas") or 0) for each in progress.sets)
    available = total("availableReplicas")
    updated = status_of(progress.new).get("replicas") if progress.new is not None else 0
    return {
        "observedGeneration": deployment["metadata"].get("generation"),
        "replicas": total("replicas"),
        "updatedReplicas": int(updated or 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wished - available),
        "collisionCount": progress.collisions,
    }


def _available(counters: Mapping[str, Any], progress: Progress) -> Condition:
    enough = counters["availableReplicas"] >= progress.bounds.available
    words = "has" if enough else "does not have"
    return {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": f"MinimumReplicas{'Available' if enough else 'Unavailable'}",
        "message": f"Deployment {words} minimum availability.",
    }


def _progressing(
    view: View, deployment: Document, counters: Mapping[str, Any], progress: Progress
) -> Condition | None:
    """The new Progressing condition, or None to leave the present one."""
    if spec_of(deployment).get("progressDeadlineSeconds") is None:
        return None
    held = condition_of(deployment, "Progressing")
    reason = held.get("reason") if held else None
    paused = bool(spec_of(deployment).get("paused"))
    if paused or reason == PAUSED:
        return _pausing(paused, reason)
    name = _subject(deployment, progress)
    if progress.created:
        return _told("True", CREATED, f'Created new replica set "{progress.created}"')
    if reason == COMPLETE and counters["replicas"] == counters["updatedReplicas"]:
        return None
    if complete(counters, progress.bounds.replicas):
        return _told("True", COMPLETE, f"{name} has successfully progressed.")
    if held is None or _moved(counters, status_of(deployment)):
        return _told("True", PROGRESSING, f"{name} is progressing.")
    left = _left(view, deployment, held)
    if left is not None and left <= 0 and reason != TIMED_OUT:
        return _told("False", TIMED_OUT, f"{name} has timed out progressing.")
    return None


def _pausing(paused: bool, reason: str | None) -> Condition | None:
    if paused and reason not in (PAUSED, TIMED_OUT):
        return _told("Unknown", PAUSED, "Deployment is paused")
    return None if paused else _told("Unknown", RESUMED, "Deployment is resumed")


def _told(status: str, reason: str, message: str) -> Condition:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _subject(deployment: Document, progress: Progress) -> str:
    if progress.new is not None:
        return f'ReplicaSet "{progress.new["metadata"]["name"]}"'
    return f'Deployment "{deployment["metadata"]["name"]}"'


def _moved(counters: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Whether something advanced since the status that is stored."""

    def before(key: str) -> int:
        return int(held.get(key) or 0)

    if any(counters[key] > before(key) for key in ("updatedReplicas", "readyReplicas")):
        return True
    if counters["availableReplicas"] > before("availableReplicas"):
        return True
    old_now = counters["replicas"] - counters["updatedReplicas"]
    return bool(old_now < before("replicas") - before("updatedReplicas"))


def _left(view: View, deployment: Document, held: Condition) -> float | None:
    """Seconds until the progress deadline; None where none runs."""
    if held.get("reason") in (COMPLETE, TIMED_OUT, PAUSED):
        return None
    since = seconds_of(held.get("lastUpdateTime") or held.get("lastTransitionTime"))
    patience = float(spec_of(deployment)["progressDeadlineSeconds"]) * view.scale
    return None if since is None else since + patience - view.now


def _deadline(view: View, deployment: Document, conditions: Sequence[Condition]) -> list[Write]:
    held = next((each for each in conditions if each.get("type") == "Progressing"), None)
    if held is None or spec_of(deployment).get("progressDeadlineSeconds") is None:
        return []
    left = _left(view, deployment, held)
    return [] if left is None else [LookAgain(max(left, 0.01))]
