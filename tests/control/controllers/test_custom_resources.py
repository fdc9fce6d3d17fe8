"""Definitions: emptied before they go, and named anew when a name falls free."""

from typing import Any

import pytest

from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.controllers import custom_resources
from control.controllers.custom_resources import custom_resource, reconcile
from control.controllers.view import Key, key_of
from control.controllers.writes import DeleteAll, FinalizeDefinition, Patch
from control.resources.custom.acceptance import FINALIZER, accepted

NOW = "2026-01-01T12:00:00Z"
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


def definition(
    plural: str = "widgets", *others: dict[str, Any], kind: str = "Widget", **metadata: Any
) -> dict[str, Any]:
    names = {"plural": plural, "singular": plural, "kind": kind, "listKind": f"{kind}List"}
    versions = [
        {"name": "v1beta1", "served": True, "storage": False},
        {"name": "v1", "served": True, "storage": True},
    ]
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    name = f"{plural}.example.com"
    made: dict[str, Any] = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "uid": name, "resourceVersion": "1", **metadata},
        "spec": spec,
    }
    return {**made, "status": accepted(made, others, NOW)}


def going(**more: Any) -> dict[str, Any]:
    return {**definition(deletionTimestamp=NOW, finalizers=[FINALIZER]), **more}


def plan(view: Any, *documents: dict[str, Any]) -> list[Any]:
    key = key_of(CUSTOM_RESOURCE_DEFINITIONS, documents[0])
    return list(reconcile(view(*documents), key))


def test_a_definition_that_goes_says_so_then_is_emptied_then_let_go(view: Any) -> None:
    held = going()
    [told] = plan(view, held)
    assert isinstance(told, Patch)
    conditions = {each["type"]: each["reason"] for each in told.changes["status"]["conditions"]}
    assert conditions["Terminating"] == "InstanceDeletionInProgress"
    after = going(status=told.changes["status"])
    assert plan(view, after) == [DeleteAll(WIDGETS, ""), FinalizeDefinition(after, WIDGETS)]


def test_one_that_was_never_served_has_nothing_to_empty(view: Any) -> None:
    held = going(status={})
    assert plan(view, held) == [FinalizeDefinition(held, None)]


def test_one_that_others_hold_waits_for_them(view: Any) -> None:
    held = definition(deletionTimestamp=NOW, finalizers=["example.com/hold"])
    assert plan(view, held) == []


def test_a_definition_with_its_names_is_left_alone(view: Any) -> None:
    assert plan(view, definition()) == []
    missing = Key(CUSTOM_RESOURCE_DEFINITIONS, "", "missing")
    assert list(reconcile(view(), missing)) == []


def test_a_name_that_falls_free_is_given_to_who_waits_for_it(view: Any) -> None:
    first = definition()
    second = definition("gadgets", first)
    assert plan(view, second, first) == []
    [given] = plan(view, second)
    assert (given.name, given.subresource) == ("gadgets.example.com", "status")
    assert given.changes["status"]["acceptedNames"]["kind"] == "Widget"


def test_who_waits_is_looked_at_when_another_definition_changes(view: Any) -> None:
    first = definition()
    second = definition("gadgets", first)
    keys_of = custom_resources.controller().watches[CUSTOM_RESOURCE_DEFINITIONS]
    names = [each.name for each in keys_of(view(second).objects, first, None)]
    assert names == ["widgets.example.com", "gadgets.example.com"]


@pytest.mark.parametrize(
    ("served", "version"),
    [((True, True), "v1"), ((True, False), "v1beta1"), ((False, False), "v1")],
)
def test_a_resource_is_reached_in_the_stored_version_where_that_is_served(
    served: tuple[bool, bool], version: str
) -> None:
    held = definition()
    for each, yes in zip(held["spec"]["versions"], served, strict=True):
        each["served"] = yes
    found = custom_resource(held)
    assert found is not None and found.version == version


def test_before_it_is_established_it_has_no_resource(view: Any) -> None:
    second = definition("gadgets", definition())
    assert custom_resource(second) is None
    objects = view(definition(), second).objects
    assert list(custom_resources.custom_resources(objects)) == [WIDGETS]
