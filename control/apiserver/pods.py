"""What only pods can: being admitted with their account and priority, being bound to a node.

Pure: a pod in, its next state out. Spec: P-45.
"""

from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, SERVICE_ACCOUNTS
from control.apiserver import statuses
from control.apiserver.pod_priority import with_priority
from control.resources.strategies.service_account_volume import with_token_volume
from control.store.record import ObjectKey
from control.store.store import Store

DEFAULT_ACCOUNT = "default"
RUNTIME_CLASSES = "node.k8s.io", "runtimeclasses"


def admitted(pod: Document, store: Store) -> dict[str, Any]:
    """A new pod with its class's priority and the volume of its ServiceAccount; or ApiError 403."""
    metadata = pod["metadata"]
    name = str((pod.get("spec") or {}).get("serviceAccountName") or DEFAULT_ACCOUNT)
    key = ObjectKey(metadata["namespace"], name)
    record = store.get((SERVICE_ACCOUNTS.group, SERVICE_ACCOUNTS.plural), key)
    if record is None and name != DEFAULT_ACCOUNT:  # that one is on its way in a new namespace
        place = f"{key.namespace}/{name}"
        why = f'error looking up service account {place}: serviceaccount "{name}" not found'
        raise statuses.forbidden(PODS, str(metadata.get("name", "")), why)
    _check_runtime_class(pod, store)
    made = with_priority(dict(pod), store)
    return dict(with_token_volume(made, None if record is None else record.document))


def _check_runtime_class(pod: Document, store: Store) -> None:
    name = str((pod.get("spec") or {}).get("runtimeClassName") or "")
    if name and store.get(RUNTIME_CLASSES, ObjectKey("", name)) is None:
        why = f'pod rejected: RuntimeClass "{name}" not found'
        raise statuses.forbidden(PODS, str(pod["metadata"].get("name", "")), why)


def bound(pod: Document, node: str, now: str) -> dict[str, Any]:
    """The pod on its node, with the condition PodScheduled; ApiError 409 when it has one."""
    metadata = pod["metadata"]
    name = metadata["name"]
    spec = pod.get("spec") or {}
    if not node:
        raise statuses.bad_request("a binding names its node: target.name is required")
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise _refused(name, why)
    if "deletionTimestamp" in metadata:
        raise _refused(name, f"pod {name} is being deleted, cannot be assigned to a host")
    status = pod.get("status") or {}
    kept = [each for each in status.get("conditions") or () if each.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
    return {
        **pod,
        "metadata": {**metadata, "generation": metadata.get("generation", 1)},
        "spec": {**spec, "nodeName": node},
        "status": {**status, "conditions": [*kept, scheduled]},
    }


def _refused(name: str, why: str) -> Exception:
    message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
    return statuses.refusal(
        409, "Conflict", message, {"name": name, "kind": f"{PODS.plural}/binding"}
    )
