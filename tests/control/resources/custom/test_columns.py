"""Columns by JSONPath."""

from datetime import UTC, datetime
from typing import Any

import pytest

from control.resources.custom.columns import custom_printer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CREATED = "2026-01-01T11:55:00Z"
DOCUMENT = {
    "metadata": {"name": "a", "creationTimestamp": CREATED},
    "spec": {"size": 3, "share": 0.5, "on": True, "tags": ["x"], "since": "never"},
}


@pytest.mark.parametrize(
    ("type_", "path", "cell"),
    [
        ("string", ".metadata.name", "a"),
        ("string", ".spec.size", "3"),
        ("string", ".spec.tags", '["x"]'),
        ("string", ".spec.nothing", None),
        ("integer", ".spec.size", 3),
        ("integer", ".spec.share", 0),
        ("integer", ".spec.on", None),
        ("number", ".spec.share", 0.5),
        ("number", ".metadata.name", None),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.size", None),
        ("date", ".metadata.creationTimestamp", "5m"),
        ("date", ".spec.since", "<invalid>"),
        ("date", ".spec.size", None),
    ],
)
def test_a_cell_is_what_its_path_leads_to(type_: str, path: str, cell: Any) -> None:
    printer = custom_printer([{"name": "C", "type": type_, "jsonPath": path}])
    assert printer.row(DOCUMENT, NOW) == ["a", cell]


def test_columns_are_as_the_definition_has_them() -> None:
    given = {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "format": "int32"}
    printer = custom_printer([{**given, "priority": 1, "description": "How big."}])
    assert printer.definitions()[1:] == [
        {
            "name": "Size",
            "type": "integer",
            "format": "int32",
            "description": "How big.",
            "priority": 1,
        }
    ]


def test_without_columns_the_age_is_shown() -> None:
    printer = custom_printer(())
    assert [each.name for each in printer.columns] == ["Name", "Age"]
    assert printer.row(DOCUMENT, NOW) == ["a", "5m"]
