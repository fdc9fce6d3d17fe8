"""One HorizontalPodAutoscaler in two versions: v1 knows the CPU, annotations keep the rest."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from control.resources.conversion.autoscaling import AUTOSCALERS, KEPT


def metric(name: str = "cpu", **target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


CPU = metric(type="Utilization", averageUtilization=80)
MEMORY = metric("memory", type="AverageValue", averageValue="1Gi")


def stored(*metrics: dict[str, Any], **fields: Any) -> dict[str, Any]:
    spec = {"maxReplicas": 3, "metrics": list(metrics)}
    return {"apiVersion": "autoscaling/v2", "metadata": {"name": "a"}, "spec": spec, **fields}


def test_the_cpu_is_a_percentage_in_v1() -> None:
    shown = AUTOSCALERS.from_stored(stored(CPU))
    assert shown == {
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "a"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 80},
    }
    assert AUTOSCALERS.to_stored(shown) == stored(CPU)


def test_what_v1_has_no_field_for_is_kept_in_annotations() -> None:
    conditions = [{"type": "AbleToScale", "status": "True"}]
    used = {"name": "cpu", "current": {"averageUtilization": 12}}
    measured = {"type": "Resource", "resource": used}
    whole = stored(CPU, MEMORY, status={"conditions": conditions, "currentMetrics": [measured]})
    shown = AUTOSCALERS.from_stored(whole)
    annotations = shown["metadata"]["annotations"]
    assert orjson.loads(annotations["autoscaling.alpha.kubernetes.io/metrics"]) == [MEMORY]
    assert shown["status"] == {"currentCPUUtilizationPercentage": 12}
    assert AUTOSCALERS.to_stored(shown) == whole


def test_an_annotation_that_somebody_broke_keeps_nothing() -> None:
    broken = dict.fromkeys(KEPT, "{")
    given = {"metadata": {"annotations": broken}, "spec": {"targetCPUUtilizationPercentage": 80}}
    assert AUTOSCALERS.to_stored(given) == {
        "apiVersion": "autoscaling/v2",
        "metadata": {},
        "spec": {"metrics": [CPU]},
    }


@given(st.lists(st.sampled_from([CPU, MEMORY]), min_size=1, max_size=4))
def test_nothing_is_lost_on_the_way_there_and_back(metrics: list[dict[str, Any]]) -> None:
    whole = stored(*metrics)
    assert AUTOSCALERS.to_stored(AUTOSCALERS.from_stored(whole)) == whole
    assert whole == stored(*metrics), "the document given is left alone"
