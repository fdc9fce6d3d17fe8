"""The nodes behind a load balancer: which may be used at all, and where each is reached.

Readiness does not shape the set: health checks do (`cluster.gateway.health`). What does is a label,
a taint, and a node's deletion.
Pure: documents in, values out. Spec: S-111, S-121; KEP-3458, KEP-3836.
"""

from collections.abc import Mapping
from typing import Any

from cluster.dataclass import dataclass
from cluster.objects.core import TUNNEL_ANNOTATION, parse_node
from cluster.wire.addresses import SocketAddress

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
AUTOSCALER_TAINT = "ToBeDeletedByClusterAutoscaler"
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})  # as Go reads a bool


@dataclass(frozen=True, slots=True)
class BackendNode:
    """A node, as a load balancer sees it."""

    name: str
    tunnel: SocketAddress | None = None
    internal_ip: str = ""
    excluded: str = ""  # why it may not be used; empty: it may


def parse_backend_node(document: Mapping[str, Any]) -> BackendNode:
    """Read a Node."""
    node = parse_node(document)
    tunnel, problem = _tunnel(node.annotation(TUNNEL_ANNOTATION))
    return BackendNode(node.name, tunnel, node.internal_ip, _excluded(document) or problem)


def _tunnel(text: str) -> tuple[SocketAddress | None, str]:
    """Where the node is reached, or why nobody knows."""
    if not text:
        return None, f"it has not announced {TUNNEL_ANNOTATION}"
    try:
        return SocketAddress.parse(text), ""
    except ValueError as error:
        return None, f"{TUNNEL_ANNOTATION}: {error}"


def _excluded(document: Mapping[str, Any]) -> str:
    metadata, spec = document["metadata"], document.get("spec") or {}
    label = (metadata.get("labels") or {}).get(EXCLUDE_LABEL)
    if label is not None and label not in _FALSE:
        return f"label {EXCLUDE_LABEL}"
    if any(taint.get("key") == AUTOSCALER_TAINT for taint in spec.get("taints") or ()):
        return f"taint {AUTOSCALER_TAINT}"
    return "it is being deleted" if metadata.get("deletionTimestamp") else ""
