"""HorizontalPodAutoscalers as `kubectl get hpa` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns.autoscaling import HORIZONTAL_POD_AUTOSCALERS, SCALES, targets

Make = Callable[..., dict[str, Any]]


def metric(type: str, target: dict[str, Any], current: dict[str, Any] | None = None) -> Any:
    key = type[:1].lower() + type[1:]
    named = {"name": "cpu"} if "Resource" in type else {}
    found = {"type": type, key: {"current": current}} if current else {}
    return {"type": type, key: {**named, "target": target}}, found


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            metric("Resource", {"averageUtilization": 80}, {"averageUtilization": 12}),
            "cpu: 12%/80%",
        ),
        (metric("Resource", {"averageUtilization": 80}), "cpu: <unknown>/80%"),
        (metric("ContainerResource", {}), "cpu: <unknown>/<auto>"),
        (metric("Resource", {"averageValue": "1"}, {"averageValue": "200m"}), "cpu: 200m/1"),
        (metric("Pods", {"averageValue": "10"}, {"averageValue": "3"}), "3/10"),
        (metric("External", {"averageValue": "10"}, {"averageValue": "3"}), "3/10 (avg)"),
        (metric("Object", {"value": "10"}), "<unknown>/10"),
        (metric("Other", {}), "<unknown type>"),
    ],
)
def test_a_metric_shows_what_is_and_what_is_wanted(document: Make, told: Any, shown: str) -> None:
    wanted, found = told
    status = {"currentMetrics": [found] if found else []}
    assert targets(document(spec={"metrics": [wanted]}, status=status)) == shown


def test_the_row_of_an_autoscaler(now: datetime, document: Make) -> None:
    metrics = [metric("Resource", {"averageUtilization": 80})[0]] * 3
    reference = {"kind": "Deployment", "name": "cart"}
    spec = {"scaleTargetRef": reference, "metrics": metrics, "minReplicas": 1, "maxReplicas": 9}
    made = document("cart", spec=spec, status={"currentReplicas": 2})
    cells = HORIZONTAL_POD_AUTOSCALERS.row(made, now)
    shown = "cpu: <unknown>/80%, cpu: <unknown>/80% + 1 more..."
    assert cells == ["cart", "Deployment/cart", shown, "1", 9, 2, "5m"]
    assert HORIZONTAL_POD_AUTOSCALERS.row(document(), now)[2:4] == ["<none>", "<unset>"]


def test_the_row_of_a_scale(now: datetime, document: Make) -> None:
    made = document("cart", spec={"replicas": 3}, status={"replicas": 2})
    assert SCALES.row(made, now) == ["cart", 3, 2, "5m"]
