"""The rows of persistent volumes and claims.

Pure: documents in, text out. Source: kubernetes.io, "Persistent Volumes".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, wide
from control.resources.columns.reading import deleting, name_of, part, spec_of, status_of
from control.resources.columns.text import UNSET

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _volume(volume: Document, now: datetime) -> Row:
    spec, status = spec_of(volume), status_of(volume)
    claim = spec.get("claimRef")
    return [
        name_of(volume),
        part(spec, "capacity").get("storage", "0"),
        _modes(spec),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(volume),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(volume),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason", ""),
        age(volume, now),
        spec.get("volumeMode") or UNSET,
    ]


def _claim(claim: Document, now: datetime) -> Row:
    spec, status = spec_of(claim), status_of(claim)
    bound = bool(spec.get("volumeName"))
    return [
        name_of(claim),
        _phase(claim),
        spec.get("volumeName", ""),
        part(status, "capacity").get("storage", "0") if bound else "",
        _modes(status) if bound else "",
        _class(claim),
        spec.get("volumeAttributesClassName") or UNSET,
        age(claim, now),
        spec.get("volumeMode") or UNSET,
    ]


def _modes(holder: Mapping[str, Any]) -> str:
    held = holder.get("accessModes") or ()
    return ",".join(short for mode, short in MODES.items() if mode in held)


def _phase(document: Document) -> str:
    return "Terminating" if deleting(document) else str(status_of(document).get("phase", ""))


def _class(document: Document) -> str:
    annotations = document["metadata"].get("annotations") or {}
    return str(annotations.get(CLASS_ANNOTATION) or spec_of(document).get("storageClassName") or "")


_CAPACITY = Column("Capacity", "How much it holds.")
_ACCESS = Column("Access Modes", "How many nodes may read and write it.")
_CLASS = Column("StorageClass", "The class it belongs to.")
_ATTRIBUTES = Column("VolumeAttributesClass", "The class of its attributes.")
_MODE = wide("VolumeMode", "A file system or a block device.")

PERSISTENT_VOLUMES = Printer(
    (
        NAME,
        _CAPACITY,
        _ACCESS,
        Column("Reclaim Policy", "What becomes of it when its claim goes."),
        Column("Status", "Whether it is available, bound, released or failed."),
        Column("Claim", "The claim that it is bound to."),
        _CLASS,
        _ATTRIBUTES,
        Column("Reason", "Why it failed."),
        AGE,
        _MODE,
    ),
    _volume,
)

PERSISTENT_VOLUME_CLAIMS = Printer(
    (
        NAME,
        Column("Status", "Whether it is pending, bound or lost."),
        Column("Volume", "The volume that it is bound to."),
        _CAPACITY,
        _ACCESS,
        _CLASS,
        _ATTRIBUTES,
        AGE,
        _MODE,
    ),
    _claim,
)
