"""What keeps a cluster from being settled: everything that was asked for and is not there yet.

Pure: documents in, sentences out. A cluster is settled when there is none, and every process has
seen it (`cluster.launcher.settled`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cluster.objects.selectors import LabelSelector, label_selector_from

Document = Mapping[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"
OVER = frozenset({"Succeeded", "Failed"})


def unsettled(
    *,
    nodes: Iterable[Document],
    deployments: Iterable[Document],
    replica_sets: Iterable[Document],
    pods: Iterable[Document],
    services: Iterable[Document],
    slices: Iterable[Document],
    expected_nodes: Iterable[str] = (),
) -> list[str]:
    """Why the cluster is not settled, a sentence each."""
    listed_nodes, listed_pods = list(nodes), list(pods)
    alive = {_name(node) for node in listed_nodes if _condition(node, "Ready") == "True"}
    expected = set(expected_nodes)
    reasons = [f"node {each} is not Ready" for each in sorted(expected - alive)]
    reasons += [text for each in deployments if (text := _rolling(each))]
    reasons += [text for each in replica_sets if (text := _scaling(each))]
    working = [each for each in listed_pods if not _stranded(each, alive | expected)]
    reasons += [text for each in working if (text := _starting(each))]
    reasons += _unserved(services, listed_pods, slices)
    return reasons


def _rolling(deployment: Document) -> str:
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    metadata = deployment["metadata"]
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < metadata.get("generation", 1):
        return f"deployment {_full(deployment)} has not been looked at"
    if spec.get("paused"):
        return ""
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or available < wanted or status.get("replicas", 0) > wanted:
        return f"deployment {_full(deployment)}: {available} of {wanted} available"
    return ""


def _scaling(replica_set: Document) -> str:
    spec, status = replica_set.get("spec") or {}, replica_set.get("status") or {}
    if status.get("replicas", 0) != spec.get("replicas", 1):
        have, wanted = status.get("replicas", 0), spec.get("replicas", 1)
        return f"replica set {_full(replica_set)}: {have} of {wanted} pods"
    return ""


def _stranded(pod: Document, nodes: set[str]) -> bool:
    """Whether a pod has to go, and nobody is there to end it until its node returns (P-72)."""
    on = (pod.get("spec") or {}).get("nodeName", "")
    return "deletionTimestamp" in pod["metadata"] and bool(on) and on not in nodes


def _starting(pod: Document) -> str:
    status = pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"]:
        return f"pod {_full(pod)} is terminating"
    if status.get("phase") in OVER or _condition(pod, "Ready") == "True":
        return ""
    return f"pod {_full(pod)} is not Ready{_why(status)}"


def _why(status: Mapping[str, Any]) -> str:
    for each in status.get("containerStatuses") or ():
        waiting = (each.get("state") or {}).get("waiting")
        if waiting:
            return f": {waiting.get('reason')}: {waiting.get('message', '')}".rstrip(": ")
    for each in status.get("conditions") or ():
        if each.get("status") == "False" and each.get("message"):
            return f": {each['message']}"
    return ""


def _unserved(
    services: Iterable[Document], pods: list[Document], slices: Iterable[Document]
) -> Iterator[str]:
    """Services whose EndpointSlices do not name the pods that are ready now."""
    ready_in_slices: dict[tuple[str, str], set[str]] = {}
    for each in slices:
        owner = (each["metadata"].get("labels") or {}).get(SERVICE_NAME, "")
        ready = ready_in_slices.setdefault((each["metadata"]["namespace"], owner), set())
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                ready |= set(endpoint.get("addresses") or ())
    for service in services:
        yield from _service(service, pods, ready_in_slices)


def _service(
    service: Document, pods: list[Document], slices: Mapping[tuple[str, str], set[str]]
) -> Iterator[str]:
    spec, metadata = service.get("spec") or {}, service["metadata"]
    if spec.get("type") == "LoadBalancer" and not (
        (service.get("status") or {}).get("loadBalancer") or {}
    ).get("ingress"):
        yield f"service {_full(service)} has no load balancer yet"
    if not spec.get("selector") or spec.get("publishNotReadyAddresses"):
        return
    selector = label_selector_from({"matchLabels": spec["selector"]})
    wanted = {ip for pod in pods for ip in _ready_ip(pod, metadata["namespace"], selector)}
    if wanted != slices.get((metadata["namespace"], metadata["name"]), set()):
        yield f"service {_full(service)}: its endpoints are not up to date"


def _ready_ip(pod: Document, namespace: str, selector: LabelSelector) -> Iterator[str]:
    metadata, status = pod["metadata"], pod.get("status") or {}
    if metadata["namespace"] == namespace and selector.matches(metadata.get("labels") or {}):
        gone = "deletionTimestamp" in metadata or status.get("phase") in OVER
        if status.get("podIP") and not gone and _condition(pod, "Ready") == "True":
            yield status["podIP"]


def _condition(document: Document, kind: str) -> str:
    for each in (document.get("status") or {}).get("conditions") or ():
        if each.get("type") == kind:
            return str(each.get("status", ""))
    return ""


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])


def _full(document: Document) -> str:
    metadata = document["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"
