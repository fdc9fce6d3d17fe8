"""HorizontalPodAutoscalers: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/autoscaling/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import forbidden, invalid, required, unsupported

Document = Mapping[str, Any]
SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
TARGETS = ("AverageValue", "Utilization", "Value")
_BY_USE = ("ContainerResource", "Resource")


def autoscaler_causes(autoscaler: Document) -> Iterator[Cause]:
    """What is wrong with a HorizontalPodAutoscaler of autoscaling/v2."""
    spec = autoscaler.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        words = "must be greater than or equal to `minReplicas`"
        yield invalid("spec.maxReplicas", most, words)
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if not target.get(key):
            yield required(f"spec.scaleTargetRef.{key}")
    for index, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric_causes(metric, f"spec.metrics[{index}]")


def _metric_causes(metric: Document, path: str) -> Iterator[Cause]:
    type = metric.get("type") or ""
    if not type:
        yield required(f"{path}.type", "must specify a metric source type")
        return
    if type not in SOURCES:
        yield unsupported(f"{path}.type", type, SOURCES)
        return
    key = SOURCES[type]
    for other in SOURCES.values():
        if other != key and metric.get(other) is not None:
            words = "must populate the given metric source only"
            yield forbidden(f"{path}.{other}", words)
    if metric.get(key) is None:
        yield required(f"{path}.{key}", "must populate information for the given metric source")
        return
    yield from _target_causes(type, metric[key].get("target") or {}, f"{path}.{key}.target")


def _target_causes(type: str, target: Document, path: str) -> Iterator[Cause]:
    wanted = target.get("type") or ""
    if not wanted:
        yield required(f"{path}.type", "must specify a metric target type")
    elif wanted not in TARGETS:
        words = "must be either Utilization, Value, or AverageValue"
        yield invalid(f"{path}.type", wanted, words)
    use = target.get("averageUtilization")
    if use is not None and use < 1:
        yield invalid(f"{path}.averageUtilization", use, "must be greater than 0")
    if type in _BY_USE:
        if use is None and target.get("averageValue") is None:
            words = "must set either a target raw value or a target utilization"
            yield required(f"{path}.averageUtilization", words)
        elif use is not None and target.get("averageValue") is not None:
            words = "may not set both a target raw value and a target utilization"
            yield forbidden(f"{path}.averageValue", words)
