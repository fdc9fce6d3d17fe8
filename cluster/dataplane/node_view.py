"""All that one node's data plane knows of the cluster, as one immutable value.

Pure: built from the documents that the node's informers hold.
`view.with_changes(events)` is the next view; it shares with this one whatever the events do not
touch, so that the shell batches events and swaps the view by one assignment. A document that cannot
be read is left out and named in `unreadable`; it does not stop the node.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, TypeVar

from cluster.dataclass import dataclass
from cluster.dataplane.conntrack import Conntrack, Entry
from cluster.dataplane.pod_table import PodTable
from cluster.dataplane.policy import PolicyTable
from cluster.dataplane.routes import RouteTable, static_routes
from cluster.dataplane.service_table import NODE_PORT_PLACES, ServiceTable
from cluster.dataplane.settings import NetworkSettings
from cluster.dataplane.shared_map import SharedMap
from cluster.objects.core import (
    Node,
    canonical_ip,
    parse_namespace,
    parse_node,
    parse_pod,
    parse_service,
)
from cluster.objects.discovery import parse_endpoint_slice
from cluster.objects.meta import Key, key_of
from cluster.objects.networking import parse_network_policy
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.wire.addresses import Protocol, SocketAddress

__all__ = ["Change", "NetworkSettings", "NodeView", "empty_view", "forget_stale"]

Document = Mapping[str, Any]
Change = tuple[Resource, Document | None, Document | None]  # (resource, old, new)
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """The tables of one node."""

    node_name: str
    internal_ip: str
    settings: NetworkSettings
    own_addresses: frozenset[str]  # InternalIPs and ExternalIPs of this node
    services: ServiceTable
    policies: PolicyTable
    routes: RouteTable
    pods: PodTable
    unreadable: SharedMap[tuple[str, Key], str] = field(default_factory=SharedMap)

    @property
    def zone(self) -> str:
        """The zone of this node, for topology hints; empty if it has none."""
        return self.services.zone

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Every node of the cluster, by name."""
        return self.routes.nodes

    def masquerade_ip(self, towards: str) -> str:
        """The address this node gives to flows it masquerades, of the destination's family."""
        same = sorted(ip for ip in self.own_addresses if (":" in ip) == (":" in towards))
        fits = self.internal_ip in same or not same
        return self.internal_ip if fits else same[0]

    def with_changes(self, changes: Iterable[Change]) -> "NodeView":
        """The view after these events; of several for one object, the last counts.

        Events by which nothing is decided otherwise, such as a heartbeat, leave it this very view.
        """
        batch: dict[Resource, dict[Key, Document | None]] = {}
        for resource, old, new in changes:
            document = new if new is not None else old
            if document is not None:
                batch.setdefault(resource, {})[key_of(document)] = new
        view = self
        for resource, documents in batch.items():
            if resource not in (SERVICES, ENDPOINT_SLICES) and resource in _APPLY:
                view = _APPLY[resource](view, documents)
        return _with_services(view, batch.get(SERVICES) or {}, batch.get(ENDPOINT_SLICES) or {})

    def with_attached(self, ip: str, namespace: str, name: str) -> "NodeView":
        """The view once this node's CNI gave a pod its address, before the API says so."""
        return _with(self, pods=self.pods.with_attached(ip, (namespace, name)))

    def with_detached(self, ip: str) -> "NodeView":
        """The view once this node's CNI took an address back."""
        return _with(self, pods=self.pods.with_attached(ip, None))


def empty_view(node_name: str, internal_ip: str, settings: NetworkSettings) -> NodeView:
    """The view of a node that has heard of nothing yet."""
    ip = canonical_ip(internal_ip)
    return NodeView(
        node_name=node_name,
        internal_ip=ip,
        settings=settings,
        own_addresses=frozenset({ip}),
        services=ServiceTable(node_name),
        policies=PolicyTable(),
        routes=static_routes(node_name, ip, settings),
        pods=PodTable(node_name),
    )


def _with(view: NodeView, **tables: Any) -> NodeView:
    """The view with these tables in it; the very view if it has them."""
    same = all(getattr(view, name) is table for name, table in tables.items())
    return view if same else replace(view, **tables)


Documents = Mapping[Key, Document | None]


def _read(
    view: NodeView, resource: Resource, documents: Documents, parse: Callable[[Document], Parsed]
) -> tuple[NodeView, dict[Key, Parsed | None]]:
    """Parse a batch; note what cannot be read, and treat it as not there."""
    parsed: dict[Key, Parsed | None] = {}
    problems: dict[tuple[str, Key], str | None] = {}
    for key, document in documents.items():
        place = (resource.plural, key)
        if place in view.unreadable:
            problems[place] = None
        try:
            parsed[key] = None if document is None else parse(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            parsed[key] = None
            problems[place] = f"{type(error).__name__}: {error}"
    return _with(view, unreadable=view.unreadable.updated(problems)), parsed


def _with_services(view: NodeView, services: Documents, slices: Documents) -> NodeView:
    """Services and slices together: each Service's endpoints are found once."""
    if not services and not slices:
        return view
    view, read_services = _read(view, SERVICES, services, parse_service)
    view, read_slices = _read(view, ENDPOINT_SLICES, slices, parse_endpoint_slice)
    return _with(view, services=view.services.with_changes(read_services, read_slices))


def _with_policies(view: NodeView, documents: Documents) -> NodeView:
    view, policies = _read(view, NETWORK_POLICIES, documents, parse_network_policy)
    return _with(view, policies=view.policies.with_policies(policies))


def _with_pods(view: NodeView, documents: Documents) -> NodeView:
    view, pods = _read(view, PODS, documents, parse_pod)
    return _with(view, pods=view.pods.with_pods(pods))


def _with_namespaces(view: NodeView, documents: Documents) -> NodeView:
    view, namespaces = _read(view, NAMESPACES, documents, parse_namespace)
    by_name = {name: each for (_, name), each in namespaces.items()}
    return _with(view, policies=view.policies.with_namespaces(by_name))


def _with_nodes(view: NodeView, documents: Documents) -> NodeView:
    view, nodes = _read(view, NODES, documents, parse_node)
    by_name = {name: each for (_, name), each in nodes.items()}
    view = _with(view, routes=view.routes.with_nodes(by_name))
    if view.node_name not in by_name:
        return view
    mine = by_name[view.node_name]
    own = frozenset({view.internal_ip, *(mine.addresses if mine else ())})
    return _with(
        view,
        own_addresses=view.own_addresses if own == view.own_addresses else own,
        services=view.services.with_zone(mine.zone if mine else ""),
    )


_APPLY: Mapping[Resource, Callable[[NodeView, Documents], NodeView]] = {
    NODES: _with_nodes,
    NAMESPACES: _with_namespaces,
    NETWORK_POLICIES: _with_policies,
    PODS: _with_pods,
}


def forget_stale(conntrack: Conntrack, before: NodeView, after: NodeView) -> list[Entry]:
    """Forget the UDP flows that a new view sends elsewhere (S-126 to S-128), and name them."""
    forgotten: list[Entry] = []
    if not len(conntrack):
        return forgotten
    for front, protocol, serving in _changed_fronts(before, after):
        forgotten += conntrack.forget_except(front, protocol, serving)
    return forgotten


def _changed_fronts(
    before: NodeView, after: NodeView
) -> Iterator[tuple[SocketAddress, Protocol, frozenset[SocketAddress]]]:
    """The fronts whose Service changed, and the endpoints that serve each of them now."""
    changed = after.services.fronts.changed_keys(before.services.fronts)
    for place in changed:
        ip, port, protocol = place
        if protocol is Protocol.TCP:
            continue
        held = after.services.fronts.get(place)
        serving = held[0].served.serving if held else frozenset()
        own = after.own_addresses if ip in NODE_PORT_PLACES.values() else {ip}
        for address in own:
            yield SocketAddress(address, port), protocol, serving
