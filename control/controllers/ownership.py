"""Owner references: who made an object, who may delete it.

Pure: no I/O. Spec: P-87; kubernetes.io, "Owners and Dependents".
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.controllers.view import uid_of


def owners_of(document: Document) -> list[Mapping[str, Any]]:
    """All owner references."""
    return list(document["metadata"].get("ownerReferences") or ())


def controller_of(document: Document) -> Mapping[str, Any] | None:
    """The one owner that manages the object, or None."""
    return next((owner for owner in owners_of(document) if owner.get("controller")), None)


def controlled_by(document: Document, owner: Document) -> bool:
    """Whether this very owner, not a namesake, manages the object."""
    reference = controller_of(document)
    return reference is not None and reference.get("uid") == uid_of(owner)


def controller_reference(resource: Resource, owner: Document) -> dict[str, Any]:
    """The reference an object carries to its controller."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }
