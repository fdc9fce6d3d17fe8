"""What a namespace that goes still holds, told in its conditions.

Pure: documents in, conditions out. Source: k8s.io/kubernetes, pkg/controller/namespace/deletion.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.controllers.conditions import with_condition

Remaining = Mapping[Resource, Sequence[Document]]

# What cannot go wrong where one process serves every kind, and is told so that nobody wonders.
SETTLED = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


def deletion_conditions(namespace: Document, remaining: Remaining, now: str) -> list[Any]:
    """The namespace's conditions, given the objects that are left in it."""
    conditions = list((namespace.get("status") or {}).get("conditions") or ())
    settled = [_condition(kind, "False", reason, message) for kind, reason, message in SETTLED]
    for new in (*settled, _content(remaining), _finalizers(remaining)):
        conditions = with_condition(conditions, new, when=now)
    return conditions


def _content(remaining: Remaining) -> dict[str, str]:
    kind = "NamespaceContentRemaining"
    told = sorted(
        f"{each.plural}.{each.group} has {len(held)} resource instances"
        for each, held in remaining.items()
        if held
    )
    if not told:
        return _condition(kind, "False", "ContentRemoved", "All content successfully removed")
    message = f"Some resources are remaining: {', '.join(told)}"
    return _condition(kind, "True", "SomeResourcesRemain", message)


def _finalizers(remaining: Remaining) -> dict[str, str]:
    kind = "NamespaceFinalizersRemaining"
    held = Counter(
        finalizer
        for documents in remaining.values()
        for document in documents
        for finalizer in document["metadata"].get("finalizers") or ()
    )
    if not held:
        message = "All content-preserving finalizers finished"
        return _condition(kind, "False", "ContentHasNoFinalizers", message)
    told = (f"{name} in {count} resource instances" for name, count in sorted(held.items()))
    message = f"Some content in the namespace has finalizers remaining: {', '.join(told)}"
    return _condition(kind, "True", "SomeFinalizersRemain", message)


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}
