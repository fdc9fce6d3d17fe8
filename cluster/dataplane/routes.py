"""Where an address lies: longest prefix -> this node's pods, another node, a host, outside.

Pure: built whole from Nodes; a change builds a new table that shares the rest.
Each node's pod range is a route, as host-gw or VXLAN back ends would install it (P-18, P-120); each
node address is a host; Service addresses are never routed, only translated (S-15). Lookup tries
one dict key per prefix length in use, longest first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.dataplane.settings import NetworkSettings
from cluster.dataplane.shared_map import SharedMap
from cluster.objects.core import Node
from cluster.wire.addresses import Cidr, ip_number


class RouteKind(StrEnum):
    """What lies behind a prefix."""

    LOCAL_PODS = "local"
    NODE = "node"  # another node's pods
    HOST = "host"  # a process of a node, or of the control plane
    UNREACHABLE = "unreachable"  # inside the cluster's ranges, and nobody's
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix and what lies behind it."""

    prefix: str
    kind: RouteKind
    node: str = ""
    next_hop: str = ""  # the next node's InternalIP
    what: str = ""  # for people: whose range it is


_RANKS = {RouteKind.LOCAL_PODS: 0, RouteKind.UNREACHABLE: 2}
Span = tuple[int, int]  # size and first address of a range
_OUTSIDE = Route("0.0.0.0/0", RouteKind.OUTSIDE, what="outside the cluster")


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of one node."""

    node: str
    settings: NetworkSettings
    nodes: SharedMap[str, Node] = field(default_factory=SharedMap)
    ranges: SharedMap[Span, tuple[Route, ...]] = field(default_factory=SharedMap)
    sizes: tuple[int, ...] = field(default=(), compare=False)  # ever used, smallest first

    def find(self, ip: str) -> Route:
        """The route to an address: the longest prefix that holds it."""
        number = ip_number(ip)
        for size in self.sizes:
            found = self.ranges.get((size, number & -size))
            if found:
                return found[0]
        return _OUTSIDE

    def with_node(self, name: str, node: Node | None) -> "RouteTable":
        """A table in which one node is as given, or gone."""
        return self.with_nodes({name: node})

    def with_nodes(self, nodes: Mapping[str, Node | None]) -> "RouteTable":
        """A table with these nodes changed; this one if all read as they did."""
        nodes = {name: node for name, node in nodes.items() if self.nodes.get(name) != node}
        if not nodes:
            return self
        edited: dict[Span, dict[Route, None]] = {}
        for name, node in nodes.items():
            old = self.nodes.get(name)
            for span, route in self._routes(old):
                self._held(edited, span).pop(route, None)
            for span, route in self._routes(node):
                self._held(edited, span)[route] = None
        changes = {span: _ranked(held) for span, held in edited.items()}
        return replace(
            self,
            nodes=self.nodes.updated(nodes),
            ranges=self.ranges.updated(changes),
            sizes=tuple(sorted({*self.sizes, *(size for size, _ in changes)})),
        )

    def _held(self, edited: dict[Span, dict[Route, None]], span: Span) -> dict[Route, None]:
        return edited.setdefault(span, dict.fromkeys(self.ranges.get(span) or ()))

    def _routes(self, node: Node | None) -> Iterator[tuple[Span, Route]]:
        if node is None:
            return
        mine, hop = node.name == self.node, node.internal_ip
        kind = RouteKind.LOCAL_PODS if mine else RouteKind.NODE
        for cidr in node.pod_cidrs:
            yield _span(cidr), Route(cidr.text, kind, node.name, "" if mine else hop, "pods")
        for ip in node.addresses:
            yield _host(ip, node.name, f"node {node.name}")


def static_routes(node: str, internal_ip: str, settings: NetworkSettings) -> RouteTable:
    """The routes that need no Node object: the cluster's ranges, this node, the control plane."""
    ranges = [
        _unreachable(settings.pods, "no node has this part of the pod range"),
        _unreachable(settings.services, "Service addresses are translated, never routed"),
        _unreachable(settings.nodes, "no node has this address"),
        (
            _span(settings.outside),
            Route(settings.outside_cidr, RouteKind.OUTSIDE, what="outside the cluster"),
        ),
        _host(settings.control_plane_ip, "", "the control plane"),
        _host(internal_ip, node, "this node"),
    ]
    return RouteTable(
        node,
        settings,
        ranges=SharedMap({span: (route,) for span, route in ranges}),
        sizes=tuple(sorted({span[0] for span, _ in ranges})),
    )


def _unreachable(cidr: Cidr, what: str) -> tuple[Span, Route]:
    return _span(cidr), Route(cidr.text, RouteKind.UNREACHABLE, what=what)


def _host(ip: str, node: str, what: str) -> tuple[Span, Route]:
    prefix = f"{ip}/{128 if ':' in ip else 32}"
    return (1, ip_number(ip)), Route(prefix, RouteKind.HOST, node, what=what)


def _span(cidr: Cidr) -> Span:
    return cidr.last - cidr.first + 1, cidr.first


def _ranked(routes: Mapping[Route, None]) -> tuple[Route, ...] | None:
    """Two nodes may claim one address for a moment; each sees the same one win, itself first."""
    return tuple(sorted(routes, key=lambda r: (_RANKS.get(r.kind, 1), r.node, r.what))) or None
