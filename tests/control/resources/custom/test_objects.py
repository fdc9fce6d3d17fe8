"""Custom objects on their way into the store."""

from dataclasses import replace
from typing import Any

import pytest

from control.resources.custom import objects
from control.resources.custom.columns import custom_printer
from control.resources.custom.nodes import resource_node
from control.resources.custom.rules import available
from control.resources.custom.version import CustomVersion
from control.resources.schema import metadata_node

EMBEDDED = {
    "type": "object",
    "x-kubernetes-embedded-resource": True,
    "x-kubernetes-preserve-unknown-fields": True,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["must"],
            "properties": {
                "size": {"type": "integer", "maximum": 5},
                "must": {"type": "string", "default": "x"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "inner": EMBEDDED,
                "list": {"type": "array", "items": EMBEDDED},
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
CUSTOM = CustomVersion(
    definition="widgets.example.com",
    root=resource_node(SCHEMA, metadata_node()),
    schema=SCHEMA,
    printer=custom_printer(()),
)


def widget(*, generation: int = 1, status: Any = None, **spec: Any) -> dict[str, Any]:
    made = {"metadata": {"name": "a", "generation": generation}, "spec": {"must": "x", **spec}}
    return {**made, "status": status} if status is not None else made


def test_a_document_is_pruned_then_completed() -> None:
    pruned, unknown = objects.prune(CUSTOM, {"metadata": {"name": "a"}, "spec": {"odd": 1}})
    assert pruned == {"metadata": {"name": "a"}, "spec": {}}, "nobody applies a default"
    assert unknown == ["spec.odd"]
    assert objects.prepare_create(CUSTOM, pruned, status=True)["spec"] == {"must": "x"}


@pytest.mark.parametrize("wrong", [{"metadata": 3}, {"kind": 3}, {"metadata": {"labels": [1]}}])
def test_what_cannot_be_read_is_told_before_the_schema_judges(wrong: dict[str, Any]) -> None:
    assert len(objects.type_faults({**widget(), **wrong})) == 1
    assert objects.type_faults({**widget(), "spec": 3}) == []


def test_generations_count_what_is_no_metadata_and_no_status_of_its_own() -> None:
    old = widget(status={"a": 1})
    same = {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}, "status": {"a": 2}}
    assert objects.prepare_update(CUSTOM, same, old, status=True)["metadata"]["generation"] == 1
    assert objects.prepare_update(CUSTOM, same, old, status=True)["status"] == {"a": 1}
    assert objects.prepare_update(CUSTOM, same, old, status=False)["metadata"]["generation"] == 2
    assert (
        objects.prepare_update(CUSTOM, widget(size=2), old, status=True)["metadata"]["generation"]
        == 2
    )


def test_a_new_object_has_a_status_only_where_it_is_a_field_like_others() -> None:
    given = widget(status={"a": 1})
    assert "status" not in objects.prepare_create(CUSTOM, given, status=True)
    assert objects.prepare_create(CUSTOM, given, status=False)["status"] == {"a": 1}


def test_a_status_takes_nothing_else_along() -> None:
    new = objects.prepare_status(CUSTOM, widget(size=3, status={"b": 2}), widget(status={"a": 1}))
    assert new == widget(status={"b": 2})
    assert objects.prepare_status(CUSTOM, widget(size=3), widget(status={"a": 1})) == widget()


def told(causes: list[Any]) -> list[str]:
    return [each.field for each in causes]


def test_what_is_wrong_with_a_new_object() -> None:
    bad = {"metadata": {"name": "A"}, "spec": {"size": 9, "inner": {"kind": "Pod"}, "list": [{}]}}
    assert told(objects.create_causes(CUSTOM, bad)) == [
        "metadata.name",
        "spec.must",
        "spec.size",
        "spec.inner.apiVersion",
        "spec.list[0].apiVersion",
        "spec.list[0].kind",
    ]


def test_what_was_wrong_before_and_did_not_change_is_let_pass() -> None:
    old = widget(size=9)
    assert objects.update_causes(CUSTOM, widget(size=9, tags=["a"]), old) == []
    assert told(objects.update_causes(CUSTOM, widget(size=8), old)) == ["spec.size"]
    without = {"metadata": {"name": "a"}, "spec": {}}
    assert told(objects.update_causes(CUSTOM, without, without)) == ["spec.must"]


RULED = {
    **SCHEMA,
    "x-kubernetes-validations": [{"rule": "self.spec.size < 4", "message": "too big"}],
}


@pytest.mark.skipif(not available(), reason="cel-expr-python is not installed")
def test_rules_are_asked_where_the_object_is_right_in_itself() -> None:
    custom = replace(CUSTOM, schema=RULED, rules=True)
    big, old = widget(size=4), widget(size=5)
    [cause] = objects.create_causes(custom, big)
    assert (cause.field, cause.message) == ("<nil>", 'Invalid value: "object": too big')
    assert told(objects.update_causes(custom, big, old)) == ["<nil>"]
    wrong = {"metadata": {"name": "a"}, "spec": {"size": 4}}
    first, second = objects.create_causes(custom, wrong)
    assert first.field == "spec.must"
    assert "some validation rules were not checked" in second.message
