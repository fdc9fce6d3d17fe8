"""The scheduler's rules: one function each, and the table of those in force.

Pure: no I/O. Spec: P-27, P-31, P-32, P-68, P-76; kubernetes.io, "Assigning Pods to Nodes", "Taints
and Tolerations". A filter says why a node cannot take a pod, in the words of the real one; a score
prefers, lowest first.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from control.controllers.node_taints import (
    NO_EXECUTE,
    NO_SCHEDULE,
    UNSCHEDULABLE,
    Taint,
    tolerates,
    trouble_of,
)
from control.controllers.selection import meets
from control.controllers.view import deleting, labels_of, spec_of, status_of
from control.scheduler.framework import HostPort, NodeState, Profile, family_of, host_ports

ANY_ADDRESS = ("0.0.0.0", "::", "")


def unschedulable(pod: Document, state: NodeState) -> str | None:
    """A cordoned node takes only pods that tolerate it (P-76); one that is being deleted, none."""
    if deleting(state.node):
        return "node(s) were being deleted"
    if not spec_of(state.node).get("unschedulable"):
        return None
    taint = {"key": UNSCHEDULABLE, "effect": NO_SCHEDULE}
    return None if tolerates(_tolerations(pod), taint) else "node(s) were unschedulable"


def untolerated_taint(pod: Document, state: NodeState) -> str | None:
    """Every NoSchedule and NoExecute taint must be tolerated, those to come too.

    A node is not used before it says Ready, even if its taint is not written yet.
    """
    taints: list[Taint] = list(spec_of(state.node).get("taints") or ())
    trouble = trouble_of(state.node)
    if trouble and not any(taint["key"] == trouble for taint in taints):
        taints.append({"key": trouble, "effect": NO_SCHEDULE})
    for taint in taints:
        if taint.get("effect") in (NO_SCHEDULE, NO_EXECUTE):
            if taint["key"] == UNSCHEDULABLE:
                continue
            if not tolerates(_tolerations(pod), taint):
                text = f"{taint['key']}: {taint.get('value') or ''}"
                return f"node(s) had untolerated taint {{{text}}}"
    return None


def node_affinity(pod: Document, state: NodeState) -> str | None:
    """nodeSelector, and the required part of nodeAffinity."""
    labels = labels_of(state.node)
    selector = spec_of(pod).get("nodeSelector") or {}
    affinity = (spec_of(pod).get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    fits = all(labels.get(key) == value for key, value in selector.items())
    if fits and required is not None:
        terms = required.get("nodeSelectorTerms") or ()
        fits = any(_term_fits(term, labels, state.name) for term in terms)
    return None if fits else "node(s) didn't match Pod's node affinity/selector"


def free_ports(pod: Document, state: NodeState) -> str | None:
    """A host port is an address, a protocol and a number; no address means all (P-31, P-32)."""
    for wished in host_ports(pod):
        if any(_collide(wished, taken) for taken in state.host_ports):
            return "node(s) didn't have free ports for the requested pod ports"
    return None


def pod_count(pod: Document, state: NodeState) -> str | None:
    """A node takes as many pods as it says (P-21)."""
    limit = (status_of(state.node).get("allocatable") or {}).get("pods")
    return "Too many pods" if limit is not None and state.pods >= int(limit) else None


def fewest_of_family(pod: Document, state: NodeState) -> float:
    """Pods of one controller spread over the nodes."""
    return state.owners[family_of(pod)]


def fewest_pods(pod: Document, state: NodeState) -> float:
    """Then the emptiest node."""
    return state.pods


def preferred_taints(pod: Document, state: NodeState) -> float:
    """PreferNoSchedule: only when nothing better is left."""
    taints = spec_of(state.node).get("taints") or ()
    soft = (taint for taint in taints if taint.get("effect") == "PreferNoSchedule")
    return sum(not tolerates(_tolerations(pod), taint) for taint in soft)


DEFAULT_PROFILE = Profile(
    filters=(unschedulable, untolerated_taint, node_affinity, free_ports, pod_count),
    scores=(preferred_taints, fewest_of_family, fewest_pods),
    lasting=True,
)


def _tolerations(pod: Document) -> list[Mapping[str, Any]]:
    return list(spec_of(pod).get("tolerations") or ())


def _term_fits(term: Mapping[str, Any], labels: Mapping[str, str], name: str) -> bool:
    """All of a term's requirements; a term without any fits nothing."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(meets(each, labels) for each in expressions) and all(
        meets(each, {"metadata.name": name}) for each in fields
    )


def _collide(wished: HostPort, taken: HostPort) -> bool:
    same = wished[1:] == taken[1:]
    anywhere = wished[0] in ANY_ADDRESS or taken[0] in ANY_ADDRESS
    return same and (anywhere or wished[0] == taken[0])
