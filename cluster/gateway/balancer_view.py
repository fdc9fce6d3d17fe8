"""What the load balancer knows of the cluster: Services, their slices, the nodes.

Pure: an immutable view; a change builds a new one that shares the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.shared_map import SharedMap
from cluster.gateway.backend_nodes import BackendNode, parse_backend_node
from cluster.gateway.balancer import Balanced, parse_balanced
from cluster.objects.discovery import EndpointSlice, parse_endpoint_slice
from cluster.objects.meta import Key, key_of
from cluster.objects.resources import ENDPOINT_SLICES, NODES, SERVICES, Resource

WATCHED = (SERVICES, ENDPOINT_SLICES, NODES)

Document = Mapping[str, Any]
Change = tuple[Resource, Document | None, Document | None]  # resource, old, new


@dataclass(frozen=True, slots=True)
class BalancerView:
    """The objects that balancing is decided by."""

    balanced: SharedMap[Key, Balanced] = field(default_factory=SharedMap)
    slices: SharedMap[Key, EndpointSlice] = field(default_factory=SharedMap)
    by_service: SharedMap[Key, tuple[Key, ...]] = field(default_factory=SharedMap)
    nodes: SharedMap[str, BackendNode] = field(default_factory=SharedMap)
    names: SharedMap[str, str] = field(default_factory=SharedMap)  # of nodes, by their InternalIP

    def with_changes(self, changes: Iterable[Change]) -> "BalancerView":
        """The view after these changes, in their order; this one if none counts, such as a
        heartbeat."""
        read: dict[Resource, dict[Key, Document | None]] = {each: {} for each in WATCHED}
        for resource, old, new in changes:
            present = new if new is not None else old
            if present is not None:
                read[resource][key_of(present)] = new
        nodes = {
            key[1]: parse_backend_node(document) if document is not None else None
            for key, document in read[NODES].items()
        }
        balanced = {
            key: parse_balanced(document) if document is not None else None
            for key, document in read[SERVICES].items()
        }
        nodes = {name: node for name, node in nodes.items() if self.nodes.get(name) != node}
        view = self._with_nodes(nodes) if nodes else self
        balanced = {key: each for key, each in balanced.items() if self.balanced.get(key) != each}
        view = replace(view, balanced=self.balanced.updated(balanced)) if balanced else view
        return view._with_slices(read[ENDPOINT_SLICES])

    def _with_nodes(self, nodes: Mapping[str, BackendNode | None]) -> "BalancerView":
        old = {name: self.nodes.get(name) for name in nodes}
        gone = {
            node.internal_ip: None
            for node in old.values()
            if node is not None and self.names.get(node.internal_ip) == node.name
        }
        there = {node.internal_ip: node.name for node in nodes.values() if node is not None}
        names = self.names.updated({**gone, **there})
        return replace(self, nodes=self.nodes.updated(nodes), names=names)

    def _with_slices(self, changes: Mapping[Key, Document | None]) -> "BalancerView":
        slices = {
            key: parse_endpoint_slice(document) if document is not None else None
            for key, document in changes.items()
        }
        slices = {key: each for key, each in slices.items() if self.slices.get(key) != each}
        if not slices:
            return self
        groups: dict[Key, set[Key]] = {}
        for key, new in slices.items():
            for each, there in ((self.slices.get(key), False), (new, True)):
                if each is None or not each.service:
                    continue
                owner = (each.meta.namespace, each.service)
                group = groups.setdefault(owner, set(self.by_service.get(owner) or ()))
                (group.add if there else group.discard)(key)
        regrouped = {owner: tuple(sorted(group)) or None for owner, group in groups.items()}
        return replace(
            self,
            slices=self.slices.updated(slices),
            by_service=self.by_service.updated(regrouped),
        )

    def slices_of(self, service: Key) -> tuple[EndpointSlice, ...]:
        """The EndpointSlices of a Service."""
        return tuple(self.slices[key] for key in self.by_service.get(service) or ())

    def node_with(self, internal_ip: str) -> str:
        """The name of the node with this emulated address; empty if it is no node's."""
        return (internal_ip and self.names.get(internal_ip)) or ""
