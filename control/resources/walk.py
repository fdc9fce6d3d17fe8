"""Walks a document along its schema: prune, make canonical, fill in defaults, find what is wrong.

Pure: a document in, a document out; the one given is never changed. A value of the wrong type is
left as it is: `type_causes` is the walk that tells. Null is absent in a struct, and the zero value
in lists and maps, as Go's decoder has it.
Source: kubernetes.io, "Kubernetes API Concepts", field validation; k8s.io/apimachinery's decoding.
"""

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from control.resources.causes import Cause
from control.resources.checks import check
from control.resources.fitting import Fitting
from control.resources.places import Path, spelled
from control.resources.quantities import canonical_quantity
from control.resources.schema import MISSING, Node
from control.resources.times import PRECISION, canonical_time

Document = dict[str, Any]

_FITTING = Fitting()

UNKNOWN_MAX = 100  # paths told, as upstream does; fields beyond are dropped all the same

_ZERO: Mapping[str, Any] = {
    "string": "",
    "boolean": False,
    "integer": 0,
    "number": 0,
    "quantity": "0",
    "int-or-string": 0,
}


def prune(node: Node, document: Document) -> tuple[Document, list[str]]:
    """Without nulls and unknown fields; the paths of the latter, as `spec.containers[0].foo`."""
    if _FITTING.fits(node, document):
        return document, []
    unknown: list[str] = []
    pruned: Document = _prune(node, document, None, unknown)
    return pruned, unknown


def canonical(node: Node, document: Document) -> Document:
    """Amounts and times in their one spelling."""
    changed: Document = _canonical(node, document)
    return changed


def fill_defaults(node: Node, document: Document) -> Document:
    """With every default of a field that is absent, in empty structs too."""
    filled: Document = _filled(node, document)
    return filled


def type_causes(node: Node, document: Document) -> list[Cause]:
    """What is of the wrong type, missing, or none of the values allowed."""
    if _FITTING.fits(node, document):
        return []
    causes: list[Cause] = []
    check(node, document, None, causes)
    return causes


class _Leads:
    """Which fields are, or hold somewhere, what is wanted; of no node is it found out twice."""

    def __init__(self, wanted: Callable[[Node], bool]) -> None:
        self._wanted = wanted
        self._known: dict[Node, bool] = {}

    def fields(self, node: Node) -> Mapping[str, Node]:
        """Those of a struct."""
        return {name: each for name, each in node.properties.items() if self._lead(each)}

    def _lead(self, start: Node) -> bool:
        seen: set[Node] = set()
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node in seen or self._known.get(node) is False:
                continue
            if self._known.get(node) or self._wanted(node):
                self._known[start] = True
                return True
            seen.add(node)
            waiting += node.properties.values()
            waiting += [each for each in (node.items, node.additional) if each is not None]
        self._known.update(dict.fromkeys(seen, False))
        return False


_AMOUNTS = _Leads(lambda each: each.type == "quantity" or each.format in PRECISION)
_DEFAULTS = _Leads(lambda each: each.default is not MISSING)


# -- prune


def _prune(node: Node, value: Any, path: Path | None, unknown: list[str]) -> Any:
    """A struct, map or list; told apart by what the value is, for it may be of the wrong type."""
    if type(value) is dict:
        if node.properties:
            return _pruned_struct(node.properties, value, path, unknown)
        if node.additional is not None:
            return {
                key: _pruned_item(node.additional, inner, (path, key), unknown)
                for key, inner in value.items()
            }
    elif node.items is not None:
        return [
            _pruned_item(node.items, inner, (path, index), unknown)
            for index, inner in enumerate(value)
        ]
    return value


def _pruned_struct(
    properties: Mapping[str, Node], value: Document, path: Path | None, unknown: list[str]
) -> Document:
    kept = {}
    for key, inner in value.items():
        child = properties.get(key)
        if child is None:
            if len(unknown) < UNKNOWN_MAX:
                unknown.append(spelled((path, key)))
        elif type(inner) is dict or type(inner) is list:
            kept[key] = _prune(child, inner, (path, key), unknown)
        elif inner is not None:
            kept[key] = inner
    return kept


def _pruned_item(node: Node, value: Any, path: Path, unknown: list[str]) -> Any:
    if type(value) is dict or type(value) is list:
        return _prune(node, value, path, unknown)
    return value if value is not None else _zero(node)


def _zero(node: Node) -> Any:
    """What Go makes of a null that has to be something."""
    if node.type == "object":
        return {}
    return [] if node.type == "array" else _ZERO.get(node.type)


# -- canonical


def _canonical(node: Node, value: Any) -> Any:
    if type(value) is dict:
        if node.additional is None:
            return _changed(value, _amounts(node), _canonical)
        return _each_changed(value, node.additional, _canonical)
    if type(value) is list:
        return value if node.items is None else _each_changed(value, node.items, _canonical)
    return _canonical_leaf(node, value)


def _canonical_leaf(node: Node, value: Any) -> Any:
    if node.type == "quantity":
        text = value if type(value) is str else repr(value)
        spelling = canonical_quantity(text.strip())
    elif node.format in PRECISION and type(value) is str:
        spelling = canonical_time(value, node.format)
    else:
        return value
    return value if spelling is None or spelling == value else spelling


@cache
def _amounts(node: Node) -> Mapping[str, Node]:
    """The fields that are, or hold somewhere, an amount or a time."""
    return _AMOUNTS.fields(node)


# -- defaults


def _filled(node: Node, value: Any) -> Any:
    if type(value) is dict:
        if node.additional is None:
            return _filled_struct(node, value)
        return _each_changed(value, node.additional, _filled)
    if type(value) is list and node.items is not None:
        return _each_changed(value, node.items, _filled)
    return value


def _filled_struct(node: Node, value: Document) -> Document:
    fields = _defaulted(node)
    absent = {
        key: copy.copy(child.default)
        for key, child in fields.items()
        if child.default is not MISSING and key not in value
    }
    return _changed({**value, **absent} if absent else value, fields, _filled)


@cache
def _defaulted(node: Node) -> Mapping[str, Node]:
    """The fields that have a default, or hold one somewhere."""
    return _DEFAULTS.fields(node)


# -- both


def _changed(
    value: Document, fields: Mapping[str, Node], change: Callable[[Node, Any], Any]
) -> Document:
    """A struct with some of its fields changed; the same one if none is."""
    made = value
    for key, child in fields.items():
        if key in value:
            inner = change(child, value[key])
            if inner is not value[key]:
                made = {**value} if made is value else made
                made[key] = inner
    return made


def _each_changed(value: Any, node: Node, change: Callable[[Node, Any], Any]) -> Any:
    """A list or map with some of its values changed; the same one if none is."""
    made = value
    for key, inner in value.items() if type(value) is dict else enumerate(value):
        changed = change(node, inner)
        if changed is not inner:
            made = copy.copy(value) if made is value else made
            made[key] = changed
    return made
