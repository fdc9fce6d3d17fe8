"""Label selectors of documents (N-10)."""

from typing import Any

import pytest

from control.resources.validation.selectors import selector_causes, selects


def told(**expression: Any) -> list[str]:
    causes = selector_causes({"matchExpressions": [{"key": "a", **expression}]}, "s")
    return [f"{each.field}: {each.message}" for each in causes]


@pytest.mark.parametrize("operator", ["In", "NotIn"])
def test_sets_need_values(operator: str) -> None:
    assert told(operator=operator, values=["b"]) == []
    assert told(operator=operator) == [
        "s.matchExpressions[0].values: Required value: "
        "must be specified when `operator` is 'In' or 'NotIn'"
    ]


@pytest.mark.parametrize("operator", ["Exists", "DoesNotExist"])
def test_existence_takes_none(operator: str) -> None:
    assert told(operator=operator) == []
    assert told(operator=operator, values=["b"]) == [
        "s.matchExpressions[0].values: Forbidden: "
        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    ]


def test_keys_values_and_operators_are_known() -> None:
    assert told(operator="Near") == [
        's.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator'
    ]
    assert told(operator="Exists", key="a b")[0].startswith("s.matchExpressions[0].key: Invalid")
    assert told(operator="In", values=["b c"])[0].startswith("s.matchExpressions[0].values[0]: ")
    (cause,) = selector_causes({"matchLabels": {"a": "b c"}}, "s")
    assert cause.field == "s.matchLabels"


def test_a_selector_that_is_wrong_is_not_said_to_miss() -> None:
    assert selects({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"})
    assert not selects({"matchLabels": {"a": "b"}}, {"a": "c"})
    assert selects({"matchExpressions": [{"key": "a", "operator": "Near"}]}, {})
