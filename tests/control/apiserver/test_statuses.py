"""Refusals in upstream's words."""

from dataclasses import dataclass

from cluster.objects.resources import DEPLOYMENTS, PODS
from control.apiserver import statuses


@dataclass
class Cause:
    field: str
    reason: str
    message: str


def test_not_found_names_resource_and_group() -> None:
    error = statuses.not_found(DEPLOYMENTS, "cart")
    assert str(error) == 'deployments.apps "cart" not found'
    assert error.status["details"] == {"name": "cart", "group": "apps", "kind": "deployments"}
    assert str(statuses.not_found(PODS, "p")) == 'pods "p" not found'


def test_one_wrong_field_is_told_plainly_and_several_in_a_list() -> None:
    one = Cause("spec.replicas", "FieldValueInvalid", "Invalid value: -1")
    two = Cause("spec.selector", "FieldValueRequired", "Required value")
    said = 'Deployment.apps "cart" is invalid: spec.replicas: Invalid value: -1'
    assert str(statuses.invalid(DEPLOYMENTS, "cart", [one])) == said
    error = statuses.invalid(DEPLOYMENTS, "cart", [one, two])
    assert str(error).endswith("[spec.replicas: Invalid value: -1, spec.selector: Required value]")
    assert [each["field"] for each in error.status["details"]["causes"]] == [
        "spec.replicas",
        "spec.selector",
    ]


def test_a_conflict_says_what_to_do() -> None:
    error = statuses.modified(PODS, "p")
    assert (error.code, error.reason) == (409, "Conflict")
    assert "please apply your changes to the latest version and try again" in str(error)


def test_success_may_say_of_what() -> None:
    assert "details" not in statuses.success()
    assert statuses.success({"name": "p"})["details"] == {"name": "p"}
