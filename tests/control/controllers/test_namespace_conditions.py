"""What a namespace that goes still holds, in its conditions."""

from typing import Any

from cluster.objects.resources import CONFIG_MAPS, PODS, Resource
from control.controllers.namespace_conditions import deletion_conditions

THEN, NOW = "2030-01-01T00:00:00Z", "2030-01-01T00:00:09Z"
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


def held(*finalizers: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "finalizers": list(finalizers)}}


def by_type(conditions: list[Any]) -> dict[str, Any]:
    return {each["type"]: each for each in conditions}


def test_what_is_left_is_counted_by_resource_and_by_finalizer() -> None:
    remaining = {WIDGETS: [held("x/hold"), held("x/hold", "x/more")], CONFIG_MAPS: [held()]}
    told = by_type(deletion_conditions({}, remaining, NOW))
    content, finalizers = (
        told["NamespaceContentRemaining"],
        told["NamespaceFinalizersRemaining"],
    )
    assert (content["status"], content["reason"]) == ("True", "SomeResourcesRemain")
    assert content["message"] == (
        "Some resources are remaining: configmaps. has 1 resource instances, "
        "widgets.example.com has 2 resource instances"
    )
    assert (finalizers["status"], finalizers["reason"]) == ("True", "SomeFinalizersRemain")
    assert finalizers["message"] == (
        "Some content in the namespace has finalizers remaining: "
        "x/hold in 2 resource instances, x/more in 1 resource instances"
    )


def test_an_empty_namespace_says_that_nothing_is_left() -> None:
    told = by_type(deletion_conditions({}, {PODS: []}, NOW))
    assert {each["status"] for each in told.values()} == {"False"}
    assert told["NamespaceContentRemaining"]["reason"] == "ContentRemoved"
    assert told["NamespaceFinalizersRemaining"]["reason"] == "ContentHasNoFinalizers"
    assert len(told) == 5


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    before = deletion_conditions({}, {PODS: [held("x/hold")]}, THEN)
    after = deletion_conditions({"status": {"conditions": before}}, {PODS: [held()]}, NOW)
    told = by_type(after)
    assert told["NamespaceContentRemaining"]["lastTransitionTime"] == THEN
    assert told["NamespaceFinalizersRemaining"]["lastTransitionTime"] == NOW
    same = deletion_conditions({"status": {"conditions": after}}, {PODS: [held()]}, NOW)
    assert same == after
