"""Rules about the pods that are there: affinity, anti-affinity, spread over topology domains.

Pure: pods and the snapshot of a pass in, reasons out. Source: kubernetes.io, "Assigning Pods to
Nodes", "Pod Topology Spread Constraints". Only what is required; preferences are not weighed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cluster.client.interface import Document
from control.controllers.selection import selects
from control.controllers.view import labels_of, spec_of
from control.scheduler.framework import NodeState
from control.scheduler.plugins import node_affinity

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
NOT_NEAR = "node(s) didn't match pod affinity rules"
NEAR = "node(s) didn't match pod anti-affinity rules"
UNWANTED = "node(s) didn't satisfy existing pods anti-affinity rules"
UNEVEN = "node(s) didn't match pod topology spread constraints"

Term = Mapping[str, Any]
Namespaces = Mapping[str, Mapping[str, str]]  # their labels


class Neighbours:
    """A filter over one pass; what is the same for all nodes is worked out once for a pod."""

    def __init__(self, states: Mapping[str, NodeState], namespaces: Namespaces) -> None:
        self._states = states
        self._namespaces = namespaces
        self._pod: Document | None = None
        self._reasons: dict[str, str] = {}

    def __call__(self, pod: Document, state: NodeState) -> str | None:
        """Why the pods that are there keep this one from the node."""
        if pod is not self._pod:
            self._pod, self._reasons = pod, reasons(pod, self._states, self._namespaces)
        return self._reasons.get(state.name)


def concerned(pod: Document) -> bool:
    """Whether a pod says anything about its neighbours."""
    spec = spec_of(pod)
    affinity = spec.get("affinity") or {}
    return bool(
        affinity.get("podAffinity")
        or affinity.get("podAntiAffinity")
        or spec.get("topologySpreadConstraints")
    )


def reasons(
    pod: Document, states: Mapping[str, NodeState], namespaces: Namespaces
) -> dict[str, str]:
    """The nodes that the pod may not go to, and why."""
    found: dict[str, str] = {}
    for constraint in spec_of(pod).get("topologySpreadConstraints") or ():
        if constraint.get("whenUnsatisfiable") != "ScheduleAnyway":
            found |= dict.fromkeys(_uneven(pod, constraint, states), UNEVEN)
    for name in _domains_with_enemies(pod, states, namespaces):
        found[name] = UNWANTED
    for term in _terms(pod, "podAntiAffinity"):
        crowded = _domains(states, term, pod, namespaces)
        for name, state in states.items():
            if labels_of(state.node).get(term["topologyKey"]) in crowded:
                found[name] = NEAR
    for term in _terms(pod, "podAffinity"):
        near = _domains(states, term, pod, namespaces)
        if not near and matches(term, pod, pod, namespaces):
            near = {labels_of(state.node).get(term["topologyKey"]) for state in states.values()}
            near.discard(None)
        for name, state in states.items():
            if labels_of(state.node).get(term["topologyKey"]) not in near:
                found[name] = NOT_NEAR
    return found


def matches(term: Term, owner: Document, other: Document, namespaces: Namespaces) -> bool:
    """Whether a pod is meant by a term of another one (or of its own).

    Namespaces are named, selected, or both; where neither is said, it is the owner's.
    """
    namespace = str(other["metadata"].get("namespace"))
    named, selector = term.get("namespaces") or (), term.get("namespaceSelector")
    if selector is None:
        named = named or (owner["metadata"].get("namespace"),)
    selected = selector is not None and selects(selector, namespaces.get(namespace, {}))
    if namespace not in named and not selected:
        return False
    return selects(term.get("labelSelector"), labels_of(other))


def _terms(pod: Document, kind: str) -> list[Term]:
    affinity = spec_of(pod).get("affinity") or {}
    return list((affinity.get(kind) or {}).get(REQUIRED) or ())


def _domains(
    states: Mapping[str, NodeState], term: Term, pod: Document, namespaces: Namespaces
) -> set[Any]:
    """The values of the topology key where a pod is that the term means."""
    return {
        value
        for state in states.values()
        if (value := labels_of(state.node).get(term["topologyKey"])) is not None
        and any(matches(term, pod, other, namespaces) for other in state.members)
    }


def _domains_with_enemies(
    pod: Document, states: Mapping[str, NodeState], namespaces: Namespaces
) -> Iterable[str]:
    """Nodes near a pod that will not have this one near."""
    for state in states.values():
        for other in state.members:
            for term in _terms(other, "podAntiAffinity"):
                if matches(term, other, pod, namespaces):
                    value = labels_of(state.node).get(term["topologyKey"])
                    yield from (
                        name
                        for name, each in states.items()
                        if value is not None
                        and labels_of(each.node).get(term["topologyKey"]) == value
                    )


def _uneven(pod: Document, rule: Term, states: Mapping[str, NodeState]) -> Iterable[str]:
    """Nodes of domains that have too many pods already, compared with the emptiest."""
    key, selector = rule["topologyKey"], rule.get("labelSelector")
    namespace = pod["metadata"].get("namespace")
    counts: Counter[str] = Counter()
    for state in states.values():
        value = labels_of(state.node).get(key)
        if value is not None and node_affinity(pod, state) is None:
            counts[value] += sum(
                selects(selector, labels_of(other))
                for other in state.members
                if other["metadata"].get("namespace") == namespace
            )
    least = min(counts.values(), default=0)
    if len(counts) < int(rule.get("minDomains") or 1):
        least = 0
    more = int(selects(selector, labels_of(pod)))
    for name, state in states.items():
        value = labels_of(state.node).get(key)
        if value is None or counts[value] + more - least > int(rule["maxSkew"]):
            yield name
