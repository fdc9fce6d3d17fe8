"""What /metrics says."""

from node_agent.kubelet.metrics import metrics_text
from node_agent.kubelet.pod_state import ContainerRecord


def test_pods_and_containers_are_counted():
    running = ContainerRecord().begin(0.0)
    ended = running.end(1, 1.0, scale=1.0)
    text = metrics_text([{"app": running, "log": ended}, {"app": ended.begin(2.0)}, {"app": ended}])
    assert "kubelet_running_pods 2\n" in text
    assert 'kubelet_running_containers{container_state="running"} 2\n' in text
    assert 'kubelet_running_containers{container_state="exited"} 2\n' in text
    assert "kubehop_container_restarts 1\n" in text
