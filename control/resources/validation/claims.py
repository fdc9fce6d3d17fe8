"""PersistentVolumeClaims: what is refused, and what is for life.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation,
ValidatePersistentVolumeClaim.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import nanos_of
from control.resources.validation.names import subdomain_faults
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    required,
    unchanged,
    unsupported,
)
from control.resources.validation.selectors import selector_causes

Document = Mapping[str, Any]
MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
ALONE = "ReadWriteOncePod"
VOLUME_MODES = ("Block", "Filesystem")
_FIXED = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)


def claim_causes(claim: Document) -> Iterator[Cause]:
    """What is wrong with a claim."""
    yield from claim_spec_causes(claim.get("spec") or {}, "spec")


def claim_spec_causes(spec: Document, path: str) -> Iterator[Cause]:
    """What is wrong with what is claimed, wherever it stands."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in MODES:
            yield unsupported(f"{path}.accessModes", mode, MODES)
    if ALONE in modes and len(set(modes)) > 1:
        words = f"may not use {ALONE} with other access modes"
        yield forbidden(f"{path}.accessModes", words)
    if spec.get("selector") is not None:
        yield from selector_causes(spec["selector"], f"{path}.selector")
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from _size_causes(str(asked), f"{path}.resources[storage]")
    name = spec.get("storageClassName") or ""
    for fault in subdomain_faults(name) if name else ():
        yield invalid(f"{path}.storageClassName", name, fault)
    if spec.get("volumeMode") is not None and spec["volumeMode"] not in VOLUME_MODES:
        yield unsupported(f"{path}.volumeMode", spec["volumeMode"], VOLUME_MODES)


def claim_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A claim stays what it was; one that is bound may ask for more."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    status = old.get("status") or {}
    free = set()
    if not before.get("volumeName"):
        free.add("volumeName")
    if before.get("storageClassName") is None:
        free.add("storageClassName")
    if status.get("phase") == "Bound":
        free.add("volumeAttributesClassName")
    changed = [
        key
        for key in sorted(spec.keys() | before.keys())
        if key not in free and _shown(spec, key, status) != _shown(before, key, status)
    ]
    if changed:
        yield forbidden("spec", f"{_FIXED}\nchanged: {', '.join(f'spec.{key}' for key in changed)}")
    capacity = str((status.get("capacity") or {}).get("storage") or "0")
    wanted, had = _size(spec), _size(before)
    if wanted < had and wanted <= nanos_of(capacity):
        words = "field can not be less than status.capacity"
        yield forbidden("spec.resources.requests.storage", words)
    yield from unchanged("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def _size_causes(asked: str, path: str) -> Iterator[Cause]:
    nanos = nanos_of(asked)
    if nanos < 0:
        yield invalid(path, asked, "must be greater than or equal to 0")
    if nanos <= 0:
        yield invalid(path, asked, "must be greater than zero")


def _shown(spec: Document, key: str, status: Document) -> Any:
    """A field as it is compared: a bound claim's size apart."""
    value = spec.get(key)
    if key != "resources" or status.get("phase") != "Bound":
        return value or None
    requests = {k: v for k, v in ((value or {}).get("requests") or {}).items() if k != "storage"}
    return {**(value or {}), "requests": requests}


def _size(spec: Document) -> int:
    requests = (spec.get("resources") or {}).get("requests") or {}
    return nanos_of(str(requests.get("storage") or "0"))
