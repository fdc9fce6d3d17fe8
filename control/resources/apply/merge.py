"""An object with a configuration laid over it, and without what nobody wants any more.

Pure: nodes and values in, values out; none is changed.
"""

from typing import Any

from control.resources.apply.field_set import FieldSet, member
from control.resources.apply.typed import (
    ANYTHING,
    KEYED,
    SEPARATE,
    SET,
    WHOLE,
    Unmergeable,
    child,
    items_of,
    mode_of,
)
from control.resources.schema import Node


def merged(node: Node, live: Any, config: Any, path: str = "") -> Any:
    """The live value overlaid by a configuration, per place of the schema."""
    mode = mode_of(node, config)
    if mode == WHOLE or mode != mode_of(node, live):
        return config
    if mode == SEPARATE:
        result = dict(live)
        for name, value in config.items():
            result[name] = (
                merged(child(node, name), live[name], value, f"{path}.{name}")
                if name in live
                else value
            )
        return result
    return _merged_list(node, live, config, mode, path)


def _merged_list(node: Node, live: list[Any], config: list[Any], mode: str, path: str) -> list[Any]:
    """Wanted items in the configuration's order; others keep their place behind the one before."""
    wanted = {each.key: each.value for each in items_of(node, config, mode, path)}
    try:
        present = items_of(node, live, mode, path)
    except Unmergeable:
        return config
    held = {each.key: each.value for each in present}
    inner = node.items or ANYTHING
    result = {
        key: merged(inner, held[key], value, path) if key in held and mode == KEYED else value
        for key, value in wanted.items()
    }
    order = list(wanted)
    previous = -1
    for each in present:
        if each.key in wanted:
            previous = order.index(each.key)
            continue
        previous += 1
        order.insert(previous, each.key)
        result[each.key] = each.value
    return [result[key] for key in order]


def removed(node: Node, value: Any, fields: FieldSet | None) -> Any:
    """The value without the members of a set; whole items and structs go with what is in them."""
    if fields is None:
        return value
    mode = mode_of(node, value)
    if mode == SEPARATE:
        return _fewer_fields(node, value, fields)
    if mode in (KEYED, SET):
        return _fewer_items(node, value, fields, mode)
    return value


def _fewer_fields(node: Node, value: dict[str, Any], fields: FieldSet) -> dict[str, Any]:
    result = {}
    for name, inner in value.items():
        dropped = fields.get(f"f:{name}")
        if not member(dropped):
            result[name] = removed(child(node, name), inner, dropped)
    return result


def _fewer_items(node: Node, value: list[Any], fields: FieldSet, mode: str) -> list[Any]:
    inner = node.items or ANYTHING
    result = []
    try:
        items = items_of(node, value, mode, "")
    except Unmergeable:
        return value
    for each in items:
        dropped = fields.get(each.key)
        if not member(dropped):
            result.append(removed(inner, each.value, dropped) if dropped else each.value)
    return result
