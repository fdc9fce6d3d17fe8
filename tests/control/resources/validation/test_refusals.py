"""Causes as clients read them."""

from control.resources.validation import refusals


def test_values_are_shown_as_json_and_reasons_have_their_words() -> None:
    assert refusals.invalid("a", "x", "why").message == 'Invalid value: "x": why'
    assert refusals.invalid("a", 5, "why").message == "Invalid value: 5: why"
    assert refusals.invalid("a", ["x"], "why").message == 'Invalid value: ["x"]: why'
    assert refusals.invalid("a", None, "why").message == "Invalid value: null: why"
    assert refusals.required("a").message == "Required value"
    assert refusals.required("a", "why").message == "Required value: why"
    assert refusals.duplicate("a", "x").message == 'Duplicate value: "x"'
    assert refusals.forbidden("a", "why").message == "Forbidden: why"
    assert refusals.too_many("a", 3, 2).message == "Too many: 3: must have at most 2 items"
    unsupported = refusals.unsupported("a", "x", ("c", "b"))
    assert unsupported.message == 'Unsupported value: "x": supported values: "c", "b"'
    assert unsupported.reason == "FieldValueNotSupported"


def test_a_field_that_did_not_change_is_no_cause() -> None:
    assert refusals.unchanged("a", 1, 1) == []
    assert refusals.unchanged("a", 2, 1)[0].message == "Invalid value: 2: field is immutable"
