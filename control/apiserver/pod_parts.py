"""Writes to parts of a pod that have a subresource of their own: what they may change.

    ephemeralcontainers   adds containers to a pod that runs; none is changed or taken away
    resize                containers' resources (stored: nothing here measures them)

Pure: a change of the whole pod in, one of the part alone out; ApiError 422 for what is refused.
Source: Kubernetes' pkg/apis/core/validation, ValidatePodEphemeralContainersUpdate and
ValidatePodResize.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS
from control.apiserver import statuses
from control.resources.causes import Cause
from control.resources.validation.containers import container_causes
from control.resources.validation.refusals import duplicate, forbidden, not_found

Change = Callable[[Document], Document]
Container = Mapping[str, Any]

EPHEMERAL = "ephemeralContainers"
PATH = f"spec.{EPHEMERAL}"
GROUPS = ("initContainers", "containers")
# What a container that comes and goes cannot have.
REFUSED = (
    "ports",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "resources",
    "resizePolicy",
    "restartPolicy",
)


def ephemeral_only(change: Change) -> Change:
    """The change's ephemeral containers, and nothing else of it."""

    def changed(old: Document) -> dict[str, Any]:
        new = change(old)
        _check_version(new, old)
        wanted = _list(new.get("spec"), EPHEMERAL)
        causes = list(_causes(wanted, old))
        if causes:
            raise statuses.invalid(PODS, old["metadata"]["name"], causes)
        spec = {**old["spec"], **({EPHEMERAL: wanted} if wanted else {})}
        return {**old, "spec": spec}

    return changed


def resources_only(change: Change) -> Change:
    """The change's resources of the containers that there are, and nothing else of it."""

    def changed(old: Document) -> dict[str, Any]:
        new = change(old)
        _check_version(new, old)
        spec = dict(old["spec"])
        for group in GROUPS:
            given = {each.get("name"): each for each in _list(new.get("spec"), group)}
            if group in spec:
                spec[group] = [
                    _resized(each, given.get(each["name"], each)) for each in spec[group]
                ]
        causes = list(_container_causes(spec))
        if causes:
            raise statuses.invalid(PODS, old["metadata"]["name"], causes)
        return {**old, "spec": spec}

    return changed


POD_PARTS: Mapping[str | None, Callable[[Change], Change]] = {
    "ephemeralcontainers": ephemeral_only,
    "resize": resources_only,
}


def _list(spec: object, key: str) -> list[dict[str, Any]]:
    """A list of containers; what is none is refused with words for people, not a fault of ours."""
    held = spec.get(key) if isinstance(spec, Mapping) else None
    if held is None:
        return []
    if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
        raise statuses.bad_request(f"spec.{key} is not a list of containers")
    return held


def _check_version(new: Document, old: Document) -> None:
    """Before anything else: of an old pod, everything that is new seems to be missing."""
    version = (new.get("metadata") or {}).get("resourceVersion")
    if version and version != old["metadata"]["resourceVersion"]:
        raise statuses.modified(PODS, old["metadata"]["name"])


def _causes(wanted: list[dict[str, Any]], old: Document) -> Iterator[Cause]:
    spec = old["spec"]
    others = {each["name"] for group in GROUPS for each in spec.get(group) or ()}
    before = {each["name"]: each for each in spec.get(EPHEMERAL) or ()}
    volumes = [str(each.get("name")) for each in spec.get("volumes") or ()]
    names: set[str] = set()
    for index, container in enumerate(wanted):
        place, name = f"{PATH}[{index}]", str(container.get("name") or "")
        yield from _one(container, place, volumes, others)
        if name and name in names | others:
            yield duplicate(f"{place}.name", name)
        names.add(name)
        if name in before and not _same(container, before[name]):
            yield forbidden(PATH, f'existing ephemeral containers "{name}" may not be changed')
    for name in before:
        if name not in names:
            yield forbidden(PATH, f'existing ephemeral containers "{name}" may not be removed')


def _one(container: Container, place: str, volumes: list[str], others: set[str]) -> Iterator[Cause]:
    refused = [key for key in REFUSED if container.get(key)]
    for key in refused:
        yield forbidden(f"{place}.{key}", "cannot be set for an Ephemeral Container")
    allowed = {key: value for key, value in container.items() if key not in REFUSED}
    yield from container_causes(allowed, place, volumes, host_network=False)
    target = container.get("targetContainerName")
    if target and target not in others:
        yield not_found(f"{place}.targetContainerName", target)


def _same(new: Container, old: Container) -> bool:
    """Whether all that is said of a container is as it was; defaults need not be said again."""
    return all(old.get(key) == value for key, value in new.items() if value not in (None, {}, []))


def _resized(container: Container, given: Container) -> dict[str, Any]:
    named = {key: given[key] for key in ("resources", "resizePolicy") if given.get(key) is not None}
    return {**container, **named}


def _container_causes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    volumes = [str(each.get("name")) for each in spec.get("volumes") or ()]
    host = bool(spec.get("hostNetwork"))
    for group in GROUPS:
        for index, each in enumerate(spec.get(group) or ()):
            yield from container_causes(each, f"spec.{group}[{index}]", volumes, host_network=host)
