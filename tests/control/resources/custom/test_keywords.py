"""Reading the parts of a schema that say what is inside."""

from control.resources.custom.keywords import items_of, open_map, properties_of, values_of


def test_what_is_absent_or_no_schema_reads_as_nothing() -> None:
    assert (properties_of({}), items_of({}), values_of({})) == ({}, None, None)
    assert (values_of({"additionalProperties": True}), items_of({"items": []})) == (None, None)


def test_unknown_fields_are_kept_where_the_schema_says_so() -> None:
    assert open_map({"x-kubernetes-preserve-unknown-fields": True})
    assert open_map({"additionalProperties": True})
    assert not open_map({"additionalProperties": {"type": "string"}})
