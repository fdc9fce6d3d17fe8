"""Sets and maps hold nothing twice."""

from typing import Any

import pytest

from control.resources.custom.uniqueness import uniqueness_causes

SET: dict[str, Any] = {"type": "array", "x-kubernetes-list-type": "set", "items": {}}
MAP: dict[str, Any] = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a", "b"],
    "items": {"type": "object", "properties": {"inner": SET}},
}


def told(schema: dict[str, Any], value: Any) -> list[str]:
    inside = {"type": "object", "properties": {"l": schema}}
    whole = {"type": "object", "additionalProperties": inside}
    found = uniqueness_causes(whole, {"k": {"l": value}})
    return [f"{each.field}: {each.message}" for each in found]


@pytest.mark.parametrize(
    ("schema", "value", "faults"),
    [
        (SET, ["a", "b"], []),
        (SET, ["a", "b", "a"], ['k.l[2]: Duplicate value: "a"']),
        (SET, [{"x": 1, "y": 2}, {"y": 2, "x": 1}], ['k.l[1]: Duplicate value: {"y":2,"x":1}']),
        (MAP, [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}], ['k.l[2]: Duplicate value: {"a":1}']),
        (MAP, [{"a": 1, "inner": [1, 1]}], ["k.l[0].inner[1]: Duplicate value: 1"]),
        ({"type": "array"}, ["a", "a"], []),
        (SET, "no list", []),
    ],
)
def test_what_is_there_before_is_told(
    schema: dict[str, Any], value: Any, faults: list[str]
) -> None:
    assert told(schema, value) == faults
