"""A HorizontalPodAutoscaler of autoscaling/v1, which knows the CPU alone, and of autoscaling/v2.

What v1 has no field for it keeps in annotations, as v2 spells it; so nothing is lost to a client
that reads and writes v1.

Pure: documents in, documents out. Source: Kubernetes' pkg/apis/autoscaling/v1/conversion.go, whose
annotations have the shapes of versions that are gone.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from control.resources.conversion.conversion import Conversion, Document

PREFIX = "autoscaling.alpha.kubernetes.io/"
# annotation -> where v2 has it
KEPT = {
    f"{PREFIX}metrics": ("spec", "metrics"),
    f"{PREFIX}behavior": ("spec", "behavior"),
    f"{PREFIX}conditions": ("status", "conditions"),
    f"{PREFIX}current-metrics": ("status", "currentMetrics"),
}
TARGET, CURRENT = "targetCPUUtilizationPercentage", "currentCPUUtilizationPercentage"

Made = dict[str, Any]


def _to_v2(given: Document) -> Made:
    made = _copy(given)
    for name, (place, key) in KEPT.items():
        text = _annotations(made).pop(name, None)
        value = _read(text)
        if value is not None:
            made.setdefault(place, {})[key] = value
    _unfold(made.get("spec"), TARGET, "metrics", "target")
    _unfold(made.get("status"), CURRENT, "currentMetrics", "current")
    return _tidied({**made, "apiVersion": "autoscaling/v2"})


def _from_v2(stored: Document) -> Made:
    made = _copy(stored)
    _fold(made.get("spec"), TARGET, "metrics", "target")
    _fold(made.get("status"), CURRENT, "currentMetrics", "current")
    for name, (place, key) in KEPT.items():
        value = (made.get(place) or {}).pop(key, None)
        if value:
            _annotations(made)[name] = orjson.dumps(value).decode()
    return _tidied({**made, "apiVersion": "autoscaling/v1"})


def _unfold(part: Made | None, field: str, key: str, inner: str) -> None:
    """The percentage as a metric, the first one."""
    if part is None or field not in part:
        return
    percentage = {"averageUtilization": part.pop(field)}
    if inner == "target":
        percentage = {"type": "Utilization", **percentage}
    metric = {"type": "Resource", "resource": {"name": "cpu", inner: percentage}}
    part[key] = [metric, *(part.get(key) or ())]


def _fold(part: Made | None, field: str, key: str, inner: str) -> None:
    """The first metric as the percentage, if that is all that it says."""
    metrics = list((part or {}).get(key) or ())
    if part is None or not metrics or metrics[0].get("type") != "Resource":
        return
    resource = metrics[0].get("resource") or {}
    told = dict(resource.get(inner) or {})
    told.pop("type", None)
    if resource.get("name") == "cpu" and set(told) == {"averageUtilization"}:
        part[field] = told["averageUtilization"]
        part[key] = metrics[1:]


def _copy(document: Document) -> Made:
    """A document whose parts may be changed."""
    parts = {
        key: dict(document[key])
        for key in ("metadata", "spec", "status")
        if isinstance(document.get(key), Mapping)
    }
    if "metadata" in parts:
        parts["metadata"]["annotations"] = dict(parts["metadata"].get("annotations") or {})
    return {**document, **parts}


def _annotations(made: Made) -> Made:
    metadata: Made = made.setdefault("metadata", {})
    annotations: Made = metadata.setdefault("annotations", {})
    return annotations


def _read(text: Any) -> Any:
    """What an annotation keeps; one that somebody broke keeps nothing."""
    try:
        value = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, (list, dict)) else None


def _tidied(made: Made) -> Made:
    if not _annotations(made):
        del made["metadata"]["annotations"]
    return made


AUTOSCALERS = Conversion(to_stored=_to_v2, from_stored=_from_v2)
