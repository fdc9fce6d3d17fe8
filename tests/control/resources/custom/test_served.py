"""The kinds of a definition."""

from typing import Any

import pytest

from control.resources.custom.served import kinds_of

SCHEMA = {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
}
DEFAULTED = {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}


def version(name: str, **more: Any) -> dict[str, Any]:
    base = {"name": name, "served": True, "storage": False, "schema": {"openAPIV3Schema": SCHEMA}}
    return {**base, **more}


def definition(*versions: dict[str, Any], established: bool = True) -> dict[str, Any]:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "categories": ["all"]}
    status = "True" if established else "False"
    return {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": names,
            "versions": list(versions),
        },
        "status": {
            "acceptedNames": names,
            "conditions": [{"type": "Established", "status": status}],
        },
    }


def test_before_it_is_established_nothing_is_served() -> None:
    assert kinds_of(definition(version("v1", storage=True), established=False)) == ()


def test_a_kind_has_what_the_definition_says() -> None:
    paths = {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.b"}
    [kind] = kinds_of(definition(version("v1", storage=True, subresources={"scale": paths})))
    assert (kind.resource.api_version, kind.resource.kind) == ("example.com/v1", "Widget")
    assert (kind.resource.namespaced, kind.categories, kind.subresources) == (
        False,
        ("all",),
        ("scale",),
    )
    assert kind.custom is not None and kind.custom.scale is not None
    assert kind.custom.scale.status_replicas == ("status", "b")


def test_versions_are_in_the_order_of_preference() -> None:
    names = ["foo", "v1alpha1", "v10", "v1", "v2beta2", "v2beta10", "v3alpha1"]
    found = kinds_of(definition(*(version(each, storage=each == "v1") for each in names)))
    order = [each.resource.version for each in found]
    assert order == ["v10", "v1", "v2beta10", "v2beta2", "v3alpha1", "v1alpha1", "foo"]


def test_a_version_that_is_not_served_is_still_what_is_stored() -> None:
    [kind] = kinds_of(definition(version("v1", storage=True, served=False), version("v2")))
    assert (kind.resource.version, kind.stored.version) == ("v2", "v1")
    assert kind.rules is kind
    asked = {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "a"}}
    stored = kind.to_stored(asked)
    assert stored["apiVersion"] == "example.com/v1"
    assert kind.from_stored(stored) == asked


def test_what_is_read_is_in_the_shape_of_the_version() -> None:
    schema = {"openAPIV3Schema": DEFAULTED}
    [kind] = kinds_of(definition(version("v1", storage=True, schema=schema)))
    stored = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "b": 1}
    assert kind.from_stored(stored) == {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a"},
        "a": "x",
    }


def test_a_single_version_without_defaults_is_shown_as_it_is_stored() -> None:
    [kind] = kinds_of(definition(version("v1", storage=True)))
    stored = {"kind": "Widget"}
    assert kind.from_stored(stored) is stored


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        (
            {"deprecated": True},
            "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget",
        ),
        ({"deprecated": True, "deprecationWarning": "Leave."}, "Leave."),
    ],
)
def test_a_deprecated_version_says_which_is_better(more: dict[str, Any], words: str) -> None:
    old = kinds_of(definition(version("v1", storage=True), version("v1beta1", **more)))[1]
    assert old.custom is not None and old.custom.deprecation == words


def test_the_newest_deprecated_version_knows_no_better_one() -> None:
    [kind] = kinds_of(definition(version("v1", storage=True, deprecated=True)))
    assert kind.custom is not None
    assert kind.custom.deprecation == "example.com/v1 Widget is deprecated"


def test_selectable_fields_are_named_as_selectors_name_them() -> None:
    fields = [{"jsonPath": ".spec.a"}]
    [kind] = kinds_of(definition(version("v1", storage=True, selectableFields=fields)))
    assert kind.custom is not None
    read = kind.custom.selectable["spec.a"]
    assert (read({"spec": {"a": "x"}}), read({"spec": 3}), read({})) == ("x", None, None)
