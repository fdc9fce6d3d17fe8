"""Sets of fields in the form that objects carry them: `metadata.managedFields[].fieldsV1`.

Pure: values in, values out; no set is changed. A set is a tree of maps whose keys are `f:NAME` (a
field), `k:{...}` (an item by its keys) and `v:VALUE` (an item of a set). `{}` is a member without
anything inside; `"."` inside says that the place itself is a member too. No set at all is None.
"""

from collections.abc import Callable, Set
from typing import Any

FieldSet = dict[str, Any]

SELF = "."
MEMBER: FieldSet = {}


def member(fields: FieldSet | None) -> bool:
    """Whether the place itself belongs to the set."""
    return fields is not None and (not fields or SELF in fields)


def made(itself: bool, inside: FieldSet) -> FieldSet | None:
    """A set of what is inside, and perhaps of the place itself."""
    if not inside:
        return MEMBER if itself else None
    return {SELF: {}, **inside} if itself else inside


def union(one: FieldSet | None, other: FieldSet | None) -> FieldSet | None:
    """What is in either."""
    if one is None or other is None:
        return one if other is None else other
    inside = {key: value for key, value in one.items() if key != SELF}
    for key, value in other.items():
        if key != SELF:
            inside[key] = union(inside.get(key), value)
    return made(member(one) or member(other), inside)


def difference(one: FieldSet | None, other: FieldSet | None) -> FieldSet | None:
    """What is in the first and not in the second."""
    return _both(one, other, lambda ours, theirs: ours and not theirs, keep=True)


def intersection(one: FieldSet | None, other: FieldSet | None) -> FieldSet | None:
    """What is in both."""
    return _both(one, other, lambda ours, theirs: ours and theirs, keep=False)


def with_ancestors(fields: FieldSet | None) -> FieldSet | None:
    """With every named field above a member; items of lists are members only by themselves."""
    if fields is None:
        return None
    inside: FieldSet = {}
    for key, value in fields.items():
        if key != SELF:
            closed = with_ancestors(value)
            named = key.startswith("f:")
            inside[key] = made(named or member(value), _inside(closed))
    return made(member(fields), inside)


def without_fields(fields: FieldSet, names: Set[str]) -> FieldSet | None:
    """Without these fields of a place, and all that is below them."""
    inside = {key: value for key, value in fields.items() if key != SELF and key not in names}
    return made(member(fields), inside)


def at(fields: FieldSet | None, path: tuple[str, ...]) -> FieldSet | None:
    """What is at a path and below, in its place."""
    if fields is None:
        return None
    if not path:
        return fields
    inner = at(fields.get(path[0]), path[1:])
    return None if inner is None else {path[0]: inner}


def paths(fields: FieldSet | None, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each member, in order."""
    if fields is None:
        return []
    own = [prefix] if prefix and member(fields) else []
    inner = (path for key in fields if key != SELF for path in paths(fields[key], (*prefix, key)))
    return [*own, *inner]


def _both(
    one: FieldSet | None,
    other: FieldSet | None,
    belongs: Callable[[bool, bool], bool],
    *,
    keep: bool,
) -> FieldSet | None:
    if one is None:
        return None
    if other is None:
        return one if keep else None
    inside: FieldSet = {}
    for key, value in one.items():
        if key == SELF:
            continue
        result = _both(value, other.get(key), belongs, keep=keep)
        if result is not None:
            inside[key] = result
    return made(belongs(member(one), member(other)), inside)


def _inside(fields: FieldSet | None) -> FieldSet:
    return {key: value for key, value in (fields or {}).items() if key != SELF}
