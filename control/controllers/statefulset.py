"""StatefulSet: members with a number, each with its name and storage, one after the other.

Pure: `reconcile` from a view to writes; one step per look, each step's writes bring the next look.
Spec: P-64, P-88 to P-92; kubernetes.io, "StatefulSets".
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import CONTROLLER_REVISIONS, PODS, STATEFUL_SETS, VOLUME_CLAIMS
from control.controllers.claims import claim, owners_of_pod
from control.controllers.controller_revisions import History, forgotten, history_of
from control.controllers.definition import Controller, itself, present
from control.controllers.pods import available_in, finished, ready
from control.controllers.rollout import resolved
from control.controllers.statefulset_pods import (
    claims,
    creation,
    deletion,
    ordinal_of,
    removal,
    replacement,
    retention,
    revision_name,
)
from control.controllers.view import Key, Objects, View, deleting, spec_of, status_of
from control.controllers.writes import Create, LookAgain, Patch, Write, status_changes

BURST_PODS_MAX = 500  # made by one look; their own events bring the next
COUNTERS = ("replicas", "availableReplicas", "collisionCount")  # told when zero, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A set and its pods, as one look finds them."""

    owner: Document
    wished: Mapping[int, Document | None]  # by number; of those not there, only the next to make
    surplus: Sequence[tuple[int, Document]]  # the highest number first
    history: History
    waits: Mapping[str, float]  # name of a pod that is Ready -> seconds until it is available

    @property
    def in_order(self) -> bool:
        return bool(spec_of(self.owner).get("podManagementPolicy") != "Parallel")

    @property
    def current(self) -> str:
        """The revision of the members that are not updated yet."""
        held = str(status_of(self.owner).get("currentRevision") or "")
        return held if self.history.knows(held) else self.history.update

    @property
    def pods(self) -> list[Document]:
        return [*(p for p in self.wished.values() if p is not None), *(p for _, p in self.surplus)]

    def available(self, pod: Document) -> bool:
        """Whether the next may follow it."""
        return not deleting(pod) and self.waits.get(pod["metadata"]["name"]) == 0.0


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Take one StatefulSet a step further, and tell how it stands."""
    owner = view.objects.at(key)
    if owner is None:
        return ()
    mine = view.objects.pods_to_claim(owner)
    adopted, pods = claim(
        owner, STATEFUL_SETS, mine, fits=lambda pod: ordinal_of(key.name, pod) is not None
    )
    members = _members(view, owner, pods)
    steps: list[Write] = []
    if not deleting(owner) and not view.refusal:
        steps = [*_steps(view.objects, members), *_retained(view.objects, members)]
    used = {*map(revision_name, pods), members.current}
    soon = [wait for wait in members.waits.values() if wait > 0]
    return [
        *members.history.writes,
        *adopted,
        *steps,
        *_status(members, steps),
        *forgotten(members.history, owner, used),
        *([LookAgain(min(soon))] if soon else []),
    ]


def _members(view: View, owner: Document, pods: Sequence[Document]) -> Members:
    spec, name = spec_of(owner), owner["metadata"]["name"]
    replicas = 1 if spec.get("replicas") is None else int(spec["replicas"])
    start = int((spec.get("ordinals") or {}).get("start") or 0)
    numbered = {n: pod for pod in pods if (n := ordinal_of(name, pod)) is not None}
    whole = range(start, start + replicas)
    missing = islice((n for n in whole if n not in numbered), BURST_PODS_MAX)
    wished = sorted([*missing, *(n for n in numbered if n in whole)])
    patience = float(spec.get("minReadySeconds") or 0) * view.scale
    waits = {
        pod["metadata"]["name"]: wait
        for pod in pods
        if (wait := available_in(pod, patience, view.now)) is not None and not finished(pod)
    }
    return Members(
        owner=owner,
        wished={n: numbered.get(n) for n in wished},
        surplus=sorted(
            ((n, p) for n, p in numbered.items() if n not in whole), reverse=True, key=_number
        ),
        history=history_of(view.objects, owner, STATEFUL_SETS),
        waits=waits,
    )


def _number(numbered: tuple[int, Document]) -> int:
    return numbered[0]


def _steps(objects: Objects, members: Members) -> list[Write]:
    """Complete the members, then shrink, then update (P-89, P-91)."""
    writes, wait = _completed(objects, members)
    if not wait:
        more, wait = _shrunk(objects, members)
        writes += more
    return writes if wait else [*writes, *_updated(members)]


def _completed(objects: Objects, members: Members) -> tuple[list[Write], bool]:
    """Make the missing; in order, each only when all before it are available."""
    writes: list[Write] = []
    for number, pod in members.wished.items():
        if pod is None:
            revision = _revision_for(members, number)
            template = members.history.template(revision, spec_of(members.owner)["template"])
            writes += creation(objects, members.owner, number, revision, template)
        elif not deleting(pod) and finished(pod):
            writes += replacement(members.owner, pod)
        elif not deleting(pod):
            writes += claims(objects, members.owner, number)
            if members.available(pod):
                continue
        if members.in_order:
            return writes, True
    return writes, False


def _revision_for(members: Members, number: int) -> str:
    """Of which revision a member is made: below the partition, of the current one."""
    index = number - next(iter(members.wished))
    rolling = (spec_of(members.owner).get("updateStrategy") or {}).get("type") != "OnDelete"
    return members.current if rolling and index < _partition(members) else members.history.update


def _partition(members: Members) -> int:
    strategy = spec_of(members.owner).get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _shrunk(objects: Objects, members: Members) -> tuple[list[Write], bool]:
    """Take the surplus away, the highest number first; in order, one at a time."""
    writes: list[Write] = []
    sick = [number for number, pod in members.surplus if not ready(pod) or deleting(pod)]
    for number, pod in members.surplus:
        if deleting(pod):
            if members.in_order:
                return writes, True
            continue
        if members.in_order and not ready(pod) and number != min(sick):
            return writes, True
        writes += removal(objects, members.owner, pod, number)
        if members.in_order:
            return writes, True
    return writes, False


def _updated(members: Members) -> list[Write]:
    """Replace members of an old revision, the highest number first, a few at a time."""
    strategy = spec_of(members.owner).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    share = (strategy.get("rollingUpdate") or {}).get("maxUnavailable")
    most = max(1, resolved(1 if share is None else share, len(members.wished), up=True))
    writes: list[Write] = []
    lost = 0
    for pod in reversed(list(members.wished.values())[_partition(members) :]):
        if lost >= most:
            break
        if pod is not None and not deleting(pod) and revision_name(pod) != members.history.update:
            writes.append(deletion(members.owner, pod))
            lost += 1
        elif pod is None or not members.available(pod):
            lost += 1
    return writes


def _retained(objects: Objects, members: Members) -> list[Write]:
    numbers = [number for number, pod in members.wished.items() if pod is not None]
    return retention(objects, members.owner, numbers)


def _status(members: Members, steps: Sequence[Write]) -> list[Write]:
    owner, held = members.owner, status_of(members.owner)
    created = [s for s in steps if isinstance(s, Create) and s.resource is PODS]
    alive = [pod for pod in members.pods if not deleting(pod)]
    revisions = [revision_name(pod) for pod in [*alive, *(each.document for each in created)]]
    update, current = members.history.update, members.current
    status: dict[str, Any] = {
        "observedGeneration": owner["metadata"].get("generation"),
        "replicas": len(members.pods) + len(created),
        "readyReplicas": len(members.waits),
        "availableReplicas": sum(wait == 0 for wait in members.waits.values()),
        "updatedReplicas": revisions.count(update),
        "updateRevision": update,
        "collisionCount": int(held.get("collisionCount") or 0),
    }
    rolling = (spec_of(owner).get("updateStrategy") or {}).get("type") != "OnDelete"
    everyone = len(members.wished)
    updated = status["updatedReplicas"] == everyone == status["replicas"]
    if rolling and updated and status["readyReplicas"] == everyone:
        current = update
    status |= {"currentRevision": current, "currentReplicas": revisions.count(current)}
    news = status_changes(status, held, always=COUNTERS)
    if not news:
        return []
    metadata = owner["metadata"]
    return [
        Patch(STATEFUL_SETS, metadata["namespace"], metadata["name"], {"status": news}, "status")
    ]


def _of_claim(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The sets whose member lost a claim."""
    if new is not None:
        return
    metadata = present(old, new)["metadata"]
    for owner in objects.each(STATEFUL_SETS, metadata["namespace"]):
        if f"-{owner['metadata']['name']}-" in metadata["name"]:
            yield Key(STATEFUL_SETS, metadata["namespace"], owner["metadata"]["name"])


def controller() -> Controller:
    """The StatefulSet controller."""
    return Controller(
        name="statefulset",
        component="statefulset-controller",
        tells_refusals=True,
        reconcile=reconcile,
        watches={
            STATEFUL_SETS: itself(STATEFUL_SETS),
            PODS: owners_of_pod(STATEFUL_SETS),
            CONTROLLER_REVISIONS: owners_of_pod(STATEFUL_SETS),
            VOLUME_CLAIMS: _of_claim,
        },
    )
