"""What a deletion does to an object: at once gone, or marked and kept until it may go.

Pure: an object and options in, a decision out. Spec: P-60 onwards for pods' grace; kubernetes.io,
"Finalizers", "Garbage Collection".
"""

from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import NAMESPACES, PODS, Resource
from control.apiserver.options import WHOLE_MAX, DeleteOptions
from control.apiserver.stamps import later

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
POD_GRACE_SECONDS = 30
OVER = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Deletion:
    """The object's next state; whether it goes with it."""

    document: Document
    gone: bool


def decide_deletion(
    resource: Resource, document: Document, options: DeleteOptions, now: str
) -> Deletion:
    """Mark an object as going, and say whether nothing holds it back."""
    grace = _grace(resource, document, options)
    metadata = dict(document["metadata"])
    finalizers = _finalizers(list(metadata.get("finalizers") or ()), options.propagation)
    held = metadata.get("deletionGracePeriodSeconds")
    if "deletionTimestamp" not in metadata or (held is not None and grace < held):
        metadata["deletionTimestamp"] = later(now, grace)
        metadata["deletionGracePeriodSeconds"] = grace
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    going: dict[str, Any] = {**document, "metadata": metadata}
    if resource == NAMESPACES:
        going["status"] = {**(document.get("status") or {}), "phase": "Terminating"}
    return Deletion(going, may_go(resource, going))


def may_go(resource: Resource, document: Document) -> bool:
    """Whether an object that is marked has nothing left that holds it."""
    metadata = document["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if resource == NAMESPACES:
        return not (document.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def _grace(resource: Resource, document: Document, options: DeleteOptions) -> int:
    """Seconds that a pod on a node is given; everything else goes at once."""
    if resource != PODS:
        return 0
    spec, status = document.get("spec") or {}, document.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in OVER:
        return 0
    if options.grace_seconds is not None:
        return max(options.grace_seconds, 0)
    return min(int(spec.get("terminationGracePeriodSeconds", POD_GRACE_SECONDS)), WHOLE_MAX)


def _finalizers(held: list[str], propagation: str | None) -> list[str]:
    """The propagation policy as the finalizer that carries it out."""
    if propagation is None:
        return held
    kept = [each for each in held if each not in (FOREGROUND, ORPHAN)]
    wanted = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(propagation)
    return [*kept, wanted] if wanted else kept
