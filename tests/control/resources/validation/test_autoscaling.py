"""HorizontalPodAutoscalers: every refusal."""

from typing import Any

import pytest

from control.resources.validation.autoscaling import autoscaler_causes

TARGET = {"kind": "Deployment", "name": "web"}
CPU = {"type": "Utilization", "averageUtilization": 80}


def found(**spec: Any) -> dict[str, str]:
    given = {"maxReplicas": 3, "minReplicas": 1, "scaleTargetRef": TARGET, **spec}
    return {each.field: each.message for each in autoscaler_causes({"spec": given})}


def resource(**target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def test_a_good_one_has_no_causes() -> None:
    assert found(metrics=[resource(**CPU)]) == {}


def test_bounds_are_in_order() -> None:
    words = "Invalid value: 2: must be greater than or equal to `minReplicas`"
    assert found(maxReplicas=2, minReplicas=3) == {"spec.maxReplicas": words}
    assert found(maxReplicas=0, minReplicas=None) == {
        "spec.maxReplicas": "Invalid value: 0: must be greater than 0"
    }
    assert found(minReplicas=0) == {
        "spec.minReplicas": "Invalid value: 0: must be greater than or equal to 1"
    }


def test_something_is_scaled() -> None:
    assert set(found(scaleTargetRef={})) == {
        "spec.scaleTargetRef.kind",
        "spec.scaleTargetRef.name",
    }


@pytest.mark.parametrize(
    ("metric", "field", "words"),
    [
        ({}, "type", "Required value: must specify a metric source type"),
        (
            {"type": "Moon"},
            "type",
            'Unsupported value: "Moon": supported values: "ContainerResource", "External", '
            '"Object", "Pods", "Resource"',
        ),
        (
            {"type": "Pods"},
            "pods",
            "Required value: must populate information for the given metric source",
        ),
        (
            {**resource(**CPU), "external": {}},
            "external",
            "Forbidden: must populate the given metric source only",
        ),
        (
            resource(averageUtilization=80),
            "resource.target.type",
            "Required value: must specify a metric target type",
        ),
        (
            resource(type="Much", averageUtilization=80),
            "resource.target.type",
            'Invalid value: "Much": must be either Utilization, Value, or AverageValue',
        ),
        (
            resource(type="Utilization", averageUtilization=0),
            "resource.target.averageUtilization",
            "Invalid value: 0: must be greater than 0",
        ),
        (
            resource(type="Utilization"),
            "resource.target.averageUtilization",
            "Required value: must set either a target raw value or a target utilization",
        ),
        (
            resource(**CPU, averageValue="1"),
            "resource.target.averageValue",
            "Forbidden: may not set both a target raw value and a target utilization",
        ),
    ],
)
def test_a_metric_is_of_one_source_with_a_target(
    metric: dict[str, Any], field: str, words: str
) -> None:
    assert found(metrics=[metric]) == {f"spec.metrics[0].{field}": words}
