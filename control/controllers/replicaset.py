"""ReplicaSet: as many active pods as wished, made from the template.

Pure: `reconcile` from a view to writes.
Spec: P-64 (replaced at once), P-86 (who goes first), P-87 (adoption and release).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, REPLICA_SETS, Resource
from control.controllers import claims
from control.controllers.claims import owners_of_pod
from control.controllers.conditions import Condition, with_condition
from control.controllers.definition import Controller, itself
from control.controllers.ownership import controlled_by, controller_of
from control.controllers.pod_template import pod_from
from control.controllers.pods import active, available_in, node_of, ready, ready_since, restarts
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    deleting,
    labels_of,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.writes import (
    Announce,
    Create,
    Delete,
    LookAgain,
    Patch,
    Write,
    counted,
)

BURST_PODS_MAX = 500  # created or deleted by one look; their own events bring the next
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
REPLICA_FAILURE = "ReplicaFailure"
PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring one ReplicaSet's pods to their number, and its status to the pods."""
    replica_set = view.objects.at(key)
    return () if replica_set is None else brought(view, replica_set)


def brought(
    view: View, replica_set: Document, resource: Resource = REPLICA_SETS
) -> Sequence[Write]:
    """The same for whatever has replicas, a template and a label selector."""
    adopted, pods = claim(view.objects, replica_set, resource)
    idle = deleting(replica_set) or view.refusal
    changes = () if idle else manage(view.objects, replica_set, pods, resource)
    return (*adopted, *changes, *_status(view, replica_set, pods, changes, resource))


def claim(
    objects: Objects, replica_set: Document, resource: Resource = REPLICA_SETS
) -> tuple[list[Write], list[Document]]:
    """The pods that belong to the set, and the writes that adopt and release some (P-87)."""
    pods = filter(active, objects.pods_to_claim(replica_set))
    return claims.claim(replica_set, resource, pods)


def manage(
    objects: Objects,
    replica_set: Document,
    pods: Sequence[Document],
    resource: Resource = REPLICA_SETS,
) -> Sequence[Write]:
    """Create what is missing, delete what is too much."""
    missing = wished(replica_set) - len(pods)
    if missing > 0:
        return [_create(replica_set, resource)] * min(missing, BURST_PODS_MAX)
    if missing < 0:
        crowd = _crowd(objects, replica_set)
        chosen = victims(pods, min(-missing, BURST_PODS_MAX), crowd)
        return [_delete(replica_set, pod) for pod in chosen]
    return ()


def wished(replica_set: Document) -> int:
    """How many pods the set should have; unset is one."""
    replicas = spec_of(replica_set).get("replicas")
    return 1 if replicas is None else int(replicas)


def victims(pods: Iterable[Document], count: int, crowd: Counter[str]) -> list[Document]:
    """Who goes first when the set shrinks (P-86); `crowd` counts the set's pods on each node."""

    def rank(pod: Document) -> tuple[Any, ...]:
        node, metadata = node_of(pod), pod["metadata"]
        return (
            bool(node),
            PHASE_ORDER.get(status_of(pod).get("phase", "Pending"), 1),
            ready(pod),
            deletion_cost(pod),
            -crowd[node],
            -(ready_since(pod) or 0.0),
            -restarts(pod),
            -(seconds_of(metadata.get("creationTimestamp")) or 0.0),
            metadata["name"],
        )

    return sorted(pods, key=rank)[:count]


def deletion_cost(pod: Document) -> int:
    """What the user says losing this pod costs; anything but a number is 0."""
    text = annotations_of(pod).get(DELETION_COST, "0")
    return int(text) if text.lstrip("+-").isdecimal() else 0


def pod_from_template(replica_set: Document, resource: Resource = REPLICA_SETS) -> dict[str, Any]:
    """The pod that a set creates; the API completes its name (P-80)."""
    return pod_from(spec_of(replica_set).get("template") or {}, resource, replica_set)


def _create(replica_set: Document, resource: Resource) -> Create:
    announce = Announce(
        about=replica_set,
        done=("SuccessfulCreate", "Created pod: {name}"),
        refused=("FailedCreate", "Error creating: {error}"),
    )
    return Create(PODS, pod_from_template(replica_set, resource), announce)


def _delete(replica_set: Document, pod: Document) -> Delete:
    metadata = pod["metadata"]
    announce = Announce(
        about=replica_set,
        done=("SuccessfulDelete", "Deleted pod: {name}"),
        refused=("FailedDelete", "Error deleting: {error}"),
    )
    return Delete(
        resource=PODS,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=uid_of(pod),
        announce=announce,
    )


def _crowd(objects: Objects, replica_set: Document) -> Counter[str]:
    """Active pods per node of this set and of its siblings under one Deployment."""
    owner = controller_of(replica_set)
    family = [replica_set]
    if owner is not None:
        family = [sibling for _, sibling in objects.owned_by(owner["uid"], REPLICA_SETS)]
    return Counter(
        node_of(pod)
        for member in family
        for _, pod in objects.owned_by(uid_of(member), PODS)
        if active(pod) and controlled_by(pod, member)
    )


def _status(
    view: View,
    replica_set: Document,
    held: Sequence[Document],
    changes: Sequence[Write],
    resource: Resource,
) -> Sequence[Write]:
    """The status as it is once the changes are made."""
    gone = {change.uid for change in changes if isinstance(change, Delete)}
    pods = [pod for pod in held if uid_of(pod) not in gone]
    created = sum(isinstance(change, Create) for change in changes)
    template = spec_of(replica_set).get("template") or {}
    wanted = ((template.get("metadata") or {}).get("labels") or {}).items()
    patience = float(spec_of(replica_set).get("minReadySeconds") or 0) * view.scale
    waits = [wait for pod in pods if (wait := available_in(pod, patience, view.now)) is not None]
    status = {
        "replicas": len(pods) + created,
        "fullyLabeledReplicas": created + sum(wanted <= labels_of(pod).items() for pod in pods),
        "readyReplicas": len(waits),
        "availableReplicas": sum(wait == 0 for wait in waits),
        "observedGeneration": replica_set["metadata"].get("generation"),
    }
    soon = [wait for wait in waits if wait > 0]
    writes: list[Write] = []
    news = counted(status, status_of(replica_set))
    conditions = _conditions(view, replica_set)
    if conditions != list(status_of(replica_set).get("conditions") or ()):
        news["conditions"] = conditions or None
    if news:
        metadata = replica_set["metadata"]
        place = metadata["namespace"], metadata["name"]
        writes.append(Patch(resource, *place, {"status": news}, "status"))
    return [*writes, LookAgain(min(soon))] if soon else writes


def _conditions(view: View, replica_set: Document) -> list[Condition]:
    """ReplicaFailure, for as long as pods are refused, in the words of the first refusal.

    Each has a pod's new name in it: told anew each time, it would call for the next look at once.
    """
    held = list(status_of(replica_set).get("conditions") or ())
    if not view.refusal:
        return [each for each in held if each.get("type") != REPLICA_FAILURE]
    if any(each.get("type") == REPLICA_FAILURE for each in held):
        return held
    failure = {
        "type": REPLICA_FAILURE,
        "status": "True",
        "reason": "FailedCreate",
        "message": view.refusal,
    }
    return with_condition(held, failure, when=timestamp(view.now))


def controller() -> Controller:
    """The ReplicaSet controller."""
    return Controller(
        name="replicaset",
        component="replicaset-controller",
        tells_refusals=True,
        reconcile=reconcile,
        watches={REPLICA_SETS: itself(REPLICA_SETS), PODS: owners_of_pod(REPLICA_SETS)},
    )
