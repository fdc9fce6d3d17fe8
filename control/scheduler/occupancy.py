"""What pods take of the nodes, kept change by change: a pass costs the nodes, not all the pods.

Pure: it keeps state, as a table does.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import field

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.view import Key
from control.scheduler.framework import HostPort, NodeState, family_of, host_ports


@dataclass(frozen=True, slots=True)
class _Place:
    """One pod on a node."""

    node: str
    family: str
    host_ports: frozenset[HostPort]


@dataclass(slots=True)
class _Use:
    """What is taken of one node."""

    pods: int = 0
    owners: Counter[str] = field(default_factory=Counter)
    host_ports: Counter[HostPort] = field(default_factory=Counter)

    def count(self, place: _Place, by: int) -> None:
        self.pods += by
        self.owners[place.family] += by
        for port in place.host_ports:
            self.host_ports[port] += by
        if by < 0:
            self.owners, self.host_ports = +self.owners, +self.host_ports  # without zeros


class Occupancy:
    """Which pod takes what of which node; a node need not be known yet."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._uses: dict[str, _Use] = {}

    def put(self, key: Key, pod: Document, node: str) -> None:
        """The pod is on this node, or on its way there."""
        place = _Place(node, family_of(pod), frozenset(host_ports(pod)))
        if self._places.get(key) == place:
            return
        self.remove(key)
        self._places[key] = place
        self._uses.setdefault(node, _Use()).count(place, 1)

    def remove(self, key: Key) -> bool:
        """The pod takes nothing any more; whether it did."""
        place = self._places.pop(key, None)
        if place is None:
            return False
        use = self._uses[place.node]
        use.count(place, -1)
        if not use.pods:
            del self._uses[place.node]
        return True

    def states(self, nodes: Iterable[Document]) -> dict[str, NodeState]:
        """The nodes by name, as a pass may change them."""
        return {name: self._state(name, node) for node in nodes for name in (_name(node),)}

    def _state(self, name: str, node: Document) -> NodeState:
        use = self._uses.get(name)
        if use is None:
            return NodeState(node)
        return NodeState(node, use.pods, use.owners.copy(), set(use.host_ports))


def _name(node: Document) -> str:
    return str(node["metadata"]["name"])
