"""What is wrong with a custom object by its schema, in upstream's words."""

from typing import Any

import pytest

from control.resources.causes import CAUSES_MAX
from control.resources.custom.values import same, type_name, value_causes

Schema = dict[str, Any]
A = {"required": ["a"]}
B = {"required": ["b"]}


def in_body(value: str, words: str) -> str:
    return f"x: Invalid value: {value}: x in body {words}"


def mistyped(wanted: str, given: str, place: str = "x") -> str:
    words = f'{place} in body must be of type {wanted}: "{given}"'
    return f'{place}: Invalid value: "{given}": {words}'


def over(words: str) -> str:
    return f'<nil>: Invalid value: "": "x" {words}'


def told(schema: Schema, value: Any) -> list[str]:
    wrapped = {"type": "object", "properties": {"x": schema}}
    return [f"{each.field}: {each.message}" for each in value_causes(wrapped, {"x": value})]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "string"}, 3, mistyped("string", "integer")),
        ({"type": "string"}, None, mistyped("string", "null")),
        ({"type": "string", "nullable": True}, [], mistyped("string,null", "array")),
        ({"type": "integer"}, True, mistyped("integer", "boolean")),
        ({"type": "integer"}, 1.5, mistyped("integer", "number")),
        ({"type": "integer"}, 2**64, mistyped("integer", "number")),
        ({"x-kubernetes-int-or-string": True}, True, mistyped("integer,string", "boolean")),
        (
            {"type": "string", "enum": ["a", "b"]},
            "c",
            'x: Unsupported value: "c": supported values: "a", "b"',
        ),
        ({"type": "integer", "enum": [1]}, 2, "x: Unsupported value: 2: supported values: 1"),
        ({"type": "string", "maxLength": 1}, "ab", "x: Too long: may not be more than 1 bytes"),
        (
            {"type": "string", "minLength": 2},
            "a",
            in_body('"a"', "should be at least 2 chars long"),
        ),
        ({"type": "string", "pattern": "^a$"}, "b", in_body('"b"', "should match '^a$'")),
        ({"type": "string", "format": "ipv4"}, "b", mistyped("ipv4", "b")),
        ({"type": "integer", "maximum": 2}, 3, in_body("3", "should be less than or equal to 2")),
        (
            {"type": "integer", "maximum": 2.0, "exclusiveMaximum": True},
            2,
            in_body("2", "should be less than 2"),
        ),
        (
            {"type": "number", "minimum": 0.5},
            0.25,
            in_body("0.25", "should be greater than or equal to 0.5"),
        ),
        (
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            0,
            in_body("0", "should be greater than 0"),
        ),
        ({"type": "integer", "multipleOf": 5}, 7, in_body("7", "should be a multiple of 5")),
        ({"type": "array", "maxItems": 1}, [1, 2], "x: Too many: 2: must have at most 1 items"),
        ({"type": "array", "minItems": 1}, [], in_body("0", "should have at least 1 items")),
        (
            {"type": "object", "maxProperties": 0},
            {"a": 1},
            "x: Too many: 1: must have at most 0 items",
        ),
        (
            {"type": "object", "minProperties": 1},
            {},
            in_body("0", "should have at least 1 properties"),
        ),
        ({"type": "object", "required": ["a"]}, {}, "x.a: Required value"),
        (
            {"type": "array", "items": {"type": "string"}},
            ["a", 1],
            mistyped("string", "integer", "x[1]"),
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"k": 1},
            mistyped("string", "integer", "x.k"),
        ),
        (
            {"type": "object", "oneOf": [A, B]},
            {"a": 1, "b": 1},
            over("must validate one and only one schema (oneOf). Found 2 valid alternatives"),
        ),
        ({"type": "object", "not": A}, {"a": 1}, over("must not validate the schema (not)")),
    ],
)
def test_a_fault_is_told_in_words(schema: Schema, value: Any, words: str) -> None:
    assert told(schema, value) == [words]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 3.0),
        ({"type": "number"}, 3),
        ({"type": "string", "nullable": True}, None),
        ({"x-kubernetes-int-or-string": True}, "50%"),
        ({"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+$"}, 5),
        ({"type": "string", "enum": ["a"]}, "a"),
        ({"type": "string", "maxLength": 2}, "éé"),
        ({"type": "number", "multipleOf": 0.5}, 1.5),
        ({"type": "object", "anyOf": [A, B]}, {"b": 1}),
        ({"type": "object", "oneOf": [A, B]}, {"b": 1}),
        ({"type": "object", "allOf": [A, B]}, {"a": 1, "b": 1}),
        ({"type": "object", "not": A}, {}),
        ({"x-kubernetes-preserve-unknown-fields": True}, [1, {"a": None}]),
    ],
)
def test_what_is_right_is_told_nothing(schema: Schema, value: Any) -> None:
    assert told(schema, value) == []


def test_where_no_choice_fits_the_nearest_one_says_why() -> None:
    for key, how in (("anyOf", "at least one schema (anyOf)"), ("oneOf", "Found none valid")):
        first, second = told({"type": "object", key: [{"required": ["a", "c"]}, B]}, {})
        assert how in first
        assert second == "x.b: Required value"


def test_all_that_do_not_fit_say_why() -> None:
    assert told({"type": "object", "allOf": [A, B]}, {"a": 1}) == [
        "x.b: Required value",
        over("must validate all the schemas (allOf)"),
    ]
    assert told({"type": "object", "allOf": [A]}, {})[-1].endswith("None validated")


def test_causes_have_a_bound() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    assert len(value_causes(schema, list(range(3 * CAUSES_MAX)))) == CAUSES_MAX


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert same(1, 1.0)
    assert [type_name(each) for each in (None, True, 1, 1.5, "", [], {})] == [
        "null",
        "boolean",
        "integer",
        "number",
        "string",
        "array",
        "object",
    ]
