"""Where containers see volumes: mounts and devices that are refused; paths inside volumes.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation, ValidateVolumeMounts,
ValidateVolumeDevices.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    not_found,
    required,
    unsupported,
)

Container = Mapping[str, Any]
PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def mount_causes(container: Container, path: str, volumes: Collection[str]) -> Iterator[Cause]:
    """What is wrong with `volumeMounts`."""
    places: set[str] = set()
    devices = {each.get("name") for each in container.get("volumeDevices") or ()}
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place = f"{path}.volumeMounts[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{place}.name")
        if name not in volumes:
            yield not_found(f"{place}.name", name)
        if not target:
            yield required(f"{place}.mountPath")
        if target in places:
            yield invalid(f"{place}.mountPath", target, "must be unique")
        places.add(target)
        if name and name in devices:
            yield invalid(f"{place}.name", name, "must not already exist in volumeDevices")
        yield from _sub_path_causes(mount, place, f"{path}.volumeMounts")
        yield from _mode_causes(mount, container, f"{path}.volumeMounts")


def device_causes(container: Container, path: str, volumes: Collection[str]) -> Iterator[Cause]:
    """What is wrong with `volumeDevices`."""
    names: set[str] = set()
    places: set[str] = set()
    for index, device in enumerate(container.get("volumeDevices") or ()):
        place = f"{path}.volumeDevices[{index}]"
        name, target = device.get("name") or "", device.get("devicePath") or ""
        if not name:
            yield required(f"{place}.name")
        if name in names:
            yield invalid(f"{place}.name", name, "must be unique")
        if name not in volumes:
            yield not_found(f"{place}.name", name)
        if not target:
            yield required(f"{place}.devicePath")
        if target in places:
            yield invalid(f"{place}.devicePath", target, "must be unique")
        if ".." in target.split("/"):
            yield invalid(f"{place}.devicePath", target, "can not contain backsteps ('..')")
        names.add(name)
        places.add(target)


def descending_causes(value: str, path: str) -> Iterator[Cause]:
    """A path that stays below where it starts."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from backstep_causes(value, path)


def backstep_causes(value: str, path: str) -> Iterator[Cause]:
    """A path that nowhere leads up."""
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def file_causes(value: str, path: str) -> Iterator[Cause]:
    """A file in a volume, whose names in `..` are the node's own."""
    yield from descending_causes(value, path)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")


def _sub_path_causes(mount: Mapping[str, Any], place: str, path: str) -> Iterator[Cause]:
    """Paths inside the volume; where they lead is said of the list, as upstream does."""
    fixed, expanded = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if fixed:
        yield from descending_causes(fixed, f"{path}.subPath")
    if expanded and fixed:
        words = "subPathExpr and subPath are mutually exclusive"
        yield invalid(f"{place}.subPathExpr", expanded, words)
    if expanded:
        yield from descending_causes(expanded, f"{path}.subPathExpr")


def _mode_causes(mount: Mapping[str, Any], container: Container, path: str) -> Iterator[Cause]:
    propagation, recursion = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    if propagation is not None and propagation not in PROPAGATIONS:
        yield unsupported(f"{path}.mountPropagation", propagation, PROPAGATIONS)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if propagation == "Bidirectional" and not privileged:
        words = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(f"{path}.mountPropagation", words)
    if recursion is not None and recursion not in RECURSIONS:
        yield unsupported(f"{path}.recursiveReadOnly", recursion, RECURSIONS)
    elif recursion not in (None, "Disabled") and not mount.get("readOnly"):
        yield forbidden(f"{path}.recursiveReadOnly", "may only be specified when readOnly is true")
