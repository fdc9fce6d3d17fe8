"""What containers ask for and may have at most: names and amounts that are refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation,
ValidateContainerResourceRequirements.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import nanos_of
from control.resources.validation.names import label_faults, qualified_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    not_found,
    required,
)

Amounts = Mapping[str, Any]
NOT_NEGATIVE = "must be greater than or equal to 0"
HUGE_PAGES = "hugepages-"
OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
_STORAGE = ("storage", "requests.storage")
_COUNTED = (
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
)
_LIMITED = tuple(f"{which}.{name}" for which in ("requests", "limits") for name in OF_CONTAINERS)
_STANDARD = frozenset((*OF_CONTAINERS, *_STORAGE, *_COUNTED, *_LIMITED))


def resource_causes(
    resources: Mapping[str, Any], path: str, claims: Collection[str] = ()
) -> Iterator[Cause]:
    """What is wrong with a container's `resources`."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    yield from _amount_causes(limits, f"{path}.limits")
    for name, amount in requests.items():
        yield from _one_cause(name, amount, f"{path}.requests[{name}]")
        yield from _limit_causes(name, amount, limits, path)
    named = (*limits, *requests)
    if any(map(_huge, named)) and not {"cpu", "memory"} & {*named}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _claim_causes(resources.get("claims") or (), f"{path}.claims", claims)


def _amount_causes(amounts: Amounts, path: str) -> Iterator[Cause]:
    for name, amount in amounts.items():
        yield from _one_cause(name, amount, f"{path}[{name}]")


def _one_cause(name: str, amount: Any, path: str) -> Iterator[Cause]:
    for fault in _name_faults(name):
        yield invalid(path, name, fault)
    nanos = nanos_of(str(amount))
    if nanos < 0:
        yield invalid(path, str(amount), NOT_NEGATIVE)
    if _extended(name) and nanos % 10**9:
        yield invalid(path, str(amount), "must be an integer")


def _name_faults(name: str) -> Iterator[str]:
    faults = qualified_faults(name)
    yield from faults
    if "/" not in name:
        if not faults and name not in _STANDARD and not _huge(name):
            yield "must be a standard resource type or fully qualified"
        if name not in OF_CONTAINERS and not _huge(name):
            yield "must be a standard resource for containers"
    elif not _native(name) and not _extended(name):
        yield "doesn't follow extended resource name standard"


def _limit_causes(name: str, amount: Any, limits: Amounts, path: str) -> Iterator[Cause]:
    """Requests within limits; what cannot be shared out twice has the two alike."""
    shared = _native(name) and not _huge(name)
    if name not in limits:
        if not shared:
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    asked, most = nanos_of(str(amount)), nanos_of(str(limits[name]))
    if asked > most and shared:
        words = f"must be less than or equal to {name} limit of {limits[name]}"
        yield invalid(f"{path}.requests", str(amount), words)
    if asked != most and not shared:
        words = f"must be equal to {name} limit of {limits[name]}"
        yield invalid(f"{path}.requests", str(amount), words)


def _claim_causes(
    wanted: Collection[Mapping[str, Any]], path: str, claims: Collection[str]
) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = set()
    for index, claim in enumerate(wanted):
        name, request = claim.get("name") or "", claim.get("request") or ""
        if not name:
            yield required(f"{path}[{index}].name")
            continue
        if (name, request) in seen:
            yield duplicate(f"{path}[{index}]", f"{name}/{request}" if request else name)
        seen.add((name, request))
        for fault in label_faults(request) if request else ():
            yield invalid(f"{path}[{index}].request", request, fault)
        if name not in claims:
            yield not_found(f"{path}[{index}]", name)


def _huge(name: str) -> bool:
    return name.startswith(HUGE_PAGES)


def _native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _extended(name: str) -> bool:
    """What a device plugin counts: somebody's name, and not one of Kubernetes' own."""
    if _native(name) or name.startswith("requests."):
        return False
    return not qualified_faults(f"requests.{name}")
