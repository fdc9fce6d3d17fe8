"""Documents drawn from a kind's own schema, with now and then something that does not belong."""

import random
from typing import Any

from control.resources.schema import Node

DEPTH_MAX = 7
ODD = (
    *(None, True, -1, 0, 2**31, 2**63, 2**70, 1.5, 1e308, "", "a", "a b", "\r\n", "-1", "x" * 300),
    *([], {}, [None], {"": None}, [[]], {"$patch": "delete"}, {"a": {"b": {"c": []}}}),
)
NAMES = ("a", "web", "http", "app", "x-1", "A_b", "kubernetes.io/x", "0", "")
TEXTS = {
    "date-time": ("2026-01-01T12:00:00Z", "yesterday"),
    "time": ("2026-01-01T12:00:00Z", "2026-13-01T12:00:00Z"),
    "micro-time": ("2026-01-01T12:00:00.000001Z", "now"),
    "byte": ("YQ==", "?", "YQ"),
}
WORDS = ("a", "web", "TCP", "Always", "default", "10.96.0.7", "10.0.0.0/8", "http", "*", "10%", "-")
QUANTITIES = ("1", "100m", "1Gi", "1e3", "-5", "lots", 3, 0.5)


def document(dice: random.Random, node: Node, oddness: float) -> Any:
    """A value for a place of the schema; `oddness` is how often something else comes instead."""
    return _value(dice, node, oddness, 0)


def _value(dice: random.Random, node: Node, oddness: float, depth: int) -> Any:
    if dice.random() < oddness:
        return dice.choice(ODD)
    match node.type:
        case "object":
            return _object(dice, node, oddness, depth)
        case "array":
            inner = node.items or Node()
            count = dice.choice((0, 1, 1, 2)) if depth < DEPTH_MAX else 0
            return [_value(dice, inner, oddness, depth + 1) for _ in range(count)]
        case "string":
            return dice.choice(node.enum or TEXTS.get(node.format) or WORDS)
        case "integer" | "number":
            return dice.choice((0, 1, 2, 80, 30000, 65536, -1, 600))
        case "boolean":
            return dice.random() < 0.5
        case "quantity":
            return dice.choice(QUANTITIES)
        case "int-or-string":
            return dice.choice((1, 80, "http", "25%", "150%", -1))
    return dice.choice(ODD)


def _object(dice: random.Random, node: Node, oddness: float, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if depth < DEPTH_MAX:
        names = [name for name in node.properties if _chosen(dice, name, node, depth)]
        for name in names:
            made[name] = _value(dice, node.properties[name], oddness, depth + 1)
        if node.additional is not None:
            for _ in range(dice.choice((0, 1, 2))):
                made[dice.choice(NAMES)] = _value(dice, node.additional, oddness, depth + 1)
    if dice.random() < oddness:
        made["nonsense"] = dice.choice(ODD)
    return made


def _chosen(dice: random.Random, name: str, node: Node, depth: int) -> bool:
    """What is required nearly always, the upper levels mostly, the rest seldom."""
    if name in node.required:
        return dice.random() < 0.95
    return dice.random() < (0.8 if depth < 2 else 3 / (3 + len(node.properties)))
