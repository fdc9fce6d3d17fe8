"""Deployment: a ReplicaSet per version of the template, and the way from one to the next.

Pure: `reconcile` from a view to writes; one step per look, each step's writes bring the next look.
Spec: P-80 to P-85; kubernetes.io, "Deployments".
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from control.controllers.definition import Controller, itself
from control.controllers.deployment_status import Progress, complete_sets, status_writes
from control.controllers.ownership import (
    controlled_by,
    controller_of,
    controller_reference,
    owners_of,
)
from control.controllers.pods import finished
from control.controllers.revisions import (
    DESIRED,
    MAX,
    REVISION,
    age_order,
    new_set,
    next_revision,
    plain_template,
    revision_of,
    set_annotations,
    set_from_template,
    template_hash,
)
from control.controllers.rollout import (
    Bounds,
    SetCount,
    bounds_of,
    new_wish,
    old_wishes,
    proportional,
)
from control.controllers.selection import selects
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    deleting,
    key_of,
    labels_of,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.writes import Announce, Create, Delete, Patch, Write, patch_of

HISTORY_DEFAULT = 10  # P-85


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One Deployment and its ReplicaSets, as one look finds them."""

    deployment: Document
    new: Document | None
    old: tuple[Document, ...]  # oldest first
    bounds: Bounds

    @property
    def sets(self) -> tuple[Document, ...]:
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def collisions(self) -> int:
        return int(status_of(self.deployment).get("collisionCount") or 0)


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Take one Deployment a step further, and tell how it stands."""
    deployment = view.objects.at(key)
    if deployment is None:
        return ()
    claims, sets = claim(view.objects, deployment)
    new = new_set(deployment, sets)
    rollout = Rollout(
        deployment=deployment,
        new=new,
        old=tuple(sorted((each for each in sets if each is not new), key=age_order)),
        bounds=_bounds(deployment),
    )
    steps: list[Write] = [] if deleting(deployment) else _step(view.objects, rollout)
    created = next((str(s.document["metadata"]["name"]) for s in steps if type(s) is Create), "")
    progress = Progress(
        sets=rollout.sets,
        new=new,
        bounds=rollout.bounds,
        created=created,
        collisions=rollout.collisions + _collided(view.objects, rollout),
    )
    return [*claims, *steps, *status_writes(view, deployment, progress)]


def claim(objects: Objects, deployment: Document) -> tuple[list[Write], list[Document]]:
    """The Deployment's ReplicaSets, and the writes that adopt and release some."""
    writes: list[Write] = []
    mine: list[Document] = []
    selector, going = spec_of(deployment).get("selector"), deleting(deployment)
    for each in objects.each(REPLICA_SETS, deployment["metadata"]["namespace"]):
        fits = selects(selector, labels_of(each))
        if controlled_by(each, deployment):
            if fits or going:
                mine.append(each)
            else:
                rest = [o for o in owners_of(each) if o.get("uid") != uid_of(deployment)]
                writes.append(_owned(each, rest))
        elif fits and not going and controller_of(each) is None and not deleting(each):
            owner = controller_reference(DEPLOYMENTS, deployment)
            writes.append(_owned(each, [*owners_of(each), owner]))
            mine.append(each)
    return writes, mine


def _owned(replica_set: Document, owners: Sequence[Any]) -> Patch:
    changes = {"metadata": {"ownerReferences": list(owners) or None}}
    return patch_of(REPLICA_SETS, replica_set, changes)


def _bounds(deployment: Document) -> Bounds:
    spec = spec_of(deployment)
    replicas = spec.get("replicas")
    strategy = spec.get("strategy") or {}
    count = 1 if replicas is None else int(replicas)
    if strategy.get("type") == "Recreate":
        return Bounds(replicas=count, surge=0, unavailable=0)
    rolling = strategy.get("rollingUpdate") or {}
    return bounds_of(count, rolling.get("maxSurge"), rolling.get("maxUnavailable"))


def _step(objects: Objects, rollout: Rollout) -> list[Write]:
    """The next step, if one may be taken now."""
    spec = spec_of(rollout.deployment)
    if spec.get("paused") or _resized(rollout):
        return _scale(rollout)
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return _recreate(objects, rollout)
    return _roll(objects, rollout)


def _roll(objects: Objects, rollout: Rollout) -> list[Write]:
    """RollingUpdate: grow the new set as far as the surge allows, then shrink the old ones."""
    old = [_count(each) for each in rollout.old]
    if rollout.new is None:
        empty = SetCount(name="", wished=0, reported=0, available=0)
        return _create(objects, rollout, new_wish(rollout.bounds, empty, old))
    new = _count(rollout.new)
    steps = _size_new(rollout, rollout.new, new_wish(rollout.bounds, new, old))
    if steps:
        return steps
    wishes = old_wishes(rollout.bounds, new, old)
    for each, wish in zip(rollout.old, wishes, strict=True):
        steps += _size(rollout, each, wish)
    return steps or _clean(rollout)


def _recreate(objects: Objects, rollout: Rollout) -> list[Write]:
    """Recreate: nothing new before the last old pod is gone (P-84)."""
    steps = [write for each in rollout.old for write in _size(rollout, each, 0)]
    if steps or any(_has_pods(objects, each) for each in rollout.old):
        return steps
    if rollout.new is None:
        return _create(objects, rollout, rollout.bounds.replicas)
    return _size_new(rollout, rollout.new, rollout.bounds.replicas) or _clean(rollout)


def _has_pods(objects: Objects, replica_set: Document) -> bool:
    return any(not finished(pod) for _, pod in objects.owned_by(uid_of(replica_set), PODS))


def _scale(rollout: Rollout) -> list[Write]:
    """Another number of replicas: shared in proportion while two versions run."""
    active = [each for each in rollout.sets if _wished(each) > 0]
    bounds, new = rollout.bounds, rollout.new
    if len(active) <= 1:
        last = active[0] if active else new or next(iter(reversed(rollout.old)), None)
        return _size(rollout, last, bounds.replicas) if last is not None else []
    if new is not None and complete_sets(new, bounds.replicas):
        return [write for each in rollout.old for write in _size(rollout, each, 0)]
    total = bounds.total if bounds.replicas else 0
    former = max(int(annotations_of(each).get(MAX) or 0) for each in active)
    wishes = proportional(total, [_count(each) for each in active], former)
    return [
        write
        for each, wish in zip(active, wishes, strict=True)
        for write in _size(rollout, each, wish)
    ]


def _resized(rollout: Rollout) -> bool:
    """Whether the Deployment wants another number than its running sets were made for."""
    desired = str(rollout.bounds.replicas)
    active = (annotations_of(each) for each in rollout.sets if _wished(each) > 0)
    return any(notes.get(DESIRED, desired) != desired for notes in active)


def _create(objects: Objects, rollout: Rollout, replicas: int) -> list[Write]:
    if _collided(objects, rollout):
        return []  # the status gets a higher collisionCount, and with it the set another name
    deployment = rollout.deployment
    revision = next_revision(rollout.old)
    document = set_from_template(
        deployment,
        collisions=rollout.collisions,
        replicas=replicas,
        annotations=set_annotations(deployment, None, revision, _sizes(rollout.bounds)),
    )
    name = document["metadata"]["name"]
    text = f"Scaled up replica set {name} from 0 to {replicas}"
    done = ("ScalingReplicaSet", text) if replicas else None
    refused = ("ReplicaSetCreateError", f"Failed to create new replica set {name!r}: {{error}}")
    announce = Announce(about=deployment, done=done, refused=refused)
    return [Create(REPLICA_SETS, document, announce), *_revised(deployment, revision)]


def _collided(objects: Objects, rollout: Rollout) -> bool:
    """Whether the new set's name is taken by a ReplicaSet that is not ours."""
    if rollout.new is not None:
        return False
    metadata = rollout.deployment["metadata"]
    template = plain_template(spec_of(rollout.deployment).get("template") or {})
    name = f"{metadata['name']}-{template_hash(template, rollout.collisions)}"
    return objects.get(REPLICA_SETS, metadata["namespace"], name) is not None


def _size_new(rollout: Rollout, new: Document, wish: int) -> list[Write]:
    """The new set's size, revision and settings."""
    deployment = rollout.deployment
    revision = max(next_revision(rollout.old), revision_of(new))
    notes = set_annotations(deployment, new, revision, _sizes(rollout.bounds))
    patience = int(spec_of(deployment).get("minReadySeconds") or 0)
    spec: dict[str, Any] = {}
    if patience != int(spec_of(new).get("minReadySeconds") or 0):
        spec["minReadySeconds"] = patience
    steps = _resize(rollout, new, wish, notes, spec)
    return [*steps, *_revised(deployment, int(notes.get(REVISION, revision)))]


def _size(rollout: Rollout, replica_set: Document, wish: int) -> list[Write]:
    notes = {**annotations_of(replica_set), **_sizes(rollout.bounds)}
    idle = wish == _wished(replica_set) == 0
    return [] if idle else _resize(rollout, replica_set, wish, notes, {})


def _resize(
    rollout: Rollout, replica_set: Document, wish: int, notes: dict[str, str], spec: dict[str, Any]
) -> list[Write]:
    metadata, now = replica_set["metadata"], _wished(replica_set)
    changes: dict[str, Any] = {}
    if notes != dict(annotations_of(replica_set)):
        changes["metadata"] = {"annotations": notes}
    announce = None
    if wish != now:
        spec = {**spec, "replicas": wish}
        way = "up" if wish > now else "down"
        text = f"Scaled {way} replica set {metadata['name']} from {now} to {wish}"
        announce = Announce(about=rollout.deployment, done=("ScalingReplicaSet", text))
    if spec:
        changes["spec"] = spec
    if not changes:
        return []
    place = metadata["namespace"], metadata["name"]
    return [Patch(REPLICA_SETS, *place, changes, announce=announce)]


def _revised(deployment: Document, revision: int) -> list[Write]:
    if revision_of(deployment) == revision:
        return []
    metadata = deployment["metadata"]
    changes = {"metadata": {"annotations": {REVISION: str(revision)}}}
    return [Patch(DEPLOYMENTS, metadata["namespace"], metadata["name"], changes)]


def _clean(rollout: Rollout) -> list[Write]:
    """Delete the oldest ReplicaSets beyond the history limit, once the rollout is done."""
    new = rollout.new
    if new is None or not complete_sets(new, rollout.bounds.replicas):
        return []
    limit = spec_of(rollout.deployment).get("revisionHistoryLimit")
    empty = [each for each in rollout.old if not deleting(each) and not _wished(each)]
    empty = [each for each in empty if not status_of(each).get("replicas")]
    spare = len(empty) - (HISTORY_DEFAULT if limit is None else int(limit))
    chosen = sorted(empty, key=revision_of)[: max(0, spare)]
    return [
        Delete(
            resource=REPLICA_SETS,
            namespace=each["metadata"]["namespace"],
            name=each["metadata"]["name"],
            uid=uid_of(each),
        )
        for each in chosen
    ]


def _sizes(bounds: Bounds) -> dict[str, str]:
    return {DESIRED: str(bounds.replicas), MAX: str(bounds.total)}


def _wished(replica_set: Document) -> int:
    replicas = spec_of(replica_set).get("replicas")
    return 1 if replicas is None else int(replicas)


def _count(replica_set: Document) -> SetCount:
    return SetCount(
        name=replica_set["metadata"]["name"],
        wished=_wished(replica_set),
        reported=int(status_of(replica_set).get("replicas") or 0),
        available=int(status_of(replica_set).get("availableReplicas") or 0),
    )


def _owner(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The Deployment of a ReplicaSet; for an orphan, every one that may adopt it."""
    for each in (old, new):
        owner = controller_of(each) if each is not None else None
        if each is not None and owner is not None and owner.get("kind") == "Deployment":
            yield Key(DEPLOYMENTS, each["metadata"]["namespace"], owner["name"])
    if new is not None and controller_of(new) is None:
        for deployment in objects.each(DEPLOYMENTS, new["metadata"]["namespace"]):
            if selects(spec_of(deployment).get("selector"), labels_of(new)):
                yield key_of(DEPLOYMENTS, deployment)


def _recreating(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """A Recreate waits for the end of each old pod."""
    ended = new is None or finished(new)
    owner = controller_of(old) if old is not None and ended else None
    if old is None or owner is None or owner.get("kind") != "ReplicaSet":
        return
    replica_set = objects.get(REPLICA_SETS, old["metadata"]["namespace"], owner["name"])
    if replica_set is not None:
        yield from _owner(objects, replica_set, None)


def controller() -> Controller:
    """The Deployment controller."""
    return Controller(
        name="deployment",
        component="deployment-controller",
        reconcile=reconcile,
        watches={
            DEPLOYMENTS: itself(DEPLOYMENTS),
            REPLICA_SETS: _owner,
            PODS: _recreating,
        },
    )
