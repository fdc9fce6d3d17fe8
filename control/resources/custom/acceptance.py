"""Which names a definition gets, and the conditions that say so.

Pure: a definition and the others of its group in, its status out. Names that another definition, or
a built-in kind, has are not given twice; what is served once stays served under its names.
Source: k8s.io/apiextensions-apiserver/pkg/controller/status and establish.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]
Given = Mapping[str, Any]

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
APPROVED = "api-approved.kubernetes.io"


def accepted(definition: Given, others: Iterable[Given], now: str) -> Document:
    """The status of a definition beside the others that are there."""
    status = dict(definition.get("status") or {})
    wanted = (definition.get("spec") or {}).get("names") or {}
    held = status.get("acceptedNames") or {}
    resources, kinds = _taken(definition, others)
    names, conflict = _granted(wanted, held, resources, kinds)
    conditions = list(status.get("conditions") or ())
    if conflict is None:
        _set(conditions, now, "NamesAccepted", True, "NoConflicts", "no conflicts found")
        words = "the initial names have been accepted"
        if not _true(conditions, "Established"):
            _set(conditions, now, "Established", True, "InitialNamesAccepted", words)
    else:
        _set(conditions, now, "NamesAccepted", False, *conflict)
        if not _true(conditions, "Established"):
            words = "not all names are accepted"
            _set(conditions, now, "Established", False, "NotAccepted", words)
    return {
        **status,
        "acceptedNames": names,
        "conditions": conditions,
        "storedVersions": stored_versions(definition),
    }


def stored_versions(definition: Given) -> list[str]:
    """Every version that objects may be stored in: those before, and the present one."""
    versions = (definition.get("spec") or {}).get("versions") or ()
    before = list((definition.get("status") or {}).get("storedVersions") or ())
    now = [each["name"] for each in versions if each.get("storage") and each["name"] not in before]
    return [*before, *now]


def going(definition: Given, now: str) -> Document:
    """A definition whose deletion is asked for: held until its objects are gone."""
    metadata = dict(definition["metadata"])
    if "deletionTimestamp" in metadata:
        return dict(definition)
    finalizers = list(metadata.get("finalizers") or ())
    if FINALIZER not in finalizers:
        metadata["finalizers"] = [*finalizers, FINALIZER]
    words = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    return {
        **definition,
        "metadata": metadata,
        "status": terminating(definition, now, True, "InstanceDeletionPending", words),
    }


def terminating(definition: Given, now: str, true: bool, reason: str, message: str) -> Document:
    """The status with the condition that tells how far a deletion is."""
    status = dict(definition.get("status") or {})
    conditions = list(status.get("conditions") or ())
    _set(conditions, now, "Terminating", true, reason, message)
    return {**status, "conditions": conditions}


# -- inside


def _taken(definition: Given, others: Iterable[Given]) -> tuple[set[str], set[str]]:
    """The names of resources and of kinds that others of the group have."""
    name, group = definition["metadata"]["name"], definition["spec"]["group"]
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other["metadata"]["name"] == name or other["spec"]["group"] != group:
            continue
        names = (other.get("status") or {}).get("acceptedNames") or {}
        resources |= {names.get("plural", ""), names.get("singular", "")}
        resources |= set(names.get("shortNames") or ())
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return resources - {""}, kinds - {""}


def _granted(
    wanted: Given, held: Given, resources: set[str], kinds: set[str]
) -> tuple[Document, tuple[str, str] | None]:
    """The names given, and why not all are: each that is free, else the one there was before."""
    names: Document = {}
    conflict: tuple[str, str] | None = None
    short = wanted.get("shortNames") or ()
    if busy := [each for each in short if each in resources]:
        conflict = "ShortNamesConflict", ", ".join(f'"{each}" is already in use' for each in busy)
        short = held.get("shortNames") or ()
    for key, taken, reason in (
        ("plural", resources, "PluralConflict"),
        ("singular", resources, "SingularConflict"),
        ("kind", kinds, "KindConflict"),
        ("listKind", kinds, "ListKindConflict"),
    ):
        if wanted.get(key) in taken:
            conflict = reason, f'"{wanted[key]}" is already in use'
            names |= {key: held.get(key, "")} if key in ("plural", "kind") or key in held else {}
        else:
            names[key] = wanted.get(key, "")
    names |= {"shortNames": list(short)} if short else {}
    categories = wanted.get("categories") or ()
    return names | ({"categories": list(categories)} if categories else {}), conflict


def _true(conditions: list[Any], type_: str) -> bool:
    return any(each["type"] == type_ and each["status"] == "True" for each in conditions)


def _set(
    conditions: list[Any], now: str, type_: str, true: bool, reason: str, message: str
) -> None:
    """One condition as it is now; its date moves only with its status."""
    status = "True" if true else "False"
    made = {
        "lastTransitionTime": now,
        "message": message,
        "reason": reason,
        "status": status,
        "type": type_,
    }
    for index, each in enumerate(conditions):
        if each.get("type") == type_:
            since = each.get("lastTransitionTime", now) if each.get("status") == status else now
            conditions[index] = {**made, "lastTransitionTime": since}
            return
    conditions.append(made)
