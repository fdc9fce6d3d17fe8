"""How a place of a schema is merged: field by field, item by item, or as a whole.

Pure: nodes and values in, values out. What a list says of itself (`x-kubernetes-list-type`) wins;
of one that says nothing the strategic merge patch's strategy is taken.
"""

from typing import Any, NamedTuple

import orjson

from control.resources.schema import MISSING, Node

ANYTHING = Node()
SEPARATE, SET, KEYED, WHOLE = "separate", "set", "keyed", "whole"


class Unmergeable(ValueError):
    """A list whose items cannot be told apart."""


class Item(NamedTuple):
    """An item of a keyed list or a set, by what tells it apart."""

    key: str  # as in a field set
    value: Any


def mode_of(node: Node, value: Any) -> str:
    """SEPARATE: a map, field by field; KEYED, SET: a list, item by item; WHOLE: as one value."""
    if isinstance(value, dict):
        return SEPARATE if _separate(node) else WHOLE
    if isinstance(value, list):
        return _list_mode(node)
    return WHOLE


def child(node: Node, name: str) -> Node:
    """The place of a field."""
    return node.properties.get(name) or node.additional or ANYTHING


def items_of(node: Node, values: list[Any], mode: str, path: str) -> list[Item]:
    """A list's items; Unmergeable where one has no key, or another's."""
    if mode == SET:
        found = [Item("v:" + orjson.dumps(each).decode(), each) for each in values]
    else:
        keys = keys_of(node)
        found = [Item(_key(node, keys, each, path), each) for each in values]
    names = [each.key for each in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Unmergeable(f"{path}: duplicate entries for key [{twice[2:]}]")
    return found


def keys_of(node: Node) -> tuple[str, ...]:
    """The fields that tell a list's items apart."""
    return node.list_map_keys if node.list_type else (node.merge_key,)


def _separate(node: Node) -> bool:
    if node.map_type == "atomic":
        return False
    return bool(node.properties) or node.additional is not None or node.type == "object"


def _list_mode(node: Node) -> str:
    match node.list_type:
        case "map":
            return KEYED
        case "set":
            return SET
        case "atomic":
            return WHOLE
    if not node.merge:
        return WHOLE
    return KEYED if node.merge_key else SET


def _key(node: Node, keys: tuple[str, ...], item: Any, path: str) -> str:
    if not isinstance(item, dict):
        raise Unmergeable(f"{path}: an item is no map, and the list's items have keys {keys}")
    values = {}
    for key in sorted(keys):
        if key in item:
            values[key] = item[key]
            continue
        default = node.items.properties[key].default if node.items else MISSING
        if default is MISSING and len(keys) == 1:
            raise Unmergeable(f"{path}: an item lacks its key {key}")
        if default is not MISSING:
            values[key] = default
    return "k:" + orjson.dumps(values).decode()
