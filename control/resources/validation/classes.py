"""What may not change of classes, drivers, volumes and quotas: others rely on what they were.

Pure: documents in, causes out. Source: k8s.io/kubernetes, the update validation in
pkg/apis/storage, networking, node and core.
"""

from collections.abc import Iterator
from typing import Any

from cluster.client.interface import Document
from control.resources.causes import Cause
from control.resources.validation.refusals import forbidden, unchanged

_VOLUME_FIELDS = (  # what a volume's spec has besides its source
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
)
_MAY_COME_LATER = ("controllerExpandSecretRef", "nodeExpandSecretRef")  # of a CSI source


def storage_class_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """Volumes were made as the class said."""
    for key in ("parameters", "provisioner", "reclaimPolicy"):
        if (new.get(key) or None) != (old.get(key) or None):
            yield forbidden(key, f"updates to {key} are forbidden.")
    key = "volumeBindingMode"
    yield from unchanged(key, new.get(key), old.get(key))


def ingress_class_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A class is of one controller."""
    yield from _unchanged_in_spec(new, old, "controller")


def runtime_class_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """Pods run by the handler."""
    yield from unchanged("handler", new.get("handler"), old.get("handler"))


def driver_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A CSIDriver attaches, or does not; upstream spells that field in a way of its own."""
    yield from _unchanged_in_spec(new, old, "attachRequired", told="attachedRequired")
    yield from _unchanged_in_spec(new, old, "volumeLifecycleModes")


def quota_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A ResourceQuota counts what it has always counted."""
    yield from _unchanged_in_spec(new, old, "scopes")


def volume_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A PersistentVolume's content stays where it is."""
    if _source(new) != _source(old):
        where = "spec.persistentvolumesource"
        yield forbidden(where, f"{where} is immutable after creation")
    yield from _unchanged_in_spec(new, old, "volumeMode")


def _unchanged_in_spec(
    new: Document, old: Document, key: str, *, told: str = ""
) -> Iterator[Cause]:
    values = [(document.get("spec") or {}).get(key) for document in (new, old)]
    yield from unchanged(f"spec.{told or key}", *values)


def _source(volume: Document) -> dict[str, Any]:
    spec = volume.get("spec") or {}
    source = {key: value for key, value in spec.items() if key not in _VOLUME_FIELDS}
    if isinstance(csi := source.get("csi"), dict):
        kept = {key: value for key, value in csi.items() if key not in _MAY_COME_LATER}
        source["csi"] = kept
    return source
