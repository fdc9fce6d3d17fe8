"""Who manages what of one object: `metadata.managedFields` as values.

Pure. Whoever applies has one entry; whoever updates has one for each apiVersion. Time changes only
when the set of fields does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cluster.dataclass import dataclass
from control.resources.apply.field_set import FieldSet, difference, member, union, without_fields

APPLY, UPDATE = "Apply", "Update"
FIELDS_V1 = "FieldsV1"
UPDATERS_MAX = 10  # older entries become one, as upstream
ANCIENT = "ancient-changes"
NAME_LENGTH_MAX = 128

# Nobody manages what the server alone writes.
METADATA, STATUS = "f:metadata", "f:status"
OWNED_BY_SERVER = frozenset(("f:apiVersion", "f:kind"))
OWNED_METADATA = frozenset(
    f"f:{name}"
    for name in (
        "name",
        "namespace",
        "uid",
        "selfLink",
        "generation",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
    )
)


@dataclass(frozen=True, slots=True)
class Manager:
    """One who manages fields, and the fields."""

    name: str
    operation: str
    api_version: str
    fields: FieldSet | None
    time: str = ""
    subresource: str = ""

    def is_same(self, other: "Manager") -> bool:
        """Whether it is the same entry, whatever its fields are now."""
        ours = self.name, self.operation, self.subresource
        theirs = other.name, other.operation, other.subresource
        versions = self.operation == APPLY or self.api_version == other.api_version
        return ours == theirs and versions


Managers = tuple[Manager, ...]


def read_managers(entries: Any) -> Managers | None:
    """The managers of an object; None where the entries are none."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return None
    found = [_read(each) for each in entries]
    return None if None in found else tuple(each for each in found if each is not None)


def stored_managers(entries: Sequence[Mapping[str, Any]]) -> Managers:
    """The managers of a stored object, whose entries were `written` here."""
    return tuple(_manager(each) for each in entries)


def _read(entry: Any) -> Manager | None:
    if not isinstance(entry, Mapping) or entry.get("fieldsType", FIELDS_V1) != FIELDS_V1:
        return None
    fields = entry.get("fieldsV1", {})
    texts = ("manager", "operation", "apiVersion", "time", "subresource")
    if not well_formed(fields) or not all(isinstance(entry.get(key, ""), str) for key in texts):
        return None
    if entry.get("operation") not in (APPLY, UPDATE) or not entry.get("apiVersion"):
        return None
    return _manager(entry)


def _manager(entry: Mapping[str, Any]) -> Manager:
    return Manager(
        entry.get("manager", ""),
        entry.get("operation", ""),
        entry.get("apiVersion", ""),
        entry.get("fieldsV1") or None,
        entry.get("time", ""),
        entry.get("subresource", ""),
    )


def well_formed(fields: Any, depth: int = 0) -> bool:
    """Whether it is a set of fields in form."""
    if not isinstance(fields, dict) or depth > 100:
        return False
    return all(
        key == "." or (key[:2] in ("f:", "k:", "v:", "i:") and well_formed(inner, depth + 1))
        for key, inner in fields.items()
    )


def written(managers: Iterable[Manager]) -> list[dict[str, Any]]:
    """As an object carries them: who applies first, then by time."""
    kept = [each for each in managers if each.fields is not None]
    ordered = sorted(kept, key=lambda each: (each.operation != APPLY, each.time, each.name))
    return [_entry(each) for each in ordered]


def _entry(manager: Manager) -> dict[str, Any]:
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": FIELDS_V1,
        "fieldsV1": manager.fields,
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return {key: value for key, value in entry.items() if value != ""}


def managed(
    fields: FieldSet | None, *, subresource: str = "", status_apart: bool
) -> FieldSet | None:
    """Without what the server owns, and what this endpoint does not write."""
    if fields is None or (member(fields) and len(fields) <= 1):
        return None
    if subresource == "status":
        status = fields.get(STATUS)
        return None if status is None else {STATUS: status}
    apart = {*OWNED_BY_SERVER, STATUS} if status_apart else OWNED_BY_SERVER
    inside = {**fields}
    if METADATA in fields and not OWNED_METADATA.isdisjoint(fields[METADATA]):
        left = without_fields(fields[METADATA], OWNED_METADATA)
        if left is None:
            apart = {*apart, METADATA}
        else:
            inside[METADATA] = left
    return without_fields(inside, apart)


def taken(managers: Managers, fields: FieldSet | None, keeper: Manager | None = None) -> Managers:
    """Everybody but the keeper without these fields."""
    if fields is None:
        return managers
    return tuple(
        each
        if keeper is not None and each.is_same(keeper)
        else replace(each, fields=difference(each.fields, fields))
        for each in managers
    )


def with_entry(managers: Managers, entry: Manager) -> Managers:
    """With this entry in the place of the one before; an unchanged set keeps its time."""
    before = next((each for each in managers if each.is_same(entry)), None)
    if before is not None and before.fields == entry.fields:
        entry = replace(entry, time=before.time)
    others = tuple(each for each in managers if not each.is_same(entry))
    return bounded((*others, entry))


def bounded(managers: Managers) -> Managers:
    """At most so many updaters: the oldest become one."""
    updaters = [each for each in managers if each.operation == UPDATE and each.fields is not None]
    if len(updaters) <= UPDATERS_MAX:
        return managers
    updaters.sort(key=lambda each: (each.name != ANCIENT, each.time))
    old = updaters[: len(updaters) - UPDATERS_MAX + 1]
    fields: FieldSet | None = None
    for each in old:
        fields = union(fields, each.fields)
    ancient = Manager(ANCIENT, UPDATE, old[-1].api_version, fields, old[-1].time)
    return (*(each for each in managers if each not in old), ancient)
