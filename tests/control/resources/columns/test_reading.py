"""What is absent or null reads as empty."""

from control.resources.columns.reading import (
    deleting,
    is_true,
    items,
    name_of,
    part,
    spec_of,
    status_of,
)


def test_absent_and_null_parts_are_empty() -> None:
    assert spec_of({}) == status_of({"status": None}) == part({"a": None}, "a", "b") == {}
    assert list(items({"list": None}, "list")) == list(items({}, "list")) == []
    assert part({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}


def test_the_first_condition_of_a_type_decides() -> None:
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Ready", "status": "True"}]
    assert not is_true(conditions, "Ready")
    assert is_true(conditions[1:], "Ready")
    assert not is_true(conditions, "Other")


def test_deletion_and_name_are_in_the_metadata() -> None:
    going = {"metadata": {"name": "it", "deletionTimestamp": "2026-01-01T12:00:00Z"}}
    assert deleting(going)
    assert not deleting({"metadata": {"name": "it"}})
    assert name_of(going) == "it"
