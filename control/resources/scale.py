"""`autoscaling/v1` Scale: how many pods a workload wants and has, whatever its kind.

Pure: a workload's document in, its Scale out, and back.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.selectors import label_selector_from
from control.resources.kinds import Kind

API_VERSION = "autoscaling/v1"


def read_scale(kind: Kind, document: Document) -> dict[str, Any]:
    """The Scale of a workload."""
    held = document["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = (document.get("spec") or {}).get("replicas") or 0
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: held[key] for key in keys if key in held},
        "spec": {"replicas": replicas} if replicas else {},
        "status": _status(document),
    }


def write_scale(kind: Kind, document: Document, scale: Mapping[str, Any]) -> dict[str, Any]:
    """The workload, as many times as its Scale says; a Scale without a number says none."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    spec = {**(document.get("spec") or {}), "replicas": replicas}
    return {**document, "spec": spec}


def _status(document: Document) -> dict[str, Any]:
    selector = _selector((document.get("spec") or {}).get("selector"))
    status = {"replicas": (document.get("status") or {}).get("replicas") or 0}
    return {**status, "selector": selector} if selector else status


def _selector(selector: Any) -> str:
    """As queries write it; a ReplicationController's is a plain map."""
    if not isinstance(selector, dict):
        return ""
    known = {"matchLabels", "matchExpressions"}
    plain = bool(selector) and not known & selector.keys()
    return str(label_selector_from({"matchLabels": selector} if plain else selector))
