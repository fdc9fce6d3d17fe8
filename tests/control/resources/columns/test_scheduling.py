"""Priority classes and runtime classes as `kubectl get` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.scheduling import PRIORITY_CLASSES, RUNTIME_CLASSES


def test_what_pods_name(now: datetime, document: Callable[..., dict[str, Any]]) -> None:
    made = document("high", value=1000, globalDefault=True, preemptionPolicy="Never")
    assert PRIORITY_CLASSES.row(made, now) == ["high", 1000, True, "5m", "Never"]
    assert RUNTIME_CLASSES.row(document("gvisor", handler="runsc"), now) == [
        "gvisor",
        "runsc",
        "5m",
    ]
