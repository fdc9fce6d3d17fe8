"""What a definition's schema may say."""

from typing import Any

import pytest

from control.resources.custom.structure import structure_causes

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}


def struct(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties}


def listing(items: Schema | None = None, **more: Any) -> Schema:
    named = {f"x-kubernetes-{key.replace('_', '-')}": value for key, value in more.items()}
    return {"type": "array", **({"items": items} if items is not None else {}), **named}


def told(schema: Schema) -> list[str]:
    return [f"{each.field}: {each.message}" for each in structure_causes(schema, "s")]


ENTRY = {**struct(name=TEXT), "required": ["name"]}


@pytest.mark.parametrize(
    "place",
    [
        TEXT,
        {"x-kubernetes-int-or-string": True},
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {
            "x-kubernetes-int-or-string": True,
            "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^1"}],
        },
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": True},
        listing(TEXT, list_type="set"),
        listing(ENTRY, list_type="map", list_map_keys=["name"]),
        listing(struct(a={**TEXT, "default": "x"}), list_type="map", list_map_keys=["a"]),
        {**struct(a=TEXT), "oneOf": [{"required": ["a"]}, {"properties": {"a": {"enum": ["x"]}}}]},
        {**TEXT, "default": "x", "pattern": "^x$"},
        {**struct(a=TEXT), "x-kubernetes-embedded-resource": True},
    ],
)
def test_a_structural_schema_is_taken(place: Schema) -> None:
    assert told(struct(x=place)) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({}, "s.properties[x].type: Required value: must not be empty for specified object fields"),
        ({"type": "null"}, "type: Forbidden: type cannot be set to null, use nullable"),
        ({"type": "text"}, 'type: Unsupported value: "text": supported values: "array", "boolean"'),
        ({**TEXT, "$ref": "#/x"}, "$ref: Forbidden: $ref is not supported"),
        ({**TEXT, "pattern": "("}, 'pattern: Invalid value: "(": must be a valid regular expre'),
        ({**listing(TEXT), "uniqueItems": True}, "uniqueItems: Forbidden: uniqueItems cannot be"),
        (listing(), "items: Required value: must be specified"),
        (listing({}), "items.type: Required value: must not be empty for specified array items"),
        ({**struct(), "additionalProperties": False}, "additionalProperties cannot be set to fals"),
        ({**struct(a=TEXT), "additionalProperties": TEXT}, "properties are mutual exclusive"),
        ({"type": "object", "additionalProperties": {}}, "additionalProperties.type: Required val"),
        (listing(TEXT, list_type="bag"), 'x-kubernetes-list-type: Unsupported value: "bag"'),
        ({**TEXT, "x-kubernetes-list-type": "set"}, "must be array if x-kubernetes-list-type is"),
        (listing(TEXT, list_map_keys=["a"]), "must be map if x-kubernetes-list-map-keys is non-em"),
        (listing(ENTRY, list_type="map"), "must not be empty if x-kubernetes-list-type is map"),
        (listing(TEXT, list_type="map", list_map_keys=["a"]), "must be object if parent array's"),
        (
            listing(ENTRY, list_type="map", list_map_keys=["other"]),
            "entries must all be names of item properties",
        ),
        (
            listing(ENTRY, list_type="map", list_map_keys=["name", "name"]),
            "entries must be unique",
        ),
        (
            listing(struct(a=TEXT), list_type="map", list_map_keys=["a"]),
            "so it must have a default or be a required property",
        ),
        (
            listing(struct(a=struct()), list_type="map", list_map_keys=["a"]),
            "must be a scalar type if parent array's",
        ),
        (listing({**TEXT, "nullable": True}, list_type="set"), "cannot be nullable when"),
        (listing(struct(), list_type="set"), "must be atomic as item of a list with"),
        ({**TEXT, "x-kubernetes-map-type": "atomic"}, "must be object if x-kubernetes-map-type"),
        ({**struct(), "x-kubernetes-map-type": "odd"}, 'map-type: Unsupported value: "odd"'),
        ({**struct(), "x-kubernetes-preserve-unknown-fields": False}, "must be true or undefined"),
        ({**TEXT, "x-kubernetes-preserve-unknown-fields": True}, "must be object if x-kubernetes"),
        ({**TEXT, "x-kubernetes-int-or-string": True}, "must be empty if x-kubernetes-int-or-str"),
        ({**TEXT, "x-kubernetes-embedded-resource": True}, "must be object if x-kubernetes-embed"),
        ({**struct(), "x-kubernetes-embedded-resource": True}, "must not be empty if x-kubernetes"),
        ({**TEXT, "default": 3}, 's.properties[x].default: Invalid value: "integer"'),
        ({**struct(a=TEXT), "default": {"a": 3}}, "s.properties[x].default.a: Invalid value"),
        ({**struct(), "allOf": [{"type": "object"}]}, "allOf[0].type: Forbidden: must be empty"),
        ({**TEXT, "not": {"default": "x"}}, "not.default: Forbidden: must be undefined"),
        (
            {**struct(a=TEXT), "anyOf": [{"properties": {"a": {"nullable": True}}}]},
            "anyOf[0].properties[a].nullable: Forbidden: must be false to be structural",
        ),
        ({**TEXT, "oneOf": [{"pattern": "("}]}, "oneOf[0].pattern: Invalid value"),
    ],
)
def test_what_is_not_structural_is_told_with_its_place(place: Schema, words: str) -> None:
    assert any(words in each for each in told(struct(x=place))), told(struct(x=place))


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ({}, "s.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 's.type: Invalid value: "string": must be object at the root'),
        ({**struct(), "nullable": True}, "s.nullable: Forbidden: nullable cannot be true"),
        (struct(metadata=struct(labels=struct())), "must not specify anything other than name and"),
    ],
)
def test_the_root_is_an_object(root: Schema, words: str) -> None:
    assert any(words in each for each in told(root))
