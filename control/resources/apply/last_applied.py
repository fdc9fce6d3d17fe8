"""The change-over from `kubectl apply` to `kubectl apply --server-side`.

Pure. kubectl's own manager may take a field over without force where the live value is still the
one that client-side apply wrote down: nobody else has changed it since. The annotation is what
client-side apply remembers by. Source: k8s.io/apimachinery, managedfields, lastappliedmanager.
"""

from typing import Any

import orjson

from control.resources.apply.compare import compare, fields_of
from control.resources.apply.field_set import FieldSet, difference
from control.resources.schema import Node

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"


def still_as_applied(node: Node, live: Any) -> FieldSet | None:
    """The fields whose live value is the one in the annotation; None without one."""
    text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not isinstance(text, str):
        return None
    try:
        config = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(config, dict) or config.get("apiVersion") != live.get("apiVersion"):
        return None
    try:
        fields = fields_of(node, config)
        shown = compare(node, live, config)
    except ValueError:
        return None
    return difference(fields, shown.changed)
