"""DaemonSet: a pod on every node that is fit for it.

Pure: `reconcile` from a view to writes. Spec: P-71, P-94; kubernetes.io, "DaemonSet", "Perform a
Rolling Update on a DaemonSet".
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS
from control.controllers.claims import claim, owners_of_pod
from control.controllers.controller_revisions import HASH_LABEL, forgotten, history_of
from control.controllers.daemonset_nodes import Place, daemon_pod, node_name, place_of
from control.controllers.definition import Controller, itself
from control.controllers.pods import available_in, finished, ready
from control.controllers.rollout import resolved
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
from control.controllers.writes import (
    NORMAL,
    WARNING,
    Announce,
    Create,
    Delete,
    EmitEvent,
    LookAgain,
    Patch,
    Write,
    status_changes,
)

BURST_PODS_MAX = 250  # created or deleted by one look
COUNTERS = (
    "currentNumberScheduled",
    "desiredNumberScheduled",
    "numberMisscheduled",
    "numberReady",
)  # told when zero, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemons:
    """A set and its pods by node, as one look finds them."""

    owner: Document
    digest: str  # the present template's hash
    places: dict[str, Place]
    on: dict[str, list[Document]]  # the oldest first
    waits: dict[str, float]  # uid of a pod that is Ready -> seconds until it is available

    def available(self, pod: Document) -> bool:
        """Whether the pod does its work."""
        return self.waits.get(uid_of(pod)) == 0.0 and not deleting(pod)

    def updated(self, pod: Document) -> bool:
        """Whether the pod is made of the present template."""
        return labels_of(pod).get(HASH_LABEL) == self.digest

    def at(self, node: str) -> tuple[Document | None, Document | None]:
        """The old and the new pod of a node, those aside that are going."""
        pods = [pod for pod in self.on.get(node, ()) if not deleting(pod) and not finished(pod)]
        old = next((pod for pod in pods if not self.updated(pod)), None)
        return old, next((pod for pod in pods if self.updated(pod)), None)


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring one DaemonSet's pods onto its nodes, and its status to the pods."""
    owner = view.objects.at(key)
    if owner is None:
        return ()
    adopted, pods = claim(owner, DAEMON_SETS, view.objects.pods_to_claim(owner))
    history = history_of(view.objects, owner, DAEMON_SETS)
    daemons = _daemons(view, owner, history.digest, pods)
    steps: list[Write] = []
    if not deleting(owner) and not view.refusal:
        steps = _managed(daemons) or _rolled(daemons)
    names = {f"{key.name}-{labels_of(pod).get(HASH_LABEL, '')}" for pod in pods}
    soon = [wait for wait in daemons.waits.values() if wait > 0]
    return [
        *history.writes,
        *adopted,
        *steps[:BURST_PODS_MAX],
        *_status(daemons),
        *forgotten(history, owner, names),
        *([LookAgain(min(soon))] if soon else []),
    ]


def _daemons(view: View, owner: Document, digest: str, pods: Sequence[Document]) -> Daemons:
    on: dict[str, list[Document]] = {}
    for pod in sorted(pods, key=_age):
        on.setdefault(node_name(pod), []).append(pod)
    patience = float(spec_of(owner).get("minReadySeconds") or 0) * view.scale
    waits = {
        uid_of(pod): wait
        for pod in pods
        if (wait := available_in(pod, patience, view.now)) is not None and not finished(pod)
    }
    nodes = [node for node in view.objects.each(NODES) if not deleting(node)]
    places = {node["metadata"]["name"]: place_of(owner, node) for node in nodes}
    return Daemons(owner=owner, digest=digest, places=places, on=on, waits=waits)


def _age(pod: Document) -> tuple[str, str]:
    metadata = pod["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["name"]


def _managed(daemons: Daemons) -> list[Write]:
    """A pod where one is missing; none where none belongs, none that ended, no second one."""
    creations: list[Write] = []
    others: list[Write] = []
    for node, place in daemons.places.items():
        pods = daemons.on.get(node, [])
        if place.starts and not pods:
            creations.append(_create(daemons, node))
        elif not place.stays:
            others += [_delete(daemons.owner, pod) for pod in pods if not deleting(pod)]
        else:
            others += _tidied(daemons, node, pods)
    return [*creations, *others]


def _tidied(daemons: Daemons, node: str, pods: Sequence[Document]) -> list[Write]:
    writes: list[Write] = []
    for pod in pods:
        if finished(pod) and not deleting(pod):
            writes += _ended(daemons.owner, pod, node)
    running = [pod for pod in pods if not finished(pod) and not deleting(pod)]
    surge = _limits(daemons)[0]
    kept = running[:1] if not surge else [p for p in daemons.at(node) if p is not None]
    return [*writes, *(_delete(daemons.owner, pod) for pod in running if pod not in kept)]


def _ended(owner: Document, pod: Document, node: str) -> list[Write]:
    failed = status_of(pod).get("phase") == "Failed"
    word, reason = ("failed", "FailedDaemonPod") if failed else ("succeeded", "SucceededDaemonPod")
    metadata = pod["metadata"]
    text = f"Found {word} daemon pod {metadata['namespace']}/{metadata['name']} on node {node}, "
    kind = WARNING if failed else NORMAL
    return [EmitEvent(owner, reason, text + "will try to kill it", kind), _delete(owner, pod)]


def _limits(daemons: Daemons) -> tuple[int, int]:
    """How many pods there may be too much during an update, and how many too few."""
    strategy = spec_of(daemons.owner).get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "OnDelete":
        return 0, 0
    nodes = sum(place.starts for place in daemons.places.values())
    surge = resolved(rolling.get("maxSurge") or 0, nodes, up=True)
    share = rolling.get("maxUnavailable")
    lost = resolved(1 if share is None else share, nodes, up=True)
    return surge, lost if surge or lost else 1


def _rolled(daemons: Daemons) -> list[Write]:
    """Replace pods of an old template, a few at a time."""
    strategy = spec_of(daemons.owner).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    surge, lost = _limits(daemons)
    return _surged(daemons, surge) if surge else _replaced(daemons, lost)


def _replaced(daemons: Daemons, most: int) -> list[Write]:
    """First those that do not work anyway, then as many as may be missing."""
    broken: list[Document] = []
    working: list[Document] = []
    missing = 0
    for node, place in daemons.places.items():
        old, new = daemons.at(node)
        if old is None:
            missing += place.starts and (new is None or not daemons.available(new))
        elif new is None:
            (working if daemons.available(old) else broken).append(old)
    spare = max(0, most - missing - len(broken))
    return [_delete(daemons.owner, pod) for pod in [*broken, *working[:spare]]]


def _surged(daemons: Daemons, most: int) -> list[Write]:
    """First the new pod; the old one goes when that works."""
    writes: list[Write] = []
    urgent: list[str] = []
    others: list[str] = []
    over = 0
    for node, place in daemons.places.items():
        old, new = daemons.at(node)
        if old is None or not place.starts:
            continue
        if new is None:
            (others if daemons.available(old) else urgent).append(node)
        elif daemons.available(new):
            writes.append(_delete(daemons.owner, old))
        else:
            over += 1
    room = max(0, most - over)
    return [*(_create(daemons, node) for node in [*urgent, *others][:room]), *writes]


def _create(daemons: Daemons, node: str) -> Create:
    announce = Announce(
        about=daemons.owner,
        done=("SuccessfulCreate", "Created pod: {name}"),
        refused=("FailedCreate", "Error creating: {error}"),
    )
    return Create(PODS, daemon_pod(daemons.owner, node, daemons.digest), announce)


def _delete(owner: Document, pod: Document) -> Delete:
    announce = Announce(
        about=owner,
        done=("SuccessfulDelete", "Deleted pod: {name}"),
        refused=("FailedDelete", "Error deleting: {error}"),
    )
    metadata = pod["metadata"]
    return Delete(
        resource=PODS,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=uid_of(pod),
        announce=announce,
    )


def _status(daemons: Daemons) -> list[Write]:
    owner = daemons.owner
    wanted = [node for node, place in daemons.places.items() if place.starts]
    there = [pods for node in wanted if (pods := daemons.on.get(node))]
    first = [min(pods, key=lambda pod: (deleting(pod), not ready(pod))) for pods in there]
    available = sum(daemons.available(pod) for pod in first)
    status: dict[str, Any] = {
        "observedGeneration": owner["metadata"].get("generation"),
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(there),
        "numberMisscheduled": sum(
            bool(daemons.on.get(node)) and not place.starts
            for node, place in daemons.places.items()
        ),
        "numberReady": sum(uid_of(pod) in daemons.waits for pod in first),
        "updatedNumberScheduled": sum(daemons.updated(pod) for pod in first),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
    news = status_changes(status, status_of(owner), always=COUNTERS)
    if not news:
        return []
    metadata = owner["metadata"]
    return [Patch(DAEMON_SETS, metadata["namespace"], metadata["name"], {"status": news}, "status")]


def _of_node(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """Every set, when a node comes, goes, or changes in what the sets look at."""
    if old is not None and new is not None and _facts(old) == _facts(new):
        return
    for owner in objects.each(DAEMON_SETS):
        yield key_of(DAEMON_SETS, owner)


def _facts(node: Document) -> tuple[Any, ...]:
    return labels_of(node), spec_of(node).get("taints"), deleting(node)


def controller() -> Controller:
    """The DaemonSet controller."""
    return Controller(
        name="daemonset",
        component="daemonset-controller",
        tells_refusals=True,
        reconcile=reconcile,
        watches={
            DAEMON_SETS: itself(DAEMON_SETS),
            PODS: owners_of_pod(DAEMON_SETS),
            CONTROLLER_REVISIONS: owners_of_pod(DAEMON_SETS),
            NODES: _of_node,
        },
    )
