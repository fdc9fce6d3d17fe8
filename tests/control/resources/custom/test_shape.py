"""Pruning and completing custom objects."""

from typing import Any

import pytest

from control.resources.custom.shape import Pruner, filled, has_defaults
from control.resources.schema import metadata_node

Schema = dict[str, Any]


def struct(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties}


TEXT: Schema = {"type": "string"}
PRESERVE = {"x-kubernetes-preserve-unknown-fields": True}
TOP = {"apiVersion": "example.com/v1", "kind": "Widget"}


def pruned(schema: Schema, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    pruner = Pruner(metadata_node())
    made = pruner.resource(schema, {**TOP, **fields})
    return {key: value for key, value in made.items() if key not in TOP}, pruner.unknown


@pytest.mark.parametrize(
    ("schema", "given", "kept", "unknown"),
    [
        (struct(a=TEXT), {"a": "1", "b": 2}, {"a": "1"}, ["b"]),
        (struct(s=struct(a=TEXT)), {"s": {"b": 1}}, {"s": {}}, ["s.b"]),
        (struct(a=TEXT), {"a": None}, {}, []),
        (struct(a={**TEXT, "nullable": True}), {"a": None}, {"a": None}, []),
        ({**struct(), **PRESERVE}, {"x": {"y": None}}, {"x": {"y": None}}, []),
        (
            struct(s={**struct(t=struct(a=TEXT)), **PRESERVE}),
            {"s": {"t": {"b": 1}, "u": 2}},
            {"s": {"t": {}, "u": 2}},
            ["s.t.b"],
        ),
        (
            struct(m={"type": "object", "additionalProperties": struct(a=TEXT)}),
            {"m": {"k": {"a": "1", "b": 2}}},
            {"m": {"k": {"a": "1"}}},
            ["m.k.b"],
        ),
        (
            struct(m={"type": "object", "additionalProperties": True}),
            {"m": {"k": 1}},
            {"m": {"k": 1}},
            [],
        ),
        (
            struct(l={"type": "array", "items": struct(a=TEXT)}),
            {"l": [{"b": 1}, None]},
            {"l": [{}, None]},
            ["l[0].b"],
        ),
        (struct(i={"x-kubernetes-int-or-string": True}), {"i": "5"}, {"i": "5"}, []),
        (struct(a=TEXT), {"a": {"b": 1}}, {"a": {}}, ["a.b"]),
    ],
)
def test_what_the_schema_does_not_know_goes(
    schema: Schema, given: dict[str, Any], kept: dict[str, Any], unknown: list[str]
) -> None:
    assert pruned(schema, **given) == (kept, unknown)


def test_metadata_is_known_whatever_the_schema_says() -> None:
    given = {"name": "a", "labels": {"x": "y"}, "colour": 1}
    kept, unknown = pruned(struct(metadata=struct(name=TEXT)), metadata=given)
    assert kept == {"metadata": {"name": "a", "labels": {"x": "y"}}}
    assert unknown == ["metadata.colour"]


def test_an_object_inside_of_an_object_keeps_its_type_and_metadata() -> None:
    schema = struct(inner={**struct(a=TEXT), "x-kubernetes-embedded-resource": True})
    inner = {**TOP, "metadata": {"name": "b", "odd": 1}, "a": "1", "b": 2}
    kept, unknown = pruned(schema, inner=inner)
    assert kept == {"inner": {**TOP, "metadata": {"name": "b"}, "a": "1"}}
    assert sorted(unknown) == ["inner.b", "inner.metadata.odd"]


def test_a_document_is_left_as_it_was() -> None:
    given = {**TOP, "s": {"b": 1}}
    Pruner(metadata_node()).resource(struct(s=struct()), given)
    assert given == {**TOP, "s": {"b": 1}}


DEFAULTED = struct(
    a={**TEXT, "default": "x"},
    s=struct(b={"type": "integer", "default": 0}),
    t={**struct(b={"type": "integer", "default": 1}), "default": {}},
    l={"type": "array", "items": struct(c={"type": "boolean", "default": False})},
    m={"type": "object", "additionalProperties": struct(d={**TEXT, "default": "y"})},
)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, {"a": "x", "t": {"b": 1}}),
        ({"a": "z", "t": {"b": 2}}, {"a": "z", "t": {"b": 2}}),
        ({"s": {}}, {"a": "x", "t": {"b": 1}, "s": {"b": 0}}),
        ({"l": [{}, {"c": True}]}, {"a": "x", "t": {"b": 1}, "l": [{"c": False}, {"c": True}]}),
        ({"m": {"k": {}}}, {"a": "x", "t": {"b": 1}, "m": {"k": {"d": "y"}}}),
        ({"s": "wrong"}, {"a": "x", "t": {"b": 1}, "s": "wrong"}),
    ],
)
def test_what_is_absent_and_has_a_default_is_filled_in(
    given: dict[str, Any], made: dict[str, Any]
) -> None:
    assert filled(DEFAULTED, given) == made


def test_what_lacks_nothing_is_the_same_value() -> None:
    whole = {"a": "z", "t": {"b": 2}, "l": [{"c": True}]}
    assert filled(DEFAULTED, whole) is whole
    assert (has_defaults(DEFAULTED), has_defaults(struct(a=TEXT))) == (True, False)
    assert has_defaults(struct(l={"type": "array", "items": struct(c={"default": 1})}))
