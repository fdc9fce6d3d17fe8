"""Which nodes a DaemonSet's pods belong on, and what makes a pod go to just one of them.

Pure: documents in, values out. Spec: P-71, P-94; kubernetes.io, "DaemonSet".
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import DAEMON_SETS
from control.controllers.controller_revisions import HASH_LABEL
from control.controllers.node_taints import (
    NO_EXECUTE,
    NO_SCHEDULE,
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    tolerates,
)
from control.controllers.pod_template import pod_from, with_labels
from control.controllers.view import spec_of
from control.scheduler.framework import NodeState
from control.scheduler.plugins import node_affinity

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PRESSURES = ("disk-pressure", "memory-pressure", "pid-pressure")
NODE_FIELD = "metadata.name"


@dataclass(frozen=True, slots=True)
class Place:
    """Whether a pod is to be started on a node, and whether one that is there may stay."""

    starts: bool
    stays: bool


def place_of(owner: Document, node: Document) -> Place:
    """What a node is for the set: selectors decide, and taints."""
    pod = {"spec": _spec(owner)}
    fixed = pod["spec"].get("nodeName")
    elsewhere = bool(fixed) and fixed != node["metadata"]["name"]
    if elsewhere or node_affinity(pod, NodeState(node)) is not None:
        return Place(False, False)
    taints = list(spec_of(node).get("taints") or ())
    bad = [each for each in taints if not tolerates(pod["spec"]["tolerations"], each)]
    effects = {each.get("effect") for each in bad}
    return Place(not effects & {NO_SCHEDULE, NO_EXECUTE}, NO_EXECUTE not in effects)


def node_name(pod: Document) -> str:
    """The node that the pod is on, or is made for."""
    spec = spec_of(pod)
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == NODE_FIELD and field.get("values"):
                return str(field["values"][0])
    return ""


def daemon_pod(owner: Document, node: str, digest: str) -> dict[str, Any]:
    """The pod for one node: the scheduler may put it nowhere else."""
    template = spec_of(owner).get("template") or {}
    spec = _spec(owner)
    affinity = dict(spec.get("affinity") or {})
    near = dict(affinity.get("nodeAffinity") or {})
    field = {"key": NODE_FIELD, "operator": "In", "values": [node]}
    near[REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    spec["affinity"] = {**affinity, "nodeAffinity": near}
    pod = pod_from({**template, "spec": spec}, DAEMON_SETS, owner)
    return with_labels(pod, {HASH_LABEL: digest})


def _spec(owner: Document) -> dict[str, Any]:
    """The template's spec with the tolerations that every daemon has (P-94)."""
    spec = dict((spec_of(owner).get("template") or {}).get("spec") or {})
    held = list(spec.get("tolerations") or ())
    keys = [(NOT_READY, NO_EXECUTE), (UNREACHABLE, NO_EXECUTE)]
    keys += [(f"node.kubernetes.io/{each}", NO_SCHEDULE) for each in PRESSURES]
    keys.append((UNSCHEDULABLE, NO_SCHEDULE))
    if spec.get("hostNetwork"):
        keys.append(("node.kubernetes.io/network-unavailable", NO_SCHEDULE))
    added: list[Mapping[str, Any]] = [
        {"key": key, "operator": "Exists", "effect": effect} for key, effect in keys
    ]
    return {**spec, "tolerations": [*held, *(each for each in added if each not in held)]}
