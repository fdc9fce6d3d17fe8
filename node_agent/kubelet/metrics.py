"""What the kubelet tells Prometheus about its pods.

Pure: records in, exposition text out. Names are the real kubelet's where it has one.
"""

from collections.abc import Sequence

from node_agent.kubelet.pod_state import Records, Running, Terminated


def metrics_text(pods: Sequence[Records]) -> str:
    """The text of /metrics."""
    records = [record for pod in pods for record in pod.values()]
    states = {
        "running": sum(isinstance(record.state, Running) for record in records),
        "exited": sum(isinstance(record.state, Terminated) for record in records),
    }
    lines = [
        "# HELP kubelet_running_pods Number of pods that have a running container.",
        "# TYPE kubelet_running_pods gauge",
        f"kubelet_running_pods {sum(any(r.running for r in pod.values()) for pod in pods)}",
        "# HELP kubelet_running_containers Number of containers by state.",
        "# TYPE kubelet_running_containers gauge",
        *(
            f'kubelet_running_containers{{container_state="{state}"}} {count}'
            for state, count in states.items()
        ),
        "# HELP kubehop_container_restarts Restarts of the containers that this node holds.",
        "# TYPE kubehop_container_restarts gauge",
        f"kubehop_container_restarts {sum(record.restarts for record in records)}",
    ]
    return "\n".join(lines) + "\n"
