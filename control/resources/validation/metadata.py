"""An object's metadata: name, labels, annotations, owners, finalizers.

Pure: documents in, causes out. Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.names import (
    label_value_faults,
    qualified_faults,
)
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    required,
    too_long,
    unchanged,
)

ANNOTATIONS_BYTES_MAX = 256 << 10
IMMUTABLE_FIELDS = ("name", "namespace", "uid", "creationTimestamp")


def metadata_causes(
    metadata: Mapping[str, Any], name_faults: Callable[[str], list[str]]
) -> Iterator[Cause]:
    """What is wrong with a new object's metadata."""
    name, prefix = metadata.get("name") or "", metadata.get("generateName") or ""
    if not name and not prefix:
        yield required("metadata.name", "name or generateName is required")
    if prefix:
        # The prefix may end in what a name may not: a letter stands for the suffix.
        for fault in name_faults(prefix.rstrip("-.") + "a"):
            yield invalid("metadata.generateName", prefix, fault)
    if name:
        for fault in name_faults(name):
            yield invalid("metadata.name", name, fault)
    yield from _shared_causes(metadata)


def metadata_update_causes(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with an old object's new metadata."""
    for key in IMMUTABLE_FIELDS:
        yield from unchanged(f"metadata.{key}", new.get(key), old.get(key))
    if "deletionTimestamp" in old:
        held = old.get("finalizers") or ()
        added = [each for each in new.get("finalizers") or () if each not in held]
        if added:
            words = "no new finalizers can be added if the object is being deleted, "
            words += "found new finalizers " + go_strings(added)
            yield forbidden("metadata.finalizers", words)
    yield from _shared_causes(new)


def go_strings(texts: Iterable[str]) -> str:
    """Strings as upstream's `%#v` shows them."""
    return f"[]string{{{', '.join(json.dumps(each) for each in sorted(texts))}}}"


def label_causes(labels: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with labels, wherever they stand."""
    for key, value in labels.items():
        for fault in qualified_faults(key):
            yield invalid(path, key, fault)
        for fault in label_value_faults(value):
            yield invalid(path, value, fault)


def annotation_causes(annotations: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with annotations, wherever they stand."""
    for key in annotations:
        for fault in qualified_faults(key.lower()):
            yield invalid(path, key, fault)
    size = sum(len(f"{key}{value}".encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_BYTES_MAX:
        yield too_long(path, ANNOTATIONS_BYTES_MAX)


def _shared_causes(metadata: Mapping[str, Any]) -> Iterator[Cause]:
    yield from label_causes(metadata.get("labels") or {}, "metadata.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, "metadata.annotations")
    yield from _owner_causes(metadata.get("ownerReferences") or ())
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        for fault in qualified_faults(finalizer):
            yield invalid(f"metadata.finalizers[{index}]", finalizer, fault)


def _owner_causes(owners: Iterable[Mapping[str, Any]]) -> Iterator[Cause]:
    controller: Mapping[str, Any] | None = None
    for index, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{index}]"
        if not owner.get("apiVersion"):
            yield invalid(f"{path}.apiVersion", "", "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                yield invalid(f"{path}.{key}", "", "must not be empty")
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            words = "/v1, Kind=Event is disallowed from being an owner"
            yield invalid(path, owner, words)
        if owner.get("controller") and controller is not None:
            words = 'Only one reference can have Controller set to true. Found "true" in '
            words += f"references for {_owner(controller)} and {_owner(owner)}"
            yield invalid("metadata.ownerReferences", list(owners), words)
        if owner.get("controller"):
            controller = owner


def _owner(reference: Mapping[str, Any]) -> str:
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"
