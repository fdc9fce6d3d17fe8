"""What requests ask for besides their object."""

from typing import Any

import pytest

from cluster.errors import ApiError
from control.apiserver.options import (
    DeleteOptions,
    FieldValidation,
    ListOptions,
    WriteOptions,
    labels_of,
)


def test_the_field_manager_defaults_to_the_clients_name() -> None:
    assert WriteOptions.of({}, "kubectl/v1.37.0 (linux)").field_manager == "kubectl"
    assert WriteOptions.of({"fieldManager": "me"}, "kubectl/v1").field_manager == "me"


def test_unknown_fields_are_warned_of_by_default() -> None:
    assert WriteOptions.of({}).field_validation is FieldValidation.WARN
    strict = WriteOptions.of({"fieldValidation": "Strict"})
    assert strict.field_validation is FieldValidation.STRICT


def test_dry_run_knows_only_all() -> None:
    assert WriteOptions.of({"dryRun": "All"}).dry_run
    assert not WriteOptions.of({}).dry_run
    with pytest.raises(ApiError) as caught:
        WriteOptions.of({"dryRun": "Some"}, "", "UpdateOptions")
    assert (caught.value.code, str(caught.value)) == (
        422,
        'UpdateOptions.meta.k8s.io "" is invalid: '
        'dryRun: Unsupported value: ["Some"]: supported values: "All"',
    )
    with pytest.raises(ApiError, match=r'DeleteOptions\.meta\.k8s\.io "" is invalid: dryRun'):
        DeleteOptions.of({}, {"dryRun": ["Some"]})


def test_field_validation_knows_three_ways() -> None:
    with pytest.raises(ApiError) as caught:
        WriteOptions.of({"fieldValidation": "Maybe"})
    assert (caught.value.code, str(caught.value)) == (
        422,
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": '
        'supported values: "Ignore", "Strict", "Warn"',
    )


def test_deletion_takes_the_body_before_the_query() -> None:
    body = {
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "dryRun": ["All"],
    }
    options = DeleteOptions.of({"gracePeriodSeconds": "9"}, body)
    assert options == DeleteOptions(
        grace_seconds=0, propagation="Foreground", uid="u", resource_version="7", dry_run=True
    )
    assert DeleteOptions.of({"gracePeriodSeconds": "9"}, None).grace_seconds == 9


@pytest.mark.parametrize(
    ("given", "says", "code"),
    [
        ({"propagationPolicy": "Sideways"}, 'value: "Sideways": supported values: "Backgr', 422),
        ({"propagationPolicy": ["Orphan"]}, 'Unsupported value: \\["Orphan"\\]', 422),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "cannot be both set", 422),
        ({"gracePeriodSeconds": "soon"}, "'soon' is not a whole number", 400),
    ],
)
def test_deletion_options_that_are_wrong(given: dict[str, Any], says: str, code: int) -> None:
    with pytest.raises(ApiError, match=says) as caught:
        DeleteOptions.of({}, given)
    assert caught.value.code == code


def test_lists_take_selectors_and_pages() -> None:
    options = ListOptions.of({"labelSelector": "app=cart", "limit": "5", "continue": "x"})
    assert options.labels is not None and options.labels.matches({"app": "cart"})
    assert (options.limit, options.continue_token) == (5, "x")


def test_a_selector_that_cannot_be_read_is_400() -> None:
    with pytest.raises(ApiError, match="unable to parse the label selector") as caught:
        labels_of("a in (")
    assert caught.value.code == 400
    assert labels_of("") is None


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        ({"orphanDependents": True}, "Orphan"),
        ({"orphanDependents": False}, "Background"),
        ({}, None),
    ],
)
def test_dependents_can_be_orphaned_as_old_clients_ask(
    body: dict[str, object], policy: str | None
) -> None:
    assert DeleteOptions.of({}, body).propagation == policy
