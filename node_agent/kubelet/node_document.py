"""A node as it describes itself: labels, addresses, capacity, conditions.

Pure: facts in, plain JSON documents out.
Spec: P-25, P-26, P-66; kubernetes.io, "Nodes".
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from cluster import KUBERNETES, __version__
from cluster.dataclass import dataclass
from node_agent.kubelet.timestamps import micro_text, seconds_text

KUBELET_VERSION = f"v{'.'.join(KUBERNETES)}.0+kubehop.{__version__}"
LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
PODS_MAX = 110
NO_NETWORK = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What a node knows of itself when it starts."""

    name: str
    internal_ip: str  # emulated
    external_ip: str  # real: where node ports listen
    tunnel: str  # "IP:PORT", real
    kubelet: str  # "unix:PATH" or "https://IP:PORT"
    kubelet_port: int = 10250
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    operating_system: str = "linux"
    architecture: str = "amd64"
    kernel: str = ""
    machine_id: str = ""
    cpus: int = 1
    memory_bytes: int = 0
    disk_bytes: int = 0


def node_document(facts: NodeFacts, now: float) -> dict[str, Any]:
    """The Node object to create; its network is not ready yet."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": facts.name,
            "labels": labels(facts),
            "annotations": annotations(facts),
        },
        "spec": {},
        "status": status(facts, network_ready=False, now=now, before={}),
    }


def labels(facts: NodeFacts) -> dict[str, str]:
    """The well-known labels, then the user's."""
    own = {
        "kubernetes.io/hostname": facts.name,
        "kubernetes.io/os": facts.operating_system,
        "kubernetes.io/arch": facts.architecture,
        "beta.kubernetes.io/os": facts.operating_system,
        "beta.kubernetes.io/arch": facts.architecture,
    }
    if facts.zone:
        own["topology.kubernetes.io/zone"] = facts.zone
    return own | dict(facts.labels)


def annotations(facts: NodeFacts) -> dict[str, str]:
    """Where other processes of kubehop find this node."""
    return {
        "kubehop.dev/tunnel": facts.tunnel,
        "kubehop.dev/kubelet": facts.kubelet,
        "kubehop.dev/address": facts.external_ip,
    }


def status(
    facts: NodeFacts, *, network_ready: bool, now: float, before: Mapping[str, Any]
) -> dict[str, Any]:
    """The node's status; `before` gives the conditions their transition times."""
    resources = {
        "cpu": str(facts.cpus),
        "memory": f"{facts.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{facts.disk_bytes // 1024}Ki",
        "pods": str(PODS_MAX),
    }
    return {
        "addresses": [
            {"type": "InternalIP", "address": facts.internal_ip},
            {"type": "ExternalIP", "address": facts.external_ip},
            {"type": "Hostname", "address": facts.name},
        ],
        "capacity": resources,
        "allocatable": resources,
        "conditions": _conditions(network_ready, now, before),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": facts.kubelet_port}},
        "nodeInfo": _node_info(facts),
    }


def _node_info(facts: NodeFacts) -> dict[str, str]:
    return {
        "architecture": facts.architecture,
        "operatingSystem": facts.operating_system,
        "kernelVersion": facts.kernel,
        "osImage": "kubehop",
        "containerRuntimeVersion": "kubehop://1",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": KUBELET_VERSION,
        "machineID": facts.machine_id,
        "systemUUID": facts.machine_id,
        "bootID": facts.machine_id,
    }


_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def _conditions(network_ready: bool, now: float, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = {each["type"]: each for each in before.get("conditions") or ()}
    ready = (
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status")
        if network_ready
        else ("Ready", "False", "KubeletNotReady", NO_NETWORK)
    )
    wanted = [(kind, "False", reason, message) for kind, reason, message in _PRESSURES] + [ready]
    return [_condition(*each, now=now, before=known.get(each[0])) for each in wanted]


def _condition(
    kind: str,
    holds: str,
    reason: str,
    message: str,
    *,
    now: float,
    before: Mapping[str, Any] | None,
) -> dict[str, Any]:
    at = seconds_text(now)
    same = before is not None and before.get("status") == holds
    return {
        "type": kind,
        "status": holds,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": at,
        "lastTransitionTime": before["lastTransitionTime"] if before and same else at,
    }


def lease_document(name: str, node_uid: str, now: float) -> dict[str, Any]:
    """The node's Lease: its heartbeat (P-66)."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node_uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
        "spec": lease_spec(name, now),
    }


def lease_spec(name: str, now: float) -> dict[str, Any]:
    """What each renewal writes."""
    return {
        "holderIdentity": name,
        "leaseDurationSeconds": LEASE_SECONDS,
        "renewTime": micro_text(now),
    }
