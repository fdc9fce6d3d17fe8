"""Columns as tables define them."""

from control.resources.columns.printer import NAME, Column, Printer, integer, no_conditions, wide


def test_a_definition_has_all_five_fields() -> None:
    assert NAME.definition() == {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": NAME.description,
        "priority": 0,
    }


def test_wide_columns_have_priority_one_and_integers_their_type() -> None:
    assert wide("IP", "an address").priority == 1
    assert integer("Ready", "how many").type == "integer"


def test_a_printer_defines_its_columns_in_order_and_marks_no_row() -> None:
    printer = Printer((NAME, Column("Data", "how many")), lambda document, now: [])
    assert [each["name"] for each in printer.definitions()] == ["Name", "Data"]
    assert printer.conditions({}) == no_conditions({}) == []
