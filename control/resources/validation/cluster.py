"""Nodes, leases, roles, classes: what is refused.

Pure: documents in, causes out. Spec: P-19. Source: Kubernetes' pkg/apis/core/validation,
pkg/apis/coordination/validation, pkg/apis/rbac/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import cidr_faults
from control.resources.validation.metadata import label_causes
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    unchanged,
    unsupported,
)

Document = Mapping[str, Any]
PREEMPTIONS = ("PreemptLowerPriority", "Never")
SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
PRIORITY_MAX = 1_000_000_000  # of people's own classes
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def node_causes(node: Document) -> Iterator[Cause]:
    """What is wrong with a Node."""
    spec = node.get("spec") or {}
    for index, each in enumerate(spec.get("podCIDRs") or ()):
        for fault in cidr_faults(each):
            yield invalid(f"spec.podCIDRs[{index}]", each, fault)
    seen: set[tuple[Any, Any]] = set()
    for index, taint in enumerate(spec.get("taints") or ()):
        path = f"spec.taints[{index}]"
        key, effect = taint.get("key") or "", taint.get("effect") or ""
        yield from label_causes({key: taint.get("value") or ""}, f"{path}.key")
        if effect not in EFFECTS:
            yield unsupported(f"{path}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            yield duplicate(path, taint)
        seen.add((key, effect))


def node_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A node keeps its range of pod addresses (P-19)."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    held = before.get("podCIDRs") or []
    if held and (spec.get("podCIDRs") or []) != held:
        words = 'node updates may not change podCIDR except from "" to valid'
        yield forbidden("spec.podCIDRs", words)
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        words = 'node updates may not change providerID except from "" to valid'
        yield forbidden("spec.providerID", words)


def lease_causes(lease: Document) -> Iterator[Cause]:
    """What is wrong with a Lease."""
    spec = lease.get("spec") or {}
    seconds, moves = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if moves is not None and moves < 0:
        yield invalid("spec.leaseTransitions", moves, "must be greater than or equal to 0")


def binding_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A binding is to one role."""
    if new.get("roleRef") != old.get("roleRef"):
        yield invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


def revision_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A revision is what was."""
    yield from unchanged("data", new.get("data"), old.get("data"))


def priority_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a PriorityClass."""
    name, value = document["metadata"].get("name") or "", document.get("value") or 0
    if name.startswith("system-"):
        if SYSTEM_PRIORITIES.get(name) != value or document.get("globalDefault"):
            why = f"{name} is not a known system priority class"
            words = "priority class names with 'system-' prefix are reserved for system use only. "
            yield forbidden("metadata.name", f"{words}error: {why}")
    elif value > PRIORITY_MAX:
        words = f"maximum allowed value of a user defined priority is {PRIORITY_MAX}"
        yield forbidden("value", words)
    policy = document.get("preemptionPolicy")
    if policy not in (None, *PREEMPTIONS):
        yield unsupported("preemptionPolicy", policy, PREEMPTIONS)


def priority_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """Pods took the value when they were made."""
    if new.get("value") != old.get("value"):
        yield forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid("preemptionPolicy", new.get("preemptionPolicy"), "field is immutable")
