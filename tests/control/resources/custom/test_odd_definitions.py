"""Whatever a definition or an object of it holds, it is taken or refused in words."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.resources import strategy
from control.resources.custom.acceptance import accepted
from control.resources.custom.served import kinds_of
from control.resources.kinds import Kind, find_kind
from control.resources.scale import read_scale

NOW = "2026-01-01T12:00:00Z"
found = find_kind("apiextensions.k8s.io", "v1", "customresourcedefinitions")
assert found is not None
DEFINITIONS: Kind = found

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["n"],
            "properties": {
                "n": {"type": "integer", "minimum": 1, "multipleOf": 2},
                "text": {"type": "string", "pattern": "^a", "maxLength": 3, "default": "a"},
                "list": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {
                        "type": "object",
                        "required": ["k"],
                        "properties": {"k": {"type": "string"}},
                    },
                },
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
                "inner": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
            "oneOf": [{"required": ["list"]}, {"required": ["other"]}],
            "not": {"required": ["inner"], "properties": {"n": {"enum": [4]}}},
        }
    },
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["w"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": SCHEMA},
                "selectableFields": [{"jsonPath": ".spec.n"}],
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
                },
                "additionalPrinterColumns": [
                    {"name": "N", "type": "integer", "jsonPath": ".spec.n"},
                ],
            }
        ],
    },
}
OBJECT: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "namespace": "shop"},
    "spec": {
        "n": 2,
        "list": [{"k": "a"}, {"k": "b"}],
        "map": {"x": "y"},
        "inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
    },
    "status": {"n": 1},
}
WORDS = st.sampled_from(
    [
        *("", "a", "type", "object", "array", "string", "null", "(", "[", "v1", "*", "true", "map"),
        *("set", "atomic", ".spec.n", "#/definitions/x", "9" * 400, "é\ud800"[:1], "properties"),
    ]
)
NUMBERS = st.sampled_from([0, 1, -1, 2**31, 2**63, 0.5, 1e308, -(2**63)])
KEYS = st.sampled_from(
    [
        *("type", "properties", "items", "additionalProperties", "anyOf", "not", "default", "enum"),
        *(
            "pattern",
            "format",
            "maximum",
            "multipleOf",
            "required",
            "nullable",
            "x",
            "$ref",
            "spec",
        ),
        *("x-kubernetes-list-type", "x-kubernetes-int-or-string", "x-kubernetes-validations"),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "metadata"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every key of every object and every index of every list, with what holds it."""
    listed = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    inner = [place for _, each in listed if isinstance(each, dict | list) for place in places(each)]
    return [*((value, key) for key, _ in listed), *inner]


@st.composite
def mutated(draw: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The document with one to three of its parts replaced, and some added."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places(made)))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(KEYS)] = draw(JSON)
        else:
            holder[key] = draw(JSON)
    return made


def judged(kind: Kind, document: dict[str, Any]) -> dict[str, Any] | None:
    """What would be stored; None where it is refused."""
    pruned, _ = strategy.prune(kind, document)
    if strategy.type_faults(kind, pruned) or not (pruned.get("metadata") or {}).get("name"):
        return None
    made = strategy.prepare_create(kind, pruned)
    return None if strategy.validate_create(kind, made) else made


def served(document: dict[str, Any]) -> tuple[Kind, ...]:
    made = judged(DEFINITIONS, document)
    return () if made is None else kinds_of({**made, "status": accepted(made, (), NOW)})


def test_the_definition_and_the_object_that_are_varied_are_right() -> None:
    [kind] = served(DEFINITION)
    assert judged(kind, OBJECT) is not None


@given(mutated(DEFINITION), mutated(OBJECT))
def test_a_definition_is_served_or_refused_and_so_are_its_objects(
    definition: dict[str, Any], document: dict[str, Any]
) -> None:
    for kind in served(definition):
        for each in (OBJECT, document):
            made = judged(kind, each)
            if made is not None and kind.custom is not None:
                strategy.prepare_update(kind, made, made, subresource=None)
                read_scale(kind, made)
                assert kind.custom.printer.row(made, None)[0] == made["metadata"]["name"]  # type: ignore[arg-type]


@given(mutated(OBJECT))
def test_an_object_is_taken_or_refused(document: dict[str, Any]) -> None:
    [kind] = served(DEFINITION)
    made = judged(kind, document)
    if made is not None:
        assert judged(kind, made) == made, "what was taken once is taken again, unchanged"
