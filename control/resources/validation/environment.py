"""Environment variables of containers, and what their values are taken from: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation, ValidateEnv.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import canonical_quantity
from control.resources.validation.names import (
    config_key_faults,
    env_name_faults,
    qualified_faults,
    subdomain_faults,
)
from control.resources.validation.refusals import invalid, required, unsupported

Source = Mapping[str, Any]
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
AMOUNTS = tuple(
    f"{which}.{name}"
    for which in ("limits", "requests")
    for name in ("cpu", "ephemeral-storage", "memory")
)
_SCALES = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
_MANY = "may not have more than one field specified at a time"
_SUBSCRIPT = re.compile(r"(?P<path>[^\[\]]+)\['(?P<key>.*)'\]")


def env_causes(variables: Iterable[Source], path: str) -> Iterator[Cause]:
    """What is wrong with `env`."""
    for index, variable in enumerate(variables):
        place, name = f"{path}[{index}]", variable.get("name") or ""
        if not name:
            yield required(f"{place}.name")
        for fault in env_name_faults(name) if name else ():
            yield invalid(f"{place}.name", name, fault)
        if variable.get("valueFrom") is not None:
            filled = bool(variable.get("value"))
            yield from _value_causes(variable["valueFrom"], f"{place}.valueFrom", filled=filled)


def env_from_causes(sources: Iterable[Source], path: str) -> Iterator[Cause]:
    """What is wrong with `envFrom`."""
    for index, source in enumerate(sources):
        place, prefix = f"{path}[{index}]", source.get("prefix") or ""
        for fault in env_name_faults(prefix) if prefix else ():
            yield invalid(f"{place}.prefix", prefix, fault)
        chosen = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in chosen:
            yield from _name_causes(source[key], f"{place}.{key}")
        if not chosen:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(chosen) > 1:
            yield invalid(path, "", _MANY)


def field_causes(reference: Source, path: str, known: Iterable[str] = FIELDS) -> Iterator[Cause]:
    """A field of the pod: one of those that are known, or a label's or annotation's value."""
    field, listed = reference.get("fieldPath") or "", tuple(known)
    if not field:
        yield required(f"{path}.fieldPath")
        return
    subscript = _SUBSCRIPT.fullmatch(field)
    if subscript is None:
        if field not in listed:
            yield from _field_cause(field, path, listed)
    elif subscript["path"] not in ("metadata.annotations", "metadata.labels"):
        words = f"error converting fieldPath: field label does not support subscript: {field}"
        yield invalid(f"{path}.fieldPath", field, words)
    else:
        key = subscript["key"]
        lowered = key.lower() if subscript["path"] == "metadata.annotations" else key
        for fault in qualified_faults(lowered):
            yield invalid(path, lowered, fault)


def amount_causes(reference: Source, path: str, *, volume: bool = False) -> Iterator[Cause]:
    """A container's request or limit; in a volume it says whose."""
    name = reference.get("resource") or ""
    if volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not name:
        yield required(f"{path}.resource")
    elif name not in AMOUNTS and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield unsupported(f"{path}.resource", name, AMOUNTS)
    divisor = canonical_quantity(str(reference.get("divisor") or "0"))
    known = ("1m", "1") if name.endswith(".cpu") else tuple(_SCALES.split(", "))
    if divisor in (None, "0", *known) or name not in AMOUNTS:
        return
    what = name.partition(".")[2].replace("ephemeral-storage", "local ephemeral storage")
    values = "1m and 1" if what == "cpu" else _SCALES
    words = f"only divisor's values {values} are supported with the {what} resource"
    yield invalid(f"{path}.divisor", name, words)


def key_causes(reference: Source, path: str) -> Iterator[Cause]:
    """One key of a ConfigMap or a Secret."""
    name, key = reference.get("name") or "", reference.get("key") or ""
    for fault in subdomain_faults(name):
        yield invalid(f"{path}.name", name, fault)
    if not key:
        yield required(f"{path}.key")
    for fault in config_key_faults(key) if key else ():
        yield invalid(f"{path}.key", key, fault)


def _value_causes(source: Source, path: str, *, filled: bool) -> Iterator[Cause]:
    chosen = [key for key in SOURCES if source.get(key) is not None]
    for key in chosen:
        place = f"{path}.{key}"
        if key == "fieldRef":
            yield from field_causes(source[key], place)
        elif key == "resourceFieldRef":
            yield from amount_causes(source[key], place)
        elif key != "fileKeyRef":
            yield from key_causes(source[key], place)
    if not chosen:
        listed = ", ".join(f"`{key}`" for key in SOURCES[:-1])
        yield invalid(path, "", f"must specify one of: {listed} or `{SOURCES[-1]}`")
    elif filled:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(chosen) > 1:
        yield invalid(path, "", _MANY)


def _field_cause(field: str, path: str, known: tuple[str, ...]) -> Iterator[Cause]:
    """Of the fields that exist some are not for this place; the rest are no fields."""
    if field in (*FIELDS, "metadata.labels", "metadata.annotations"):
        yield unsupported(f"{path}.fieldPath", field, known)
        return
    words = f"error converting fieldPath: field label not supported: {field}"
    yield invalid(f"{path}.fieldPath", field, words)


def _name_causes(reference: Source, path: str) -> Iterator[Cause]:
    name = reference.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    for fault in subdomain_faults(name) if name else ():
        yield invalid(f"{path}.name", name, fault)
