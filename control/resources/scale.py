"""`autoscaling/v1` Scale: how many pods a workload wants and has, whatever its kind.

Pure: a workload's document in, its Scale out, and back.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cluster.client.interface import Document
from cluster.objects.selectors import label_selector_from
from control.resources.kinds import Kind

if TYPE_CHECKING:
    from control.resources.custom.version import ScalePaths

API_VERSION = "autoscaling/v1"
SPEC_REPLICAS = ("spec", "replicas")


def read_scale(kind: Kind, document: Document) -> dict[str, Any]:
    """The Scale of a workload."""
    held = document["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    paths = None if kind.custom is None else kind.custom.scale
    replicas = _count(document, SPEC_REPLICAS if paths is None else paths.replicas)
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: held[key] for key in keys if key in held},
        "spec": {"replicas": replicas} if replicas else {},
        "status": _status(document) if paths is None else _custom_status(document, paths),
    }


def write_scale(kind: Kind, document: Document, scale: Mapping[str, Any]) -> dict[str, Any]:
    """The workload, as many times as its Scale says; a Scale without a number says none."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    paths = None if kind.custom is None else kind.custom.scale
    return _with(document, SPEC_REPLICAS if paths is None else paths.replicas, replicas)


def _with(document: Document, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The document with a value at a path; what is on the way there is an object afterwards."""
    name, *rest = path
    inner = document.get(name)
    below = inner if isinstance(inner, dict) else {}
    return {**document, name: _with(below, tuple(rest), value) if rest else value}


def _at(document: Document, path: tuple[str, ...]) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _count(document: Document, path: tuple[str, ...]) -> int:
    found = _at(document, path)
    return found if type(found) is int else 0


def _custom_status(document: Document, paths: "ScalePaths") -> dict[str, Any]:
    """A custom kind's selector is text already, as queries write it."""
    status: dict[str, Any] = {"replicas": _count(document, paths.status_replicas)}
    selector = _at(document, paths.selector) if paths.selector else None
    return {**status, "selector": selector} if isinstance(selector, str) and selector else status


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
