"""Limit ranges at the door: defaults for pods, and refusals of pods and claims.

Source: kubernetes.io, "Limit Ranges".
"""

from typing import Any

from cluster.objects.resources import LIMIT_RANGES, PODS, VOLUME_CLAIMS, Resource
from control.apiserver import statuses
from control.resources.limit_range import limit_faults, with_limits
from control.store.store import Store

RANGES = LIMIT_RANGES.group, LIMIT_RANGES.plural
LIMITED = (PODS, VOLUME_CLAIMS)


def limited(store: Store, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
    """The new object with its namespace's defaults; ApiError 403 for what is outside of a range."""
    if resource not in LIMITED:
        return document
    held = store.list(RANGES, document["metadata"].get("namespace") or "")
    ranges = [each.document for each in held]
    if not ranges:
        return document
    made = with_limits(document, ranges) if resource == PODS else document
    faults = limit_faults(resource.kind, made, ranges)
    if faults:
        why = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        raise statuses.forbidden(resource, str(made["metadata"].get("name", "")), why)
    return made
