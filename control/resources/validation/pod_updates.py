"""What may change in a pod that exists: little, for it runs already.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation, ValidatePodUpdate.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import forbidden, invalid

Spec = Mapping[str, Any]
_WORDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
    "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)"
)
_CONTAINERS = ("containers", "initContainers")


def pod_update_causes(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    """What must stay as it is."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    for key in _CONTAINERS:
        if len(spec.get(key) or ()) != len(before.get(key) or ()):
            yield forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
    yield from _deadline_causes(spec, before)
    kept = before.get("tolerations") or []
    if any(_unlimited(each) not in map(_unlimited, spec.get("tolerations") or ()) for each in kept):
        words = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", words)
    changed = sorted(_changed(_comparable(spec), _comparable(before)))
    if changed:
        yield forbidden("spec", f"{_WORDS}\nchanged: {', '.join(changed)}")


def _deadline_causes(spec: Spec, before: Spec) -> Iterator[Cause]:
    path, held = "spec.activeDeadlineSeconds", before.get("activeDeadlineSeconds")
    if held is None:
        return
    wanted = spec.get("activeDeadlineSeconds")
    if wanted is None:
        yield invalid(path, None, "must not update from a positive integer to nil value")
    elif wanted > held:
        yield invalid(path, wanted, "must be less than or equal to previous value")


def _unlimited(toleration: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _comparable(spec: Spec) -> dict[str, Any]:
    """The spec without what may change."""
    free = ("activeDeadlineSeconds", "tolerations", "schedulingGates")
    kept = {key: value for key, value in spec.items() if key not in free and value not in ([], {})}
    for key in _CONTAINERS:
        if key in kept:
            kept[key] = [
                {name: value for name, value in each.items() if name != "image"}
                for each in kept[key]
            ]
    if (kept.get("terminationGracePeriodSeconds") or 0) < 0:
        kept["terminationGracePeriodSeconds"] = 1
    return kept


def _changed(new: dict[str, Any], old: dict[str, Any]) -> Iterator[str]:
    for key in new.keys() | old.keys():
        if new.get(key) == old.get(key):
            continue
        if key not in _CONTAINERS:
            yield f"spec.{key}"
            continue
        for index, (one, other) in enumerate(zip(new[key], old[key], strict=True)):
            for name in one.keys() | other.keys():
                if one.get(name) != other.get(name):
                    yield f"spec.{key}[{index}].{name}"
