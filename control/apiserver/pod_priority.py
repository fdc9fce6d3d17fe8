"""A new pod's priority, from the class that it names.

Pure, given the classes. Source: kubernetes.io, "Pod Priority and Preemption".
"""

from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS
from control.apiserver import statuses
from control.resources.strategies.pods import PRIORITIES
from control.store.record import ObjectKey
from control.store.store import Store

CLASSES = "scheduling.k8s.io", "priorityclasses"


def with_priority(pod: dict[str, Any], store: Store) -> dict[str, Any]:
    """The pod with its class's priority, or the global default's; ApiError 403 without the class.

    The two classes of Kubernetes' own are known without an object.
    """
    spec = pod.get("spec") or {}
    name = str(spec.get("priorityClassName") or "")
    if name in PRIORITIES:
        return pod
    found = _named(name, store) if name else _global_default(store)
    if found is None and name:
        pod_name = str(pod["metadata"].get("name", ""))
        raise statuses.forbidden(PODS, pod_name, f"no PriorityClass with name {name} was found")
    return pod if found is None else {**pod, "spec": {**spec, **_said_by(found)}}


def _named(name: str, store: Store) -> Document | None:
    record = store.get(CLASSES, ObjectKey("", name))
    return None if record is None else record.document


def _global_default(store: Store) -> Document | None:
    """Of several, the lowest counts."""
    classes = (record.document for record in store.list(CLASSES))
    return min(
        (each for each in classes if each.get("globalDefault")),
        key=lambda each: int(each.get("value") or 0),
        default=None,
    )


def _said_by(found: Document) -> dict[str, Any]:
    said = {
        "priorityClassName": found["metadata"]["name"],
        "priority": int(found.get("value") or 0),
    }
    if found.get("preemptionPolicy"):
        said["preemptionPolicy"] = found["preemptionPolicy"]
    return said
