"""Leases as `kubectl get leases` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.coordination import LEASES


def test_a_lease_shows_its_holder(now: datetime, document: Callable[..., dict[str, Any]]) -> None:
    held = document("node-1", spec={"holderIdentity": "node-1"})
    assert LEASES.row(held, now) == ["node-1", "node-1", "5m"]
    assert LEASES.row(document("node-1"), now) == ["node-1", "", "5m"]
