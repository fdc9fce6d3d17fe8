"""Selectors."""

from typing import Any

import pytest

from control.controllers.selection import meets, selects, selects_exactly

LABELS = {"app": "web", "tier": "front", "size": "3"}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({"app": "web"}, True),
        ({"app": "web", "tier": "front"}, True),
        ({"app": "web", "tier": "back"}, False),
        ({"missing": ""}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_services_selector_is_exact_and_never_empty(selector: Any, selected: bool) -> None:
    """S-152."""
    assert selects_exactly(selector, LABELS) is selected


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}],
            },
            False,
        ),
    ],
)
def test_a_label_selector_wants_all_of_its_parts(selector: Any, selected: bool) -> None:
    assert selects(selector, LABELS) is selected


@pytest.mark.parametrize(
    ("key", "operator", "values", "met"),
    [
        ("app", "In", ["web", "db"], True),
        ("app", "In", ["db"], False),
        ("app", "NotIn", ["db"], True),
        ("missing", "NotIn", ["db"], True),
        ("app", "Exists", None, True),
        ("missing", "Exists", None, False),
        ("missing", "DoesNotExist", None, True),
        ("app", "DoesNotExist", None, False),
        ("size", "Gt", ["2"], True),
        ("size", "Gt", ["3"], False),
        ("size", "Lt", ["4"], True),
        ("size", "Lt", ["3"], False),
        ("app", "Gt", ["1"], False),
        ("missing", "Lt", ["1"], False),
        ("app", "Unheard", ["web"], False),
    ],
)
def test_requirements(key: str, operator: str, values: list[str] | None, met: bool) -> None:
    requirement = {"key": key, "operator": operator, "values": values}
    assert meets(requirement, LABELS) is met
