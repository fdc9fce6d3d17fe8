"""HorizontalPodAutoscalers: what they measure when nothing is said.

Pure: documents in, documents out. Source: Kubernetes' pkg/apis/autoscaling/v2/defaults.go.
"""

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.autoscaling import autoscaler_causes

UTILIZATION = 80


def _measuring(autoscaler: Document) -> Document:
    """The CPU, if nothing is said."""
    spec = autoscaler.get("spec") or {}
    if spec.get("metrics"):
        return autoscaler
    target = {"type": "Utilization", "averageUtilization": UTILIZATION}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    return {**autoscaler, "spec": {**spec, "metrics": [metric]}}


def _nothing_counted(autoscaler: Document) -> Document:
    return {"currentReplicas": 0, "desiredReplicas": 0}


AUTOSCALER = Strategy(status=_nothing_counted, defaults=_measuring, causes=autoscaler_causes)
