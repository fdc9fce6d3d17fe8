"""Pods, alone and in templates: defaults that depend on other fields, and what admission adds.

Pure: documents in, documents out. Spec: P-29, P-42, P-70; kubernetes.io, "Images", "Pod Quality of
Service Classes".
"""

from collections.abc import Mapping
from typing import Any

from control.resources.quantities import canonical_quantity
from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.pod_updates import pod_update_causes
from control.resources.validation.pods import pod_causes

Spec = dict[str, Any]
CONTAINERS = ("initContainers", "containers")
SERVICE_ACCOUNT = "default"
TOLERATION_SECONDS = 300
TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
COMPUTE = ("cpu", "memory")
PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def with_pod_defaults(spec: Mapping[str, Any]) -> Spec:
    """A pod's spec, also a template's, with the defaults that depend on other fields."""
    filled = dict(spec)
    host = bool(filled.get("hostNetwork"))
    for key in (*CONTAINERS, "ephemeralContainers"):
        if key in filled:
            filled[key] = [_with_container_defaults(each, host=host) for each in filled[key]]
    if "volumes" in filled:
        filled["volumes"] = [_with_source(volume) for volume in filled["volumes"]]
    if filled.get("serviceAccountName") and not filled.get("serviceAccount"):
        filled["serviceAccount"] = filled["serviceAccountName"]
    elif filled.get("serviceAccount") and not filled.get("serviceAccountName"):
        filled["serviceAccountName"] = filled["serviceAccount"]
    return filled


def with_template_defaults(document: Document) -> Document:
    """A workload with its template's defaults."""
    spec = document.get("spec") or {}
    template = spec.get("template") or {}
    if "spec" not in template:
        return document
    filled = {**template, "spec": with_pod_defaults(template["spec"])}
    return {**document, "spec": {**spec, "template": filled}}


def _with_defaults(pod: Document) -> Document:
    return {**pod, "spec": with_pod_defaults(pod.get("spec") or {})}


def _admitted(pod: Document) -> Document:
    """A new pod with what admission adds: account, priority, tolerations."""
    spec = dict(pod.get("spec") or {})
    if not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec.get("serviceAccount") or SERVICE_ACCOUNT
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", PRIORITIES.get(spec.get("priorityClassName") or "", 0))
    tolerations = list(spec.get("tolerations") or ())
    for key in TOLERATED:
        if not any(_tolerates(each, key) for each in tolerations):
            tolerations.append(
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": TOLERATION_SECONDS,
                }
            )
    return {**pod, "spec": {**spec, "tolerations": tolerations}}


def _tolerates(toleration: Mapping[str, Any], key: str) -> bool:
    """Whether a pod says itself how long it stays on a node that fails (P-70)."""
    return (toleration.get("key") or key) == key and toleration.get("effect") in (
        None,
        "",
        "NoExecute",
    )


def _status(pod: Document) -> Document:
    return {"phase": "Pending", "qosClass": qos_class(pod.get("spec") or {})}


def qos_class(spec: Mapping[str, Any]) -> str:
    """How much a pod is promised: Guaranteed, Burstable or BestEffort."""
    resources = [each.get("resources") or {} for key in CONTAINERS for each in spec.get(key) or ()]
    asked = [_compute(each, "requests") for each in resources]
    limited = [_compute(each, "limits") for each in resources]
    if not any(asked) and not any(limited):
        return "BestEffort"
    if all(len(each) == len(COMPUTE) for each in limited) and asked == limited:
        return "Guaranteed"
    return "Burstable"


def _compute(resources: Mapping[str, Any], which: str) -> dict[str, Any]:
    amounts = {key: (resources.get(which) or {}).get(key) for key in COMPUTE}
    spelled = {key: canonical_quantity(str(each)) for key, each in amounts.items() if each}
    return {key: each for key, each in spelled.items() if each not in (None, "0")}


def _with_container_defaults(container: Mapping[str, Any], *, host: bool) -> Spec:
    filled = dict(container)
    filled.setdefault("imagePullPolicy", _pull_policy(filled.get("image") or ""))
    resources = filled.get("resources") or {}
    if resources.get("limits"):
        requests = {**resources["limits"], **(resources.get("requests") or {})}
        filled["resources"] = {**resources, "requests": requests}
    if host and "ports" in filled:
        filled["ports"] = [_with_host_port(port) for port in filled["ports"]]
    return filled


def _pull_policy(image: str) -> str:
    """Only what cannot change need not be fetched again."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "IfNotPresent" if digest or tag not in ("", "latest") else "Always"


def _with_host_port(port: Mapping[str, Any]) -> Spec:
    """On the node's network a port is the node's (P-29)."""
    if port.get("hostPort") or "containerPort" not in port:
        return dict(port)
    return {**port, "hostPort": port["containerPort"]}


def _with_source(volume: Mapping[str, Any]) -> Spec:
    """A volume that says nothing but its name is an empty directory."""
    return {**volume, "emptyDir": {}} if set(volume) <= {"name"} else dict(volume)


POD = Strategy(
    status=_status,
    generation=True,
    created=_admitted,
    defaults=_with_defaults,
    causes=pod_causes,
    update_causes=pod_update_causes,
    returned_when_deleted=True,
)
