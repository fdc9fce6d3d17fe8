"""Which volume fits a claim.

Pure: documents in, a document out. Source: kubernetes.io, "Persistent Volumes", binding.
"""

from collections.abc import Iterable

from cluster.client.interface import Document
from control.controllers.selection import selects
from control.controllers.view import deleting, labels_of, spec_of, uid_of
from control.controllers.volume_documents import requested
from control.resources.quantities import nanos_of


def volume_for(claim: Document, volumes: Iterable[Document]) -> Document | None:
    """The volume that was made for the claim, else the smallest free one that is large enough."""
    held = list(volumes)
    wished = spec_of(claim).get("volumeName")
    if wished:
        named = (each for each in held if each["metadata"]["name"] == wished)
        return next((each for each in named if may_have(each, claim)), None)
    own = next((each for each in held if claimed_by(each, claim)), None)
    if own is not None:
        return own
    fitting = [each for each in held if not spec_of(each).get("claimRef") and fits(each, claim)]
    return min(fitting, key=lambda each: (_size(each), each["metadata"]["name"]), default=None)


def claimed_by(volume: Document, claim: Document) -> bool:
    """Whether the volume names this claim, perhaps before there was one."""
    reference = spec_of(volume).get("claimRef") or {}
    metadata = claim["metadata"]
    named = (reference.get("namespace"), reference.get("name"))
    return named == (metadata["namespace"], metadata["name"]) and reference.get("uid") in (
        None,
        "",
        uid_of(claim),
    )


def may_have(volume: Document, claim: Document) -> bool:
    """Whether the claim's own wish for this volume can be granted."""
    return not spec_of(volume).get("claimRef") or claimed_by(volume, claim)


def fits(volume: Document, claim: Document) -> bool:
    """Whether a free volume is what the claim asks for."""
    offers, wants = spec_of(volume), spec_of(claim)
    return (
        not deleting(volume)
        and (offers.get("storageClassName") or "") == (wants.get("storageClassName") or "")
        and (offers.get("volumeMode") or "Filesystem") == (wants.get("volumeMode") or "Filesystem")
        and set(wants.get("accessModes") or ()) <= set(offers.get("accessModes") or ())
        and _size(volume) >= nanos_of(requested(claim))
        and (wants.get("selector") is None or selects(wants["selector"], labels_of(volume)))
    )


def _size(volume: Document) -> int:
    return nanos_of(str((spec_of(volume).get("capacity") or {}).get("storage") or "0"))
