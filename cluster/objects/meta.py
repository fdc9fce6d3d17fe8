"""Object metadata, as decisions read it.

Pure: no I/O.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from cluster.dataclass import dataclass

Key = tuple[str, str]  # (namespace, name); a cluster-scoped object has the namespace ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMeta:
    """Who an object is, and what it is labelled with."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    created: str = ""  # RFC 3339, as stored: the text sorts by time
    deleting: bool = False  # deletionTimestamp is set
    controller: str = ""  # its owner that manages it: "ReplicaSet/cart-7d4b9c"

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name


def parse_meta(document: Mapping[str, Any]) -> ObjectMeta:
    """Read `metadata` of an object."""
    metadata = document.get("metadata") or {}
    return ObjectMeta(
        namespace=metadata.get("namespace") or "",
        name=metadata.get("name") or "",
        uid=metadata.get("uid") or "",
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        created=metadata.get("creationTimestamp") or "",
        deleting=bool(metadata.get("deletionTimestamp")),
        controller=_controller(metadata.get("ownerReferences") or ()),
    )


def _controller(owners: Iterable[Mapping[str, Any]]) -> str:
    """The one owner that is marked as such."""
    managing = (each for each in owners if each.get("controller"))
    return next((f"{each.get('kind')}/{each.get('name')}" for each in managing), "")


def key_of(document: Mapping[str, Any]) -> Key:
    """Namespace and name of an object, without reading the rest of it."""
    metadata = document["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
