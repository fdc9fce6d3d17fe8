"""What an autoscaler measures when nothing is said."""

from control.resources.strategies.autoscaling import AUTOSCALER


def test_it_is_the_cpu() -> None:
    made = AUTOSCALER.defaults({"spec": {"maxReplicas": 3}})
    target = {"type": "Utilization", "averageUtilization": 80}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    assert made == {"spec": {"maxReplicas": 3, "metrics": [metric]}}
    said = {"spec": {"metrics": [{"type": "Pods"}]}}
    assert AUTOSCALER.defaults(said) == said
