"""PodDisruptionBudgets as `kubectl get pdb` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.policy import POD_DISRUPTION_BUDGETS


def test_what_a_budget_does_not_limit_is_not_applicable(
    now: datetime, document: Callable[..., dict[str, Any]]
) -> None:
    budget = document("cart", spec={"minAvailable": "50%"}, status={"disruptionsAllowed": 1})
    assert POD_DISRUPTION_BUDGETS.row(budget, now) == ["cart", "50%", "N/A", 1, "5m"]
    other = document("cart", spec={"maxUnavailable": 0})
    assert POD_DISRUPTION_BUDGETS.row(other, now) == ["cart", "N/A", "0", 0, "5m"]
