"""Status conditions: read one, set one, keep the time of its last change.

Pure: no I/O; the time is passed in.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.client.interface import Document

Condition = Mapping[str, Any]


def condition_of(document: Document, kind: str) -> Condition | None:
    """The condition of this type, or None."""
    conditions = (document.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), None)


def status_is(document: Document, kind: str, status: str = "True") -> bool:
    """Whether a condition has this status; a missing one has none."""
    condition = condition_of(document, kind)
    return condition is not None and condition.get("status") == status


def with_condition(
    conditions: Iterable[Condition], new: Condition, *, when: str
) -> list[Condition]:
    """The list with one condition set in its place; an unchanged status keeps its time."""
    result: list[Condition] = []
    placed = False
    for held in conditions:
        if held.get("type") != new["type"]:
            result.append(held)
            continue
        same = held.get("status") == new["status"]
        since = (same and held.get("lastTransitionTime")) or when
        result.append({**held, **new, "lastTransitionTime": since})
        placed = True
    return result if placed else [*result, {**new, "lastTransitionTime": when}]
