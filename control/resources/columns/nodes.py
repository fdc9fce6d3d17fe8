"""The row of a node.

Pure: documents in, text out. Source: kubernetes.io, "Nodes"; well-known labels of roles.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import UNKNOWN, age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, wide
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"


def _node(node: Document, now: datetime) -> Row:
    info = part(status_of(node), "nodeInfo")
    return [
        name_of(node),
        _status(node),
        ",".join(roles(node)) or NONE,
        age(node, now),
        info.get("kubeletVersion", ""),
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _status(node: Document) -> str:
    """`Ready`, `NotReady`, or `Unknown` until its kubelet speaks; and whether pods may come."""
    told = {each.get("type"): each.get("status") for each in items(status_of(node), "conditions")}
    ready = "Unknown"
    if "Ready" in told:
        ready = "Ready" if told["Ready"] == "True" else "NotReady"
    return f"{ready},SchedulingDisabled" if spec_of(node).get("unschedulable") else ready


def roles(node: Document) -> list[str]:
    """What labels say a node is for."""
    labels = node["metadata"].get("labels") or {}
    named = {key.removeprefix(ROLE_PREFIX) for key in labels if key.startswith(ROLE_PREFIX)}
    return sorted({*named, labels.get(ROLE_LABEL, "")} - {""})


def _address(node: Document, type: str) -> str:
    found = (each for each in items(status_of(node), "addresses") if each.get("type") == type)
    return str(next(found, {}).get("address", NONE))


NODES = Printer(
    (
        NAME,
        Column("Status", "Whether the node is ready, and whether pods may be scheduled to it."),
        Column("Roles", "What labels say the node is for."),
        AGE,
        Column("Version", "The version of its kubelet."),
        wide("Internal-IP", "The address inside the cluster."),
        wide("External-IP", "The address outside the cluster."),
        wide("OS-Image", "The operating system."),
        wide("Kernel-Version", "The kernel."),
        wide("Container-Runtime", "What runs the containers."),
    ),
    _node,
)
