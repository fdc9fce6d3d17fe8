"""How places are merged."""

from typing import Any

import pytest

from control.resources.apply.typed import (
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
from tests.control.resources.apply.schemas import POD, SERVICE, place


@pytest.mark.parametrize(
    ("node", "value", "mode"),
    [
        (place(POD, "spec"), {}, SEPARATE),
        (place(POD, "metadata", "labels"), {"a": "b"}, SEPARATE),
        (place(POD, "spec", "containers"), [], KEYED),
        (place(POD, "metadata", "finalizers"), ["a"], SET),
        (place(POD, "spec", "tolerations"), [], WHOLE),
        (place(SERVICE, "spec", "selector"), {}, WHOLE),  # map-type atomic
        (place(POD, "spec", "nodeName"), "node-1", WHOLE),
        (Node(), {"whatever": 1}, WHOLE),
        (Node(type="object"), {"whatever": 1}, SEPARATE),
        (Node(list_type="atomic", merge=True, merge_key="name"), [], WHOLE),
    ],
)
def test_a_place_says_how_it_is_merged(node: Node, value: Any, mode: str) -> None:
    assert mode_of(node, value) == mode


def test_items_are_told_apart_by_their_keys_with_defaults() -> None:
    ports = place(POD, "spec", "containers", "[]", "ports")
    (item,) = items_of(ports, [{"containerPort": 80}], KEYED, ".ports")
    assert item.key == 'k:{"containerPort":80,"protocol":"TCP"}'
    finalizers = place(POD, "metadata", "finalizers")
    assert [each.key for each in items_of(finalizers, ["a", "b"], SET, "")] == ['v:"a"', 'v:"b"']


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([{"image": "echo"}], "an item lacks its key name"),
        ([{"name": "a"}, {"name": "a"}], r'duplicate entries for key \[{"name":"a"}\]'),
        (["a"], "an item is no map"),
    ],
)
def test_items_that_cannot_be_told_apart_are_refused(values: Any, why: str) -> None:
    containers = place(POD, "spec", "containers")
    with pytest.raises(Unmergeable, match=why):
        items_of(containers, values, KEYED, ".spec.containers")


def test_an_unknown_field_is_one_value() -> None:
    assert mode_of(child(place(POD, "spec"), "nonsense"), {"a": 1}) == WHOLE
