"""PodDisruptionBudgets: every refusal."""

from typing import Any

import pytest

from control.resources.validation.budgets import budget_causes


def told(**spec: Any) -> dict[str, str]:
    return {each.field: each.message for each in budget_causes({"spec": spec})}


@pytest.mark.parametrize("amount", [0, 3, "0%", "50%", "100%"])
def test_numbers_and_percentages_are_fine(amount: Any) -> None:
    assert told(minAvailable=amount) == told(maxUnavailable=amount) == {}


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (-1, "must be greater than or equal to 0"),
        ("half", "a valid percent string must be"),
        ("101%", "must not be greater than 100%"),
        ("9" * 5000 + "%", "must not be greater than 100%"),
    ],
)
def test_other_amounts_are_not(amount: Any, words: str) -> None:
    assert words in told(maxUnavailable=amount)["spec.maxUnavailable"]


def test_one_of_both_is_said() -> None:
    (message,) = told(minAvailable=1, maxUnavailable=1).values()
    assert message.endswith("minAvailable and maxUnavailable cannot be both set")


def test_the_policy_for_unhealthy_pods_is_known() -> None:
    assert told(unhealthyPodEvictionPolicy="AlwaysAllow") == {}
    assert told(unhealthyPodEvictionPolicy="Never") == {
        "spec.unhealthyPodEvictionPolicy": (
            'Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"'
        )
    }
