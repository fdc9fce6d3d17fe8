"""Volumes of pods: names, and the one source that each has; what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation, ValidateVolumes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import nanos_of
from control.resources.validation.claims import claim_spec_causes
from control.resources.validation.environment import amount_causes, field_causes
from control.resources.validation.mounts import backstep_causes, descending_causes, file_causes
from control.resources.validation.names import label_faults, subdomain_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)

Source = Mapping[str, Any]
MODE_MAX = 0o777
TOKEN_SECONDS_MIN, TOKEN_SECONDS_MAX = 600, 1 << 32
HOST_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace")
POD_FIELDS = (*FIELDS, "metadata.uid")
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_ONE = "may not specify more than 1 volume type"


def volume_causes(volumes: Iterable[Source], path: str) -> Iterator[Cause]:
    """What is wrong with a pod's volumes."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        place, name = f"{path}[{index}]", volume.get("name") or ""
        sources = [key for key in volume if key != "name"]
        if not sources:
            yield required(place, "must specify a volume type")
        for source in sources[1:]:
            yield forbidden(f"{place}.{source}", _ONE)
        for source in sources[:1]:
            check = _CHECKS.get(source)
            if check is not None:
                yield from check(volume[source], f"{place}.{source}")
        if not name:
            yield required(f"{place}.name")
        for fault in label_faults(name) if name else ():
            yield invalid(f"{place}.name", name, fault)
        if name and name in seen:
            yield duplicate(f"{place}.name", name)
        seen.add(name)


def _empty_dir(source: Source, path: str) -> Iterator[Cause]:
    if nanos_of(str(source.get("sizeLimit") or "0")) < 0:
        words = "SizeLimit field must be a valid resource quantity"
        yield forbidden(f"{path}.sizeLimit", words)


def _host_path(source: Source, path: str) -> Iterator[Cause]:
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from backstep_causes(source["path"], f"{path}.path")
    if (source.get("type") or "") not in HOST_TYPES:
        yield unsupported(f"{path}.type", source["type"], HOST_TYPES)


def _secret(source: Source, path: str) -> Iterator[Cause]:
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _files(source, path)


def _config_map(source: Source, path: str) -> Iterator[Cause]:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _files(source, path)


def _claim(source: Source, path: str) -> Iterator[Cause]:
    name = source.get("claimName") or ""
    if not name:
        yield required(f"{path}.claimName")
    for fault in subdomain_faults(name) if name else ():
        yield invalid(f"{path}.claimName", name, fault)


def _ephemeral(source: Source, path: str) -> Iterator[Cause]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
        return
    spec = template.get("spec") or {}
    yield from claim_spec_causes(spec, f"{path}.volumeClaimTemplate.spec")


def _downward(source: Source, path: str) -> Iterator[Cause]:
    yield from _mode_causes(source.get("defaultMode"), f"{path}.defaultMode")
    yield from _downward_items(source, path)


def _nfs(source: Source, path: str) -> Iterator[Cause]:
    for key in ("server", "path"):
        if not source.get(key):
            yield required(f"{path}.{key}")
    if not (source.get("path") or "").startswith("/"):
        yield invalid(f"{path}.path", source.get("path") or "", "must be an absolute path")


def _projected(source: Source, path: str) -> Iterator[Cause]:
    """Several sources in one directory, no two of which have one file."""
    yield from _mode_causes(source.get("defaultMode"), f"{path}.defaultMode")
    places: set[str] = set()
    for index, each in enumerate(source.get("sources") or ()):
        place = f"{path}.sources[{index}]"
        kinds = [key for key in each if each[key] is not None]
        for key in kinds[1:]:
            yield forbidden(f"{place}.{key}", _ONE)
        for key in kinds[:1]:
            yield from _projected_one(key, each[key], f"{place}.{key}")
            for target in _targets(key, each[key]):
                if target in places:
                    words = "conflicting duplicate paths"
                    yield invalid(f"{place}.{key}", target, words)
                places.add(target)


def _projected_one(kind: str, source: Source, path: str) -> Iterator[Cause]:
    match kind:
        case "secret" | "configMap":
            if not source.get("name"):
                yield required(f"{path}.name")
            yield from _items(source, path)
        case "downwardAPI":
            yield from _downward_items(source, path)
        case "serviceAccountToken":
            seconds = source.get("expirationSeconds")
            if seconds is not None and seconds < TOKEN_SECONDS_MIN:
                words = "may not specify a duration less than 10 minutes"
                yield invalid(f"{path}.expirationSeconds", seconds, words)
            if seconds is not None and seconds > TOKEN_SECONDS_MAX:
                words = "may not specify a duration larger than 2^32 seconds"
                yield invalid(f"{path}.expirationSeconds", seconds, words)
            yield from _path_causes(source, path)


def _targets(kind: str, source: Source) -> Iterator[str]:
    items = [source] if kind == "serviceAccountToken" else source.get("items") or ()
    for item in items:
        if item.get("path"):
            yield item["path"]


def _files(source: Source, path: str) -> Iterator[Cause]:
    yield from _mode_causes(source.get("defaultMode"), f"{path}.defaultMode")
    yield from _items(source, path)


def _items(source: Source, path: str) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or ()):
        place = f"{path}.items[{index}]"
        if not item.get("key"):
            yield required(f"{place}.key")
        yield from _path_causes(item, place)
        yield from _mode_causes(item.get("mode"), f"{place}.mode")


def _downward_items(source: Source, path: str) -> Iterator[Cause]:
    """Told of the volume and not of the item, as upstream does."""
    for item in source.get("items") or ():
        yield from _path_causes(item, path)
        field, amount = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None:
            yield from field_causes(field, f"{path}.fieldRef", POD_FIELDS)
            if amount is not None:
                words = "fieldRef and resourceFieldRef can not be specified simultaneously"
                yield invalid(path, "resource", words)
        elif amount is not None:
            yield from amount_causes(amount, f"{path}.resourceFieldRef", volume=True)
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")
        yield from _mode_causes(item.get("mode"), f"{path}.mode")


def _path_causes(holder: Source, path: str) -> Iterator[Cause]:
    value = holder.get("path") or ""
    if not value:
        yield required(f"{path}.path")
    else:
        yield from file_causes(value, f"{path}.path")


def _mode_causes(mode: int | None, path: str) -> Iterator[Cause]:
    if mode is not None and not 0 <= mode <= MODE_MAX:
        yield invalid(path, mode, _MODE)


def _git(source: Source, path: str) -> Iterator[Cause]:
    if not source.get("repository"):
        yield required(f"{path}.repository")
    yield from descending_causes(source.get("directory") or "", f"{path}.directory")


def _csi(source: Source, path: str) -> Iterator[Cause]:
    if not source.get("driver"):
        yield required(f"{path}.driver")


_CHECKS: dict[str, Callable[[Source, str], Iterator[Cause]]] = {
    "configMap": _config_map,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "gitRepo": _git,
    "hostPath": _host_path,
    "nfs": _nfs,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}
