"""LimitRange: what a container takes that does not say, and what is too much or too little.

Pure: documents in, documents and words out. Source: kubernetes.io, "Limit Ranges".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from control.resources.quantities import nanos_of

Document = Mapping[str, Any]
NOTE = "kubernetes.io/limit-ranger"


def with_limits(pod: dict[str, Any], ranges: Iterable[Document]) -> dict[str, Any]:
    """The pod with what its containers do not say themselves."""
    items = [item for each in ranges for item in _items(each, "Container")]
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for item in items:
        least, most = item.get("min") or {}, item.get("max") or {}
        given = {**most, **(item.get("default") or {})}
        limits |= given
        requests |= {**least, **given, **(item.get("defaultRequest") or {})}
    if not limits and not requests:
        return pod
    spec, told = dict(pod["spec"]), list[str]()
    for key in ("containers", "initContainers"):
        if spec.get(key):
            spec[key] = [_filled(each, limits, requests, told) for each in spec[key]]
    if not told:
        return {**pod, "spec": spec}
    notes = {**(pod["metadata"].get("annotations") or {})}
    notes[NOTE] = f"LimitRanger plugin set: {'; '.join(told)}"
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes}, "spec": spec}


def limit_faults(kind: str, document: Document, ranges: Iterable[Document]) -> list[str]:
    """What is too much or too little of a pod or a claim, in upstream's words."""
    spec = document.get("spec") or {}
    faults: list[str] = []
    for each in ranges:
        if kind == "PersistentVolumeClaim":
            asked = (spec.get("resources") or {}).get("requests") or {}
            for item in _items(each, kind):
                faults += _faults(item, kind, asked, asked)
            continue
        for container in spec.get("containers") or ():
            resources = container.get("resources") or {}
            for item in _items(each, "Container"):
                requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
                faults += _faults(item, "Container", requests, limits)
    return faults


def _items(each: Document, kind: str) -> list[Document]:
    limits = (each.get("spec") or {}).get("limits") or ()
    return [item for item in limits if item.get("type") == kind]


def _filled(
    container: Document, limits: Mapping[str, str], requests: Mapping[str, str], told: list[str]
) -> dict[str, Any]:
    """What is limited by itself is requested as much, before a default is looked for."""
    resources = dict(container.get("resources") or {})
    held_limits, held_requests = resources.get("limits") or {}, resources.get("requests") or {}
    own = {**held_limits, **held_requests}
    made = {
        "limits": {**limits, **held_limits},
        "requests": {**requests, **own},
    }
    for side, held in (("request", own), ("limit", held_limits)):
        added = sorted(made[f"{side}s"].keys() - held.keys())
        if added:
            told.append(f"{', '.join(added)} {side} for container {container['name']}")
    filled = {side: amounts for side, amounts in made.items() if amounts}
    return {**container, "resources": {**resources, **filled}}


def _faults(
    item: Document, kind: str, requests: Mapping[str, str], limits: Mapping[str, str]
) -> Iterator[str]:
    for name, least in (item.get("min") or {}).items():
        words = f"minimum {name} usage per {kind} is {least}"
        held = requests.get(name)
        if held is None:
            yield f"{words}.  No request is specified"
        elif nanos_of(held) < nanos_of(least):
            yield f"{words}, but request is {held}"
    for name, most in (item.get("max") or {}).items():
        words = f"maximum {name} usage per {kind} is {most}"
        held = limits.get(name)
        if held is None:
            yield f"{words}.  No limit is specified"
        elif nanos_of(held) > nanos_of(most):
            yield f"{words}, but limit is {held}"
