"""Says at once of most documents that nothing in them is to be dropped or found fault with.

Pure: no I/O. What fits has no unknown field, no null, everything that is required, and only values
of their types: `walk.prune` would change nothing and `walk.type_causes` find nothing. What does not
is left to them, who can say why. A test is made of a node when a document first comes there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from control.resources.checks import BOUNDS, check
from control.resources.schema import Node

Test = Callable[[Any], bool]
Wanted = type | Test  # a value of this type, and no more; or what the test lets through

_ABSENT: tuple[Any, ...] = (None, "", [])


class Fitting:
    """The tests that were made; of built-in kinds only, so that there are no more than nodes."""

    def __init__(self) -> None:
        self._made: dict[Node, Wanted] = {}

    def fits(self, node: Node, document: Any) -> bool:
        """Whether a document is as its schema has it in every respect."""
        wanted = self._wanted(node)
        return type(document) is wanted or (type(wanted) is not type and wanted(document))

    def _wanted(self, node: Node) -> Wanted:
        if node not in self._made:
            self._made[node] = self._make(node)
        return self._made[node]

    def _make(self, node: Node) -> Wanted:
        if node.type == "object" and node.additional is not None and not node.properties:
            return _map(self._wanted, node.additional)
        if node.type == "object" and node.additional is None:
            return _struct(self._wanted, node) if node.properties else _empty(node)
        if node.type == "array":
            return _list if node.items is None else _items(self._wanted, node.items)
        if node.type in ("string", "boolean") and not node.format and not node.enum:
            return str if node.type == "string" else bool
        if node.type == "integer" and not node.enum:
            return _whole(BOUNDS.get(node.format, BOUNDS["int64"]))
        return _checked(node)


def _struct(wanted_of: Callable[[Node], Wanted], node: Node) -> Test:
    plan: Mapping[str, Wanted] = {}

    def test(value: Any) -> bool:
        nonlocal plan
        if type(value) is not dict:
            return False
        if not plan:  # made late, for a schema may hold itself
            plan = {name: wanted_of(child) for name, child in node.properties.items()}
        for key, inner in value.items():
            wanted = plan.get(key)
            if type(inner) is not wanted and (
                wanted is None or type(wanted) is type or not wanted(inner)
            ):
                return False
        for name in required:  # noqa: SIM110 - called for every struct of every write
            if value.get(name) in _ABSENT:
                return False
        return True

    required = node.required
    return test


def _map(wanted_of: Callable[[Node], Wanted], values: Node) -> Test:
    return _each(wanted_of, values, dict, lambda value: value.values())


def _items(wanted_of: Callable[[Node], Wanted], items: Node) -> Test:
    return _each(wanted_of, items, list, lambda value: value)


def _each(
    wanted_of: Callable[[Node], Wanted], node: Node, kind: type, inside: Callable[[Any], Any]
) -> Test:
    wanted: Wanted | None = None

    def test(value: Any) -> bool:
        nonlocal wanted
        if type(value) is not kind:
            return False
        if wanted is None:
            wanted = wanted_of(node)
        if type(wanted) is type:
            return all(type(inner) is wanted for inner in inside(value))
        return all(map(wanted, inside(value)))

    return test


def _empty(node: Node) -> Test:
    """A struct of which nothing is known."""
    return lambda value: type(value) is dict and not node.required


def _list(value: Any) -> bool:
    return type(value) is list


def _whole(bound: int) -> Test:
    return lambda value: type(value) is int and -bound <= value < bound


def _checked(node: Node) -> Test:
    """Whatever is neither a plain leaf nor a common branch; those with insides never fit."""

    def test(value: Any) -> bool:
        if value is None or node.properties or node.items or node.additional:
            return False
        causes: list[Any] = []
        check(node, value, None, causes)
        return not causes

    return test
