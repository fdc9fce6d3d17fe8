"""PersistentVolumes: what is refused, and what is for life.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation,
ValidatePersistentVolume.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import nanos_of
from control.resources.validation.claims import ALONE, MODES, VOLUME_MODES
from control.resources.validation.names import subdomain_faults
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    required,
    unchanged,
    unsupported,
)

Document = Mapping[str, Any]
RECLAIMS = ("Delete", "Recycle", "Retain")
NO_SOURCES = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def persistent_volume_causes(volume: Document) -> Iterator[Cause]:
    """What is wrong with a PersistentVolume."""
    spec = volume.get("spec") or {}
    modes = spec.get("accessModes") or []
    if not modes:
        yield required("spec.accessModes")
    for mode in modes:
        if mode not in MODES:
            yield unsupported("spec.accessModes", mode, MODES)
    if ALONE in modes and len(set(modes)) > 1:
        words = f"may not use {ALONE} with other access modes"
        yield forbidden("spec.accessModes", words)
    yield from _capacity_causes(spec.get("capacity") or {})
    sources = sorted(_sources(spec))
    if not sources:
        yield required("spec", "must specify a volume type")
    for source in sources[1:]:
        yield forbidden(f"spec.{source}", "may not specify more than 1 volume type")
    yield from _choice_causes(spec)


def persistent_volume_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """Where a volume's data lie does not change."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _sources(spec) != _sources(before):
        words = "spec.persistentvolumesource is immutable after creation"
        yield forbidden("spec.persistentvolumesource", words)
    yield from unchanged("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def _capacity_causes(capacity: Document) -> Iterator[Cause]:
    if not capacity:
        yield required("spec.capacity")
    elif set(capacity) != {"storage"}:
        yield unsupported("spec.capacity", capacity, ("storage",))
    for name, amount in capacity.items():
        nanos = nanos_of(str(amount))
        if nanos < 0:
            words = "must be greater than or equal to 0"
            yield invalid(f"spec.capacity[{name}]", str(amount), words)
        if nanos <= 0:
            yield invalid(f"spec.capacity[{name}]", str(amount), "must be greater than zero")


def _choice_causes(spec: Document) -> Iterator[Cause]:
    policy, path = spec.get("persistentVolumeReclaimPolicy"), (spec.get("hostPath") or {})
    if policy not in (None, *RECLAIMS):
        yield unsupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIMS)
    if policy == "Recycle" and path.get("path") == "/":
        words = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden("spec.persistentVolumeReclaimPolicy", words)
    name = spec.get("storageClassName") or ""
    for fault in subdomain_faults(name) if name else ():
        yield invalid("spec.storageClassName", name, fault)
    if spec.get("volumeMode") not in (None, *VOLUME_MODES):
        yield unsupported("spec.volumeMode", spec["volumeMode"], VOLUME_MODES)
    if "local" in spec and not (spec.get("nodeAffinity") or {}).get("required"):
        yield required("spec.nodeAffinity", "Local volume requires node affinity")


def _sources(spec: Document) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in NO_SOURCES}
