"""Which objects a selector selects.

Pure: no I/O. Spec: S-152; kubernetes.io, "Labels and Selectors".
"""

from collections.abc import Mapping
from typing import Any


def selects_exactly(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """A Service's selector: every pair must match, and none selects nothing (S-152)."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())  # type: ignore[union-attr]


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """A `metav1.LabelSelector`; None selects nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        meets(requirement, labels) for requirement in selector.get("matchExpressions") or ()
    )


def meets(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One requirement of a label selector or of a node selector term (Gt, Lt)."""
    key, values = requirement["key"], requirement.get("values") or ()
    held = labels.get(key)
    match requirement["operator"]:
        case "In":
            return held in values
        case "NotIn":
            return held not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "Gt":
            return _integer(held) is not None and int(held or 0) > int(next(iter(values)))
        case "Lt":
            return _integer(held) is not None and int(held or 0) < int(next(iter(values)))
    return False


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdecimal() else None
