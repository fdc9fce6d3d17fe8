"""Which node a pod goes to: filter, score, pick.

Pure: a snapshot and pods in, placements out. Spec: kubernetes.io, "Scheduling Framework".

A pass places all pending pods at once, each on the snapshot that the former ones left behind. The
rules are in `control.scheduler.plugins`: to add one, write its function and its row there.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from heapq import heapify, heappop, heapreplace
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.ownership import controller_of
from control.controllers.view import labels_of, spec_of

HostPort = tuple[str, str, int]  # address, protocol, port
ASKED = ("tolerations", "nodeSelector", "affinity")


@dataclass(slots=True)
class NodeState:
    """One node during a pass: the document, and what its pods take."""

    node: Document
    pods: int = 0
    owners: Counter[str] = field(default_factory=Counter)
    host_ports: set[HostPort] = field(default_factory=set)
    # Its pods themselves: filled only for a pass whose rules ask for neighbours.
    members: list[Document] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return str(self.node["metadata"]["name"])

    def take(self, pod: Document) -> None:
        """Count a pod as being on this node."""
        self.pods += 1
        self.members.append(pod)
        self.owners[family_of(pod)] += 1
        self.host_ports.update(host_ports(pod))


Filter = Callable[[Document, NodeState], str | None]  # why not here, or None
Score = Callable[[Document, NodeState], float]  # the lowest wins


@dataclass(frozen=True, slots=True)
class Placed:
    """This pod goes to this node."""

    pod: Document
    node: str


@dataclass(frozen=True, slots=True)
class Unschedulable:
    """No node takes this pod now, and why."""

    pod: Document
    message: str


Placement = Placed | Unschedulable


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules in force."""

    filters: Sequence[Filter]
    scores: Sequence[Score]
    # During a pass a node that refuses a pod refuses all like it, and no score of a node falls.
    lasting: bool = False


def schedule(
    pending: Iterable[Document], states: Mapping[str, NodeState], profile: Profile
) -> list[Placement]:
    """Place every pending pod, the most important and oldest first; updates the snapshot."""
    result: list[Placement] = []
    kinds: dict[Any, Candidates] = {}
    for pod in sorted(pending, key=queue_order):
        if profile.lasting:
            kind = kind_of(pod)
            if kind not in kinds:
                kinds[kind] = Candidates(pod, states, profile)
            placement = kinds[kind].place(pod)
        else:
            placement = place(pod, states, profile)
        if isinstance(placement, Placed):
            states[placement.node].take(pod)
        result.append(placement)
    return result


class Candidates:
    """The nodes for pods of one kind, best first: ranked once a pass, not once a pod.

    Within a pass nodes only fill up. So a node that refuses a pod refuses all that ask for the
    same, and its rank only grows: one is looked at again when it comes to the heap's top.
    """

    def __init__(self, pod: Document, states: Mapping[str, NodeState], profile: Profile) -> None:
        self._profile = profile
        self._count = len(states)
        self._reasons = Counter[str]()
        self._heap = [(rank_of(pod, state, profile), state) for state in states.values()]
        heapify(self._heap)

    def place(self, pod: Document) -> Placement:
        """The best node of the moment; of equals the first by name."""
        while self._heap:
            rank, state = self._heap[0]
            reason = refusal_of(pod, state, self._profile)
            if reason is not None:
                self._reasons[reason] += 1
                heappop(self._heap)
                continue
            now = rank_of(pod, state, self._profile)
            if now == rank:
                return Placed(pod, state.name)
            heapreplace(self._heap, (now, state))
        return Unschedulable(pod, unschedulable_message(self._count, self._reasons))


def kind_of(pod: Document) -> tuple[Any, ...]:
    """What rules read of a pod: pods of which this is equal are placed alike."""
    spec = spec_of(pod)
    asked = repr([spec.get(name) for name in ASKED])
    return family_of(pod), asked, frozenset(host_ports(pod))


def place(pod: Document, states: Mapping[str, NodeState], profile: Profile) -> Placement:
    """Find the best node for one pod; of equals the first by name."""
    reasons: Counter[str] = Counter()
    feasible: list[NodeState] = []
    for state in states.values():
        reason = refusal_of(pod, state, profile)
        if reason is None:
            feasible.append(state)
        else:
            reasons[reason] += 1
    if not feasible:
        return Unschedulable(pod, unschedulable_message(len(states), reasons))
    return Placed(pod, min(feasible, key=lambda state: rank_of(pod, state, profile)).name)


def refusal_of(pod: Document, state: NodeState, profile: Profile) -> str | None:
    """Why a node does not take a pod, if it does not."""
    return next((why for rule in profile.filters if (why := rule(pod, state))), None)


def rank_of(pod: Document, state: NodeState, profile: Profile) -> tuple[Any, ...]:
    """How good a node is for a pod; the lowest is the best, and no two are equal."""
    return (*(score(pod, state) for score in profile.scores), state.name)


def unschedulable_message(nodes: int, reasons: Mapping[str, int]) -> str:
    """The sentence that `kubectl describe pod` shows (P-32)."""
    if not nodes:
        return "no nodes available to schedule pods"
    parts = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{nodes} nodes are available: {', '.join(parts)}."


def queue_order(pod: Document) -> tuple[Any, ...]:
    """Higher priority first, then the older, then by name."""
    metadata = pod["metadata"]
    created = metadata.get("creationTimestamp") or ""
    place = metadata.get("namespace") or "", metadata["name"]
    return -int(spec_of(pod).get("priority") or 0), created, place


def family_of(pod: Document) -> str:
    """What pods must have in common to be spread: their controller, else all their labels."""
    owner = controller_of(pod)
    if owner is not None:
        return str(owner["uid"])
    return repr((pod["metadata"].get("namespace"), sorted(labels_of(pod).items())))


def host_ports(pod: Document) -> set[HostPort]:
    """The ports of the node that the pod takes (P-28 to P-31)."""
    spec = spec_of(pod)
    shared = bool(spec.get("hostNetwork"))
    taken: set[HostPort] = set()
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if shared else 0)
            if number:
                address = port.get("hostIP") or "0.0.0.0"
                taken.add((address, port.get("protocol") or "TCP", number))
    return taken
