"""Finds what in a document is of the wrong type, missing, or none of the values allowed.

Pure: a document in, causes out. Words and paths are upstream's: k8s.io/kube-openapi's for types,
k8s.io/apimachinery/pkg/util/validation/field for the rest. An empty text or list is missing where
something is required, as it is to a server that decodes before it validates.
"""

import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from control.resources.causes import CAUSES_MAX, NOT_SUPPORTED, REQUIRED, TYPE_INVALID, Cause
from control.resources.places import Path, keyed, spelled
from control.resources.quantities import canonical_quantity
from control.resources.schema import Node
from control.resources.times import PRECISION, canonical_time

QUANTITY_WORDS = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
BOUNDS = {"int32": 2**31, "int64": 2**63}
# A leaf whose value is of this type, and that says no more of itself, is right.
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}


def check(node: Node, value: Any, path: Path | None, causes: list[Cause]) -> None:
    """Adds what is wrong with a value, which is not null."""
    if len(causes) >= CAUSES_MAX:
        return
    if node.type == "object":
        _check_object(node, value, path, causes)
    elif node.type == "object-or-boolean":
        if type(value) is not bool:
            _check_object(node, value, path, causes)
    elif node.type == "array":
        _check_array(node, value, path, causes)
    elif (leaf := _LEAVES.get(node.type)) is not None:
        wrong = leaf(node, value, path) or _outside(node, value, path)
        if wrong is not None:
            causes.append(wrong)


def _check_object(node: Node, value: Any, path: Path | None, causes: list[Cause]) -> None:
    if type(value) is not dict:
        causes.append(_mistyped("object", value, path))
    elif node.additional is not None:
        _check_map(node.additional, value, path, causes)
    else:
        _check_struct(node, value, path, causes)


def _check_struct(
    node: Node, value: dict[str, Any], path: Path | None, causes: list[Cause]
) -> None:
    properties = node.properties
    for key, inner in value.items():
        child = properties.get(key)
        if child is not None and inner is not None and not _plain(child, inner):
            check(child, inner, (path, key), causes)
    for name in node.required:
        if value.get(name) in (None, "", []):
            _check_missing(properties[name], (path, name), causes)


def _check_missing(node: Node, path: Path, causes: list[Cause]) -> None:
    """A struct that is missing lacks all that it requires."""
    if node.type == "object" and node.required:
        _check_struct(node, {}, path, causes)
    else:
        causes.append(Cause(REQUIRED, "Required value", spelled(path)))


def _check_map(node: Node, value: dict[str, Any], path: Path | None, causes: list[Cause]) -> None:
    for key, inner in value.items():
        if inner is not None and not _plain(node, inner):
            check(node, inner, keyed(path, key), causes)


def _check_array(node: Node, value: Any, path: Path | None, causes: list[Cause]) -> None:
    if type(value) is not list:
        causes.append(_mistyped("array", value, path))
    elif node.items is not None:
        for index, inner in enumerate(value):
            if inner is not None and not _plain(node.items, inner):
                check(node.items, inner, (path, index), causes)


def _plain(node: Node, value: Any) -> bool:
    return type(value) is _PLAIN.get(node.type) and not node.format and not node.enum


# -- leaves


def _text(node: Node, value: Any, path: Path | None) -> Cause | None:
    if type(value) is not str:
        return _mistyped("string", value, path)
    if node.format == "byte" and not _is_base64(value):
        return _unread(value, "illegal base64 data", path)
    if node.format in PRECISION and canonical_time(value, node.format) is None:
        return _unread(value, "must be a date and time as RFC 3339 has it", path)
    return None


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64("".join(text.splitlines()), strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _truth(node: Node, value: Any, path: Path | None) -> Cause | None:
    return None if type(value) is bool else _mistyped("boolean", value, path)


def _whole(node: Node, value: Any, path: Path | None) -> Cause | None:
    if type(value) is not int:
        return _mistyped("integer", value, path)
    bound = BOUNDS.get(node.format, BOUNDS["int64"])
    if -bound <= value < bound:
        return None
    return _unread(value, f"must fit in an {node.format or 'int64'}", path)


def _number(node: Node, value: Any, path: Path | None) -> Cause | None:
    return None if type(value) in (int, float) else _mistyped("number", value, path)


def _quantity(node: Node, value: Any, path: Path | None) -> Cause | None:
    if type(value) not in (str, int, float):
        return _mistyped("string", value, path)
    text = value if type(value) is str else repr(value)
    if canonical_quantity(text.strip()) is not None:
        return None
    return _unread(value, QUANTITY_WORDS, path)


def _int_or_string(node: Node, value: Any, path: Path | None) -> Cause | None:
    if type(value) is str:
        return None
    if type(value) is not int:
        return _mistyped("int-or-string", value, path)
    if -BOUNDS["int32"] <= value < BOUNDS["int32"]:
        return None
    return _unread(value, "must fit in an int32", path)


_LEAVES: Mapping[str, Callable[[Node, Any, Path | None], Cause | None]] = {
    "string": _text,
    "boolean": _truth,
    "integer": _whole,
    "number": _number,
    "quantity": _quantity,
    "int-or-string": _int_or_string,
}


# -- causes


def _outside(node: Node, value: Any, path: Path | None) -> Cause | None:
    if not node.enum or value in node.enum:
        return None
    allowed = ", ".join(json.dumps(each) for each in node.enum)
    words = f"Unsupported value: {json.dumps(value)}: supported values: {allowed}"
    return Cause(NOT_SUPPORTED, words, spelled(path))


def _mistyped(wanted: str, value: Any, path: Path | None) -> Cause:
    place, given = spelled(path), _type_name(value)
    words = f'Invalid value: "{given}": {place} in body must be of type {wanted}: "{given}"'
    return Cause(TYPE_INVALID, words, place)


def _type_name(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}
    return names.get(type(value), "object")


def _unread(value: Any, why: str, path: Path | None) -> Cause:
    """The right JSON, and nothing that a decoder can make the field's type of."""
    return Cause(TYPE_INVALID, f"Invalid value: {json.dumps(value)}: {why}", spelled(path))
