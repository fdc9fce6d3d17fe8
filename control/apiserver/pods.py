"""What only pods can: being admitted with their account's token, being bound to a node.

Pure: a pod in, its next state out. Spec: P-45.
"""

from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, SERVICE_ACCOUNTS
from control.apiserver import statuses
from control.resources.strategies.service_account_volume import with_token_volume
from control.store.record import ObjectKey
from control.store.store import Store


def admitted(pod: Document, store: Store) -> dict[str, Any]:
    """A new pod with the volume of its ServiceAccount, if neither of them says otherwise."""
    name = str((pod.get("spec") or {}).get("serviceAccountName") or "default")
    key = ObjectKey(pod["metadata"]["namespace"], name)
    record = store.get((SERVICE_ACCOUNTS.group, SERVICE_ACCOUNTS.plural), key)
    return dict(with_token_volume(dict(pod), None if record is None else record.document))


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
