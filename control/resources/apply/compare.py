"""The fields of a value, and what differs between two.

Pure: nodes and values in, field sets out.
"""

from typing import Any

from cluster.dataclass import dataclass
from control.resources.apply.field_set import MEMBER, SELF, FieldSet
from control.resources.apply.typed import (
    ANYTHING,
    SEPARATE,
    SET,
    WHOLE,
    Unmergeable,
    child,
    items_of,
    mode_of,
)
from control.resources.schema import Node


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change did."""

    changed: FieldSet | None  # added, or given another value
    removed: FieldSet | None


def fields_of(node: Node, value: Any, path: str = "") -> FieldSet:
    """What a configuration has: leaves, and items of lists; Unmergeable where items are alike."""
    mode = mode_of(node, value)
    if mode == WHOLE or not value:
        return MEMBER
    if mode == SEPARATE:
        return {
            f"f:{name}": fields_of(child(node, name), inner, f"{path}.{name}")
            if isinstance(inner, dict | list)
            else MEMBER
            for name, inner in value.items()
        }
    items = items_of(node, value, mode, path)
    if mode == SET:
        return {each.key: MEMBER for each in items}
    inner_node = node.items or ANYTHING
    return {each.key: {SELF: {}, **fields_of(inner_node, each.value, path)} for each in items}


def all_of(node: Node, value: Any) -> FieldSet:
    """What a value has that came as a whole: the maps and lists themselves too.

    A list whose items cannot be told apart is one leaf.
    """
    mode = mode_of(node, value)
    if mode == WHOLE or not value:
        return MEMBER
    if mode == SEPARATE:
        found = {f"f:{name}": _all_of(child(node, name), inner) for name, inner in value.items()}
        return {SELF: {}, **found} if node.additional is not None else found
    try:
        items = items_of(node, value, mode, "")
    except Unmergeable:
        return MEMBER
    if mode == SET:
        return {SELF: {}, **{each.key: MEMBER for each in items}}
    inner_node = node.items or ANYTHING
    return {
        SELF: {},
        **{each.key: {SELF: {}, **all_of(inner_node, each.value)} for each in items},
    }


def _all_of(node: Node, value: Any) -> FieldSet:
    """The same, and most values are leaves."""
    return all_of(node, value) if isinstance(value, dict | list) else MEMBER


def compare(node: Node, old: Any, new: Any) -> Difference:
    """What has to be done to get from one value to another."""
    if old == new:
        return Difference(None, None)
    mode, before_mode = mode_of(node, new), mode_of(node, old)
    if mode != before_mode:
        return Difference(all_of(node, new), all_of(node, old))
    if mode == WHOLE:
        return Difference(MEMBER, None)
    if mode == SEPARATE:
        return _compared(_pairs(node, old, new))
    try:
        before = {each.key: each.value for each in items_of(node, old, mode, "")}
        after = {each.key: each.value for each in items_of(node, new, mode, "")}
    except Unmergeable:
        return Difference(MEMBER, None)
    inner = node.items or ANYTHING
    keys = {**before, **after}
    return _compared([(key, inner, before.get(key), after.get(key)) for key in keys])


def _pairs(node: Node, old: Any, new: Any) -> list[tuple[str, Node, Any, Any]]:
    names = {**old, **new}
    return [(f"f:{name}", child(node, name), old.get(name), new.get(name)) for name in names]


def _compared(pairs: list[tuple[str, Node, Any, Any]]) -> Difference:
    changed: FieldSet = {}
    removed: FieldSet = {}
    for key, node, before, after in pairs:
        if before == after:
            continue
        if before is None:
            changed[key] = _whole(key, node, after)
        elif after is None:
            removed[key] = _whole(key, node, before)
        else:
            inner = compare(node, before, after)
            if inner.changed is not None:
                changed[key] = inner.changed
            if inner.removed is not None:
                removed[key] = inner.removed
    return Difference(changed or None, removed or None)


def _whole(key: str, node: Node, value: Any) -> FieldSet:
    fields = all_of(node, value)
    if key.startswith("k:") and fields and SELF not in fields:
        return {SELF: {}, **fields}
    return fields
