"""The rows of a HorizontalPodAutoscaler, which tells what it measures and wants, and of a Scale.

Pure: documents in, text out. Source: Kubernetes API reference, autoscaling/v1 and v2.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from control.resources.columns.ages import UNKNOWN, age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, integer
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE, UNSET

METRICS_MAX = 2
RESOURCES = ("Resource", "ContainerResource")


def _autoscaler(autoscaler: Document, now: datetime) -> Row:
    spec, status = spec_of(autoscaler), status_of(autoscaler)
    target = part(spec, "scaleTargetRef")
    return [
        name_of(autoscaler),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        targets(autoscaler),
        str(spec.get("minReplicas", UNSET)),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(autoscaler, now),
    ]


def targets(autoscaler: Document) -> str:
    """`cpu: 12%/80%, 3/10 (avg) + 1 more...`."""
    wanted = items(spec_of(autoscaler), "metrics")
    found = items(status_of(autoscaler), "currentMetrics")
    told = [
        _metric(each, found[index] if index < len(found) else {})
        for index, each in enumerate(wanted)
    ]
    if not told:
        return NONE
    more = len(told) - METRICS_MAX
    first = ", ".join(told[:METRICS_MAX])
    return f"{first} + {more} more..." if more > 0 else first


def _metric(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    type = str(wanted.get("type", ""))
    key = type[:1].lower() + type[1:]
    source = part(wanted, key)
    target, current = part(source, "target"), part(found, key, "current")
    if type in RESOURCES:
        return f"{source.get('name')}: {_resource(target, current)}"
    if type not in ("External", "Pods", "Object"):
        return "<unknown type>"
    average = "averageValue" in target
    field = "averageValue" if average else "value"
    shown = f"{current.get(field, UNKNOWN)}/{target.get(field, UNKNOWN)}"
    return f"{shown} (avg)" if average and type != "Pods" else shown


def _resource(target: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    if "averageValue" in target:
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
    used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    told = UNKNOWN if used is None else f"{used}%"
    return f"{told}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _scale(scale: Document, now: datetime) -> Row:
    wanted, found = spec_of(scale).get("replicas", 0), status_of(scale).get("replicas", 0)
    return [name_of(scale), wanted, found, age(scale, now)]


SCALES = Printer(
    (
        NAME,
        integer("Desired", "How many replicas are wanted."),
        integer("Available", "How many replicas there are."),
        AGE,
    ),
    _scale,
)
HORIZONTAL_POD_AUTOSCALERS = Printer(
    (
        NAME,
        Column("Reference", "What it scales."),
        Column("Targets", "What is measured, against what is wanted."),
        Column("MinPods", "The fewest replicas."),
        Column("MaxPods", "The most replicas."),
        Column("Replicas", "How many replicas there are."),
        AGE,
    ),
    _autoscaler,
)
