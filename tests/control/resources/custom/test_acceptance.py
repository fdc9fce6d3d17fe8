"""Names are given once."""

from typing import Any

from control.resources.custom.acceptance import FINALIZER, accepted, going, stored_versions

NOW, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"


def definition(plural: str, kind: str, *short: str, group: str = "example.com") -> dict[str, Any]:
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    versions = [{"name": "v1", "storage": True}, {"name": "v2", "storage": False}]
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {**names, "shortNames": list(short)},
            "versions": versions,
        },
    }


def given(made: dict[str, Any], *others: dict[str, Any], now: str = NOW) -> dict[str, Any]:
    return {**made, "status": accepted(made, others, now)}


def conditions(made: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {
        each["type"]: (each["status"], each["reason"], each["message"])
        for each in made["status"]["conditions"]
    }


def test_free_names_are_accepted_and_the_kind_is_established() -> None:
    made = given(definition("widgets", "Widget", "wd"))
    assert made["status"]["acceptedNames"] == made["spec"]["names"]
    assert conditions(made) == {
        "NamesAccepted": ("True", "NoConflicts", "no conflicts found"),
        "Established": ("True", "InitialNamesAccepted", "the initial names have been accepted"),
    }
    assert made["status"]["storedVersions"] == ["v1"]


def test_a_name_that_another_has_is_not() -> None:
    first = given(definition("widgets", "Widget"))
    second = given(definition("gadgets", "Widget"), first)
    assert conditions(second) == {
        "NamesAccepted": ("False", "ListKindConflict", '"WidgetList" is already in use'),
        "Established": ("False", "NotAccepted", "not all names are accepted"),
    }
    assert second["status"]["acceptedNames"]["plural"] == "gadgets"
    assert second["status"]["acceptedNames"]["kind"] == ""


def test_a_short_name_that_another_has_is_not() -> None:
    first = given(definition("widgets", "Widget", "wd"))
    second = given(definition("gadgets", "Gadget", "wd", "gd"), first)
    assert conditions(second)["NamesAccepted"][1:] == (
        "ShortNamesConflict",
        '"wd" is already in use',
    )
    assert "shortNames" not in second["status"]["acceptedNames"]


def test_names_of_another_group_are_no_matter() -> None:
    first = given(definition("widgets", "Widget"))
    second = given(definition("widgets", "Widget", group="example.org"), first)
    assert conditions(second)["NamesAccepted"][0] == "True"


def test_what_is_established_stays_so_under_a_conflict_that_comes_later() -> None:
    first = given(definition("gadgets", "Gadget", "gd"))
    old = given(definition("widgets", "Widget", "wd"))
    wished = {**old, "spec": definition("widgets", "Widget", "gd")["spec"]}
    new = given(wished, first, now=LATER)
    assert conditions(new)["NamesAccepted"][1] == "ShortNamesConflict"
    assert conditions(new)["Established"][0] == "True"
    assert new["status"]["acceptedNames"]["shortNames"] == ["wd"]


def test_a_date_moves_with_its_condition_alone() -> None:
    made = given(definition("widgets", "Widget"))
    again = given(made, now=LATER)
    assert again == made


def test_every_version_that_was_stored_is_kept() -> None:
    made = given(definition("widgets", "Widget"))
    versions = [{"name": "v1", "storage": False}, {"name": "v2", "storage": True}]
    made["spec"] = {**made["spec"], "versions": versions}
    assert stored_versions(made) == ["v1", "v2"]


def test_one_that_goes_is_held_until_its_objects_are_gone() -> None:
    made = going(given(definition("widgets", "Widget")), LATER)
    assert made["metadata"]["finalizers"] == [FINALIZER]
    assert conditions(made)["Terminating"][:2] == ("True", "InstanceDeletionPending")
    marked = {**made, "metadata": {**made["metadata"], "deletionTimestamp": LATER}}
    assert going(marked, LATER) == marked
