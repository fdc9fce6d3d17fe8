"""Garbage collection by owner: what is left when owners go, and owners that wait for what they own.

Pure: `reconcile` from a view to writes. Spec: S-23; kubernetes.io, "Garbage Collection".

Background: an object whose owners are all gone is deleted; the API is asked for each owner first,
for another informer may lag. Foreground: an owner with the finalizer waits until its dependents
that block it are gone. Orphan: its dependents lose the reference first. Owners of a resource that
is not watched are never presumed gone. An owner in another namespace is no owner.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.controllers.custom_resources import custom_resources
from control.controllers.definition import Controller, present
from control.controllers.ownership import owners_of
from control.controllers.view import Key, Objects, View, deleting, key_of, uid_of
from control.controllers.writes import (
    WARNING,
    Absent,
    Delete,
    EmitEvent,
    Patch,
    Write,
    patch_of,
)

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


class GarbageCollector:
    """Knows which resource an owner reference means."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_kind = {(each.group, each.kind): each for each in resources}

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Look at one object, as an owner that goes and as a dependent."""
        held = view.objects.at(key)
        if held is None:
            return ()
        finalizers = held["metadata"].get("finalizers") or ()
        if deleting(held) and ORPHAN in finalizers:
            return _orphan(view.objects, key, held)
        if deleting(held) and FOREGROUND in finalizers:
            return _foreground(view.objects, key, held)
        return () if deleting(held) else self._collect(view.objects, key, held)

    def _collect(self, objects: Objects, key: Key, held: Document) -> Sequence[Write]:
        strange = [each for each in owners_of(held) if self._unreachable(objects, each, key)]
        if strange:  # nothing of the whole cluster is owned by something of one namespace
            return [_told_apart(held, each, key.namespace) for each in strange]
        owners = [self._owner(objects, each, key.namespace) for each in owners_of(held)]
        known = [each for each in owners if each is not None]
        if not known or len(known) < len(owners):
            return ()
        present = [o for each in known if (o := _present(objects, each)) is not None]
        if not present:
            elsewhere = _elsewhere(objects, held, known)
            return [*elsewhere, _delete(key, held, provided=tuple(known))]
        if all(_waits(each) for each in present):
            own = objects.owned_by(uid_of(held))
            return [_delete(key, held, propagation="Foreground" if own else None)]
        if len(present) < len(known):
            return _drop_references(key, held, known, present)
        return ()

    def _unreachable(self, objects: Objects, reference: Mapping[str, Any], key: Key) -> bool:
        resource = self._meant(objects, reference)
        return resource is not None and resource.namespaced and not key.namespace

    def _meant(self, objects: Objects, reference: Mapping[str, Any]) -> Resource | None:
        group, kind = reference["apiVersion"].rpartition("/")[0], reference["kind"]
        return self._by_kind.get((group, kind)) or _custom(objects, group, kind)

    def _owner(
        self, objects: Objects, reference: Mapping[str, Any], namespace: str
    ) -> Absent | None:
        resource = self._meant(objects, reference)
        if resource is None:
            return None
        place = namespace if resource.namespaced else ""
        return Absent(resource, place, reference["name"], reference["uid"])


def _custom(objects: Objects, group: str, kind: str) -> Resource | None:
    for resource in custom_resources(objects):
        if (resource.group, resource.kind) == (group, kind):
            return resource
    return None


def _elsewhere(objects: Objects, held: Document, owners: Iterable[Absent]) -> list[Write]:
    """Events about owners that live in another namespace, where they own nothing of this one."""
    absent = {
        owner.uid
        for owner in owners
        for each in objects.named(owner.resource, owner.name)
        if uid_of(each) == owner.uid
    }
    namespace = held["metadata"].get("namespace") or ""
    meant = (each for each in owners_of(held) if each["uid"] in absent)
    return [_told_apart(held, each, namespace) for each in meant]


def _told_apart(held: Document, reference: Mapping[str, Any], namespace: str) -> EmitEvent:
    owner = f"{reference['apiVersion']}/{reference['kind']}, namespace: {namespace}"
    owner += f", name: {reference['name']}, uid: {reference['uid']}"
    message = f'ownerRef [{owner}] does not exist in namespace "{namespace}"'
    return EmitEvent(held, "OwnerRefInvalidNamespace", message, WARNING)


def _present(objects: Objects, owner: Absent) -> Document | None:
    held = objects.get(owner.resource, owner.namespace, owner.name)
    return held if held is not None and uid_of(held) == owner.uid else None


def _waits(owner: Document) -> bool:
    return deleting(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ())


def _delete(
    key: Key, held: Document, *, propagation: str | None = None, provided: tuple[Absent, ...] = ()
) -> Delete:
    return Delete(
        resource=key.resource,
        namespace=key.namespace,
        name=key.name,
        uid=uid_of(held),
        propagation=propagation,
        provided=provided,
    )


def _drop_references(
    key: Key, held: Document, known: Sequence[Absent], present: Sequence[Document]
) -> Sequence[Write]:
    """Some owners are gone and others stay: only the references go."""
    alive = {uid_of(each) for each in present}
    rest = [each for each in owners_of(held) if each["uid"] in alive]
    return [patch_of(key.resource, held, {"metadata": {"ownerReferences": rest}})]


def _orphan(objects: Objects, key: Key, owner: Document) -> Sequence[Write]:
    """Let the dependents live without this owner, then let the owner go."""
    uid = uid_of(owner)
    writes: list[Write] = []
    for place, dependent in objects.owned_by(uid):
        rest = [each for each in owners_of(dependent) if each["uid"] != uid]
        changes = {"metadata": {"ownerReferences": rest or None}}
        writes.append(patch_of(place.resource, dependent, changes))
    return writes or [_without_finalizer(key, owner, ORPHAN)]


def _foreground(objects: Objects, key: Key, owner: Document) -> Sequence[Write]:
    """Delete the dependents; once none is left that blocks, let the owner go."""
    uid = uid_of(owner)
    dependents = objects.owned_by(uid)
    writes: list[Write] = []
    for place, dependent in dependents:
        alone = all(each["uid"] == uid for each in owners_of(dependent))
        if alone and not deleting(dependent):
            own = objects.owned_by(uid_of(dependent))
            writes.append(_delete(place, dependent, propagation="Foreground" if own else None))
    blocked = any(_blocks(dependent, uid) for _, dependent in dependents)
    return writes if blocked else [*writes, _without_finalizer(key, owner, FOREGROUND)]


def _blocks(dependent: Document, uid: str) -> bool:
    references = (each for each in owners_of(dependent) if each["uid"] == uid)
    return any(each.get("blockOwnerDeletion") for each in references)


def _without_finalizer(key: Key, owner: Document, finalizer: str) -> Patch:
    rest = [each for each in owner["metadata"].get("finalizers") or () if each != finalizer]
    return patch_of(key.resource, owner, {"metadata": {"finalizers": rest or None}})


def _concerned(resource: Resource) -> Any:
    def keys(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
        """The object if it has owners or is going; its dependents and owners when it goes."""
        held = present(old, new)
        if new is not None and (owners_of(new) or deleting(new)):
            yield key_of(resource, new)
        if new is None or deleting(new):
            for key, _ in objects.owned_by(uid_of(held)):
                yield key
        if new is None or len(owners_of(new)) < len(owners_of(old) if old is not None else ()):
            yield from _waiting_owners(objects, old)

    return keys


def _waiting_owners(objects: Objects, gone: Document | None) -> Iterable[Key]:
    """Owners in deletion that this dependent no longer holds up."""
    if gone is None:
        return
    namespace = gone["metadata"].get("namespace") or ""
    for reference in owners_of(gone):
        for resource in objects.resources():
            if resource.kind == reference["kind"]:
                place = namespace if resource.namespaced else ""
                yield Key(resource, place, reference["name"])


def controller(resources: Sequence[Resource]) -> Controller:
    """The garbage collector of these resources."""
    return Controller(
        name="garbage-collector",
        reconcile=GarbageCollector(resources).reconcile,
        watches={resource: _concerned(resource) for resource in resources},
        watches_custom=_concerned,
    )
