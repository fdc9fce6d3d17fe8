"""Which objects belong to a controller's object: held, adopted, released.

Pure: no I/O. Spec: P-87; kubernetes.io, "Owners and Dependents".
"""

from collections.abc import Callable, Iterable

from cluster.client.interface import Document
from cluster.objects.resources import PODS, Resource
from control.controllers.ownership import (
    controlled_by,
    controller_of,
    controller_reference,
    owners_of,
)
from control.controllers.selection import selects
from control.controllers.view import Key, Objects, deleting, key_of, labels_of, spec_of, uid_of
from control.controllers.writes import Patch, Write, patch_of


def claim(
    owner: Document,
    resource: Resource,
    candidates: Iterable[Document],
    *,
    of: Resource = PODS,
    fits: Callable[[Document], bool] | None = None,
) -> tuple[list[Write], list[Document]]:
    """The candidates that belong to the owner, and the writes that adopt and release some."""
    writes: list[Write] = []
    mine: list[Document] = []
    selector, going = spec_of(owner).get("selector"), deleting(owner)
    for each in candidates:
        fitting = selects(selector, labels_of(each)) and (fits is None or fits(each))
        if controlled_by(each, owner):
            if fitting or going:
                mine.append(each)
            else:
                writes.append(_release(of, each, owner))
        elif fitting and not going and controller_of(each) is None and not deleting(each):
            writes.append(_adopt(of, each, resource, owner))
            mine.append(each)
    return writes, mine


def owners_of_pod(resource: Resource) -> Callable[..., Iterable[Key]]:
    """Whom of this resource a changed pod concerns: its owner; for an orphan, who may adopt it."""

    def keys(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
        for pod in (old, new):
            owner = controller_of(pod) if pod is not None else None
            if pod is not None and owner is not None and owner.get("kind") == resource.kind:
                yield Key(resource, pod["metadata"]["namespace"], owner["name"])
        if new is not None and controller_of(new) is None:
            for each in objects.each(resource, new["metadata"]["namespace"]):
                if selects(spec_of(each).get("selector"), labels_of(new)):
                    yield key_of(resource, each)

    return keys


def _adopt(of: Resource, orphan: Document, resource: Resource, owner: Document) -> Patch:
    references = [*owners_of(orphan), controller_reference(resource, owner)]
    return patch_of(of, orphan, {"metadata": {"ownerReferences": references}})


def _release(of: Resource, held: Document, owner: Document) -> Patch:
    others = [each for each in owners_of(held) if each.get("uid") != uid_of(owner)]
    return patch_of(of, held, {"metadata": {"ownerReferences": others or None}})
