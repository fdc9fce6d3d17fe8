"""The managers of an object, as it carries them."""

from typing import Any

import pytest

from control.resources.apply.managers import (
    ANCIENT,
    APPLY,
    UPDATE,
    UPDATERS_MAX,
    Manager,
    bounded,
    managed,
    read_managers,
    stored_managers,
    taken,
    with_entry,
    written,
)

ENTRY = {
    "manager": "kubectl",
    "operation": "Apply",
    "apiVersion": "v1",
    "time": "2026-01-01T12:00:00Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:data": {"f:a": {}}},
}


def updater(name: str, time: str = "", **more: Any) -> Manager:
    return Manager(name, UPDATE, "v1", {"f:data": {f"f:{name}": {}}}, time, **more)


def test_entries_are_read_and_written() -> None:
    managers = read_managers([ENTRY, {**ENTRY, "operation": "Update", "subresource": "status"}])
    assert managers is not None
    assert [each.operation for each in managers] == [APPLY, UPDATE]
    assert written(managers)[0] == ENTRY
    assert written(managers)[1]["subresource"] == "status"


@pytest.mark.parametrize(
    "entries",
    [
        "text",
        5,
        [5],
        [{**ENTRY, "operation": "Dream"}],
        [{**ENTRY, "apiVersion": ""}],
        [{**ENTRY, "fieldsType": "FieldsV9"}],
        [{**ENTRY, "fieldsV1": {"data": {}}}],
        [{**ENTRY, "fieldsV1": {"f:a": 5}}],
        [{**ENTRY, "manager": 5}],
    ],
)
def test_what_is_no_entry_is_not_read(entries: Any) -> None:
    assert read_managers(entries) is None


def test_who_applies_comes_first_then_the_older() -> None:
    applier = Manager("z", APPLY, "v1", {"f:a": {}}, "9")
    entries = written(
        [updater("b", "2"), updater("a", "1"), applier, Manager("no", UPDATE, "v1", None)]
    )
    assert [each["manager"] for each in entries] == ["z", "a", "b"]


def test_an_applier_is_one_whatever_its_version_an_updater_is_not() -> None:
    one, other = Manager("a", APPLY, "v1", None), Manager("a", APPLY, "v2", None)
    assert one.is_same(other)
    assert not Manager("a", UPDATE, "v1", None).is_same(Manager("a", UPDATE, "v2", None))
    assert not one.is_same(Manager("a", APPLY, "v1", None, subresource="status"))


def test_what_the_server_owns_is_nobodys() -> None:
    fields = {
        "f:apiVersion": {},
        "f:metadata": {"f:name": {}, "f:uid": {}},
        "f:status": {"f:x": {}},
    }
    assert managed(fields, status_apart=True) is None
    assert managed(fields, status_apart=False) == {"f:status": {"f:x": {}}}
    assert managed(fields, subresource="status", status_apart=True) == {"f:status": {"f:x": {}}}
    assert managed({}, status_apart=True) is None


def test_fields_are_taken_from_all_but_their_keeper() -> None:
    managers = (updater("a"), updater("b"))
    fields = {"f:data": {"f:a": {}, "f:b": {}}}
    left = taken(managers, fields, keeper=updater("a"))
    assert [each.fields for each in left] == [managers[0].fields, None]


def test_an_unchanged_entry_keeps_its_time() -> None:
    (kept,) = with_entry((updater("a", "1"),), updater("a", "2"))
    assert kept.time == "1"
    (changed,) = with_entry((updater("a", "1"),), Manager("a", UPDATE, "v1", {"f:b": {}}, "2"))
    assert changed.time == "2"


def test_the_oldest_updaters_become_one() -> None:
    managers = tuple(updater(f"m{number:02}", f"{number:02}") for number in range(UPDATERS_MAX + 3))
    made = bounded(managers)
    assert len(made) == UPDATERS_MAX
    ancient = next(each for each in made if each.name == ANCIENT)
    assert ancient.fields == {"f:data": {f"f:m{number:02}": {} for number in range(4)}}
    assert bounded(made) == made


def test_what_the_server_owns_is_nobodys_and_the_rest_stays_as_it_is() -> None:
    metadata = {".": {}, "f:name": {}, "f:labels": {"f:a": {}}, "f:uid": {}}
    fields = {"f:kind": {}, "f:metadata": metadata, "f:spec": {"f:x": {}}}
    kept = {"f:metadata": {".": {}, "f:labels": {"f:a": {}}}, "f:spec": {"f:x": {}}}
    assert managed(fields, status_apart=False) == kept
    assert managed({"f:kind": {}, "f:metadata": {"f:name": {}}}, status_apart=False) is None


def test_what_was_written_is_read_again() -> None:
    writer = Manager("a", UPDATE, "v1", {"f:x": {}}, "2026-01-01T12:00:00Z", "status")
    entries = written([writer])
    assert stored_managers(entries) == read_managers(entries) == (writer,)
