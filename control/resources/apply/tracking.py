"""What an ordinary write - a create, an update, a patch - does to who manages what.

Pure: documents in, managers out.
"""

from dataclasses import replace
from typing import Any

from control.resources.apply.compare import all_of, compare, fields_of
from control.resources.apply.field_set import difference, union
from control.resources.apply.managers import (
    APPLY,
    Manager,
    Managers,
    managed,
    taken,
    with_entry,
)
from control.resources.schema import Node


def created(node: Node, document: Any, writer: Manager, *, status_apart: bool) -> Managers:
    """All of a new object is its creator's."""
    fields = managed(all_of(node, document), status_apart=status_apart)
    return () if fields is None else (replace(writer, fields=fields),)


def updated(
    node: Node, old: Any, new: Any, managers: Managers, writer: Manager, *, status_apart: bool
) -> Managers:
    """What changed is the writer's now, and nobody else's; what is gone is nobody's.

    A writer without a name manages nothing, but takes all the same.
    """
    difference_ = compare(node, old, new)
    endpoint = writer.subresource
    changed = managed(difference_.changed, subresource=endpoint, status_apart=status_apart)
    removed = managed(difference_.removed, subresource=endpoint, status_apart=status_apart)
    if changed is None and removed is None:
        return managers
    left = taken(managers, union(changed, removed), keeper=writer)
    if not writer.name:
        return tuple(each for each in left if each.fields is not None)
    before = next((each.fields for each in managers if each.is_same(writer)), None)
    mine = union(difference(before, removed), changed)
    return with_entry(left, replace(writer, fields=mine))


def applied(node: Node, config: Any, writer: Manager, *, status_apart: bool) -> Manager:
    """The entry of somebody who applies this."""
    fields = managed(
        fields_of(node, config), subresource=writer.subresource, status_apart=status_apart
    )
    return replace(writer, operation=APPLY, fields=fields)
