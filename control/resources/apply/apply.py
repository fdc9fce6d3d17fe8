"""Server-side apply of a configuration to an object that is there.

Pure: documents and managers in, a document and managers out, or the conflicts. In this order: the
configuration is laid over the object; what its manager wanted before and nobody wants now is taken
away; what that changes of others' fields are conflicts, or is taken from them.
"""

from typing import Any

from cluster.dataclass import dataclass
from control.resources.apply.compare import compare
from control.resources.apply.field_set import (
    SELF,
    FieldSet,
    difference,
    intersection,
    member,
    union,
    with_ancestors,
)
from control.resources.apply.managers import Manager, Managers, managed, taken, with_entry
from control.resources.apply.merge import merged, removed
from control.resources.schema import Node


@dataclass(frozen=True, slots=True)
class Applied:
    """The object as it will be, before defaults, and who manages what."""

    document: Any
    managers: Managers
    conflicts: tuple[tuple[Manager, FieldSet], ...] = ()


def apply(
    node: Node,
    live: Any,
    config: Any,
    managers: Managers,
    entry: Manager,
    *,
    force: bool,
    status_apart: bool,
) -> Applied:
    """What comes of applying; with conflicts nothing is to be written.

    `entry` is the manager with the fields of the configuration. Unmergeable where a list's items
    cannot be told apart.
    """
    others = tuple(each for each in managers if not each.is_same(entry))
    before = next((each.fields for each in managers if each.is_same(entry)), None)
    document = merged(node, live, config)
    document = removed(node, document, _unwanted(before, entry.fields, others))
    done = compare(node, live, document)
    endpoint = entry.subresource
    changed = managed(done.changed, subresource=endpoint, status_apart=status_apart)
    gone = managed(done.removed, subresource=endpoint, status_apart=status_apart)
    conflicts = tuple(
        (each, common)
        for each in others
        if (common := intersection(each.fields, changed)) is not None
    )
    if conflicts and not force:
        return Applied(document, managers, conflicts)
    left = taken(others, union(changed, gone))
    kept = before if before == entry.fields else None
    held = tuple(each for each in managers if each.is_same(entry)) if kept is not None else ()
    return Applied(document, with_entry((*left, *held), entry))


def _unwanted(before: FieldSet | None, now: FieldSet | None, others: Managers) -> FieldSet | None:
    """What this manager wanted before, and nobody does now."""
    if difference(before, now) is None:
        return None
    wanted = now
    for each in others:
        wanted = union(wanted, each.fields)
    fields = difference(with_ancestors(before), with_ancestors(wanted))
    metadata = (fields or {}).get("f:metadata")
    if fields is None or not member(metadata):
        return fields
    inside = {key: value for key, value in (metadata or {}).items() if key != SELF}
    return {**fields, "f:metadata": inside} if inside else _without_metadata(fields)


def _without_metadata(fields: FieldSet) -> FieldSet | None:
    rest = {key: value for key, value in fields.items() if key != "f:metadata"}
    return rest or None
