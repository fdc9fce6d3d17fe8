"""What a cloud's load balancer decides: which fronts it holds, and which node gets a new flow.

A front is one port of one Service of type LoadBalancer at one of its addresses. It is

    serving     a node is chosen for each new flow
    closed      the Service has no usable endpoint: nobody listens, so a client is truly refused
    silent      there are endpoints, but no node that could be sent to: handshakes go unanswered

With externalTrafficPolicy Local only nodes with a ready endpoint of the Service are sent to, as its
healthCheckNodePort would answer; terminating endpoints do not count there.
Pure: values in, values out; chance is passed in. Spec: S-58, S-85, S-108 to S-124, S-178.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Code, Drop
from cluster.dataplane.endpoints import backends_of
from cluster.gateway.backend_nodes import BackendNode
from cluster.objects.core import Service, ServicePort, TrafficPolicy, canonical_ip, parse_service
from cluster.objects.discovery import EndpointSlice
from cluster.objects.meta import Key
from cluster.wire.addresses import Protocol, SocketAddress

_CARRIED = (Protocol.TCP, Protocol.UDP)


@dataclass(frozen=True, slots=True)
class Balanced:
    """A Service of type LoadBalancer, with the addresses it was given."""

    service: Service
    addresses: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)


def parse_balanced(document: Mapping[str, Any]) -> Balanced | None:
    """Read a Service; None if this load balancer has nothing to do with it (S-108, S-112)."""
    spec = document.get("spec") or {}
    metadata = document["metadata"]
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass"):
        return None
    if metadata.get("deletionTimestamp"):
        return None
    balancer = (document.get("status") or {}).get("loadBalancer") or {}
    ips = (each.get("ip") for each in balancer.get("ingress") or ())
    addresses = tuple(dict.fromkeys(canonical_ip(ip) for ip in ips if ip))
    return Balanced(parse_service(document), addresses, metadata.get("annotations") or {})


class FrontState(StrEnum):
    """How a front meets its clients."""

    SERVING = "serving"
    CLOSED = "closed"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients reach a front: address and port as the Service has them, and the protocol."""

    address: SocketAddress
    protocol: Protocol

    @property
    def name(self) -> str:
        """As annotations spell a port: "80/TCP"."""
        return f"{self.address.port}/{self.protocol}"

    def __str__(self) -> str:
        return f"{self.address}/{self.protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlan:
    """What one front shall be."""

    place: Place
    service: Key
    uid: str
    port: str  # the port's name, or its number
    node_port: int
    local_only: bool
    state: FrontState
    reason: str  # why it does not serve; empty when it does
    code: Code | None
    nodes: tuple[BackendNode, ...]  # those that may be sent to, healthy or not

    @property
    def detail(self) -> dict[str, Any]:
        """The Service behind the front, as a trace names it."""
        namespace, name = self.service
        return {
            "service": {
                "namespace": namespace,
                "name": name,
                "port": self.port,
                "protocol": str(self.place.protocol),
            },
            "trafficPolicy": "Local" if self.local_only else "Cluster",
            "nodePort": self.node_port,
        }


Healthy = Callable[[str], bool]


def plan_service(
    balanced: Balanced,
    slices: Sequence[EndpointSlice],
    nodes: Sequence[BackendNode],
    healthy: Healthy,
) -> Iterator[FrontPlan]:
    """The fronts of one Service: each of its ports at each of its addresses."""
    for address in balanced.addresses:
        for port in balanced.service.ports:
            if port.protocol in _CARRIED:
                place = Place(SocketAddress(address, port.port), port.protocol)
                yield _plan(place, balanced.service, port, slices, nodes, healthy)


def oldest_first(balanced: Iterable[Balanced]) -> list[Balanced]:
    """The order in which Services are asked what they claim."""
    return sorted(balanced, key=_age)


def merge(plans: Iterable[Iterable[FrontPlan]]) -> dict[Place, FrontPlan]:
    """Every front there shall be; of two Services that claim one, the first keeps it."""
    fronts: dict[Place, FrontPlan] = {}
    for each in plans:
        for plan in each:
            fronts.setdefault(plan.place, plan)
    return fronts


def _age(each: Balanced) -> tuple[str, str]:
    return each.service.meta.created, each.service.meta.uid


def _plan(
    place: Place,
    service: Service,
    port: ServicePort,
    slices: Sequence[EndpointSlice],
    nodes: Sequence[BackendNode],
    healthy: Healthy,
) -> FrontPlan:
    local_only = service.external_policy is TrafficPolicy.LOCAL
    able = [node for node in nodes if not node.excluded]
    if local_only:
        local = nodes_passing_health_check(slices)
        able = [node for node in able if node.name in local]
    state, code, reason = FrontState.SERVING, None, ""
    if not _has_endpoint(port, slices, place.address.ip):
        state, code = FrontState.CLOSED, Code.NO_ENDPOINT
        reason = f"{service}:{port.name or port.port} has no usable endpoint"
    elif not any(healthy(node.name) for node in able):
        state, code = FrontState.SILENT, Code.NO_NODE
        reason = _why_nobody(service, local_only, nodes, able)
    return FrontPlan(
        place=place,
        service=service.meta.key,
        uid=service.meta.uid,
        port=port.name or str(port.port),
        node_port=port.node_port,
        local_only=local_only,
        state=state,
        reason=reason,
        code=code,
        nodes=tuple(sorted(able, key=lambda node: node.name)),
    )


def nodes_passing_health_check(slices: Iterable[EndpointSlice]) -> frozenset[str]:
    """The nodes whose healthCheckNodePort says 200: one ready endpoint or more (S-118, S-120)."""
    return frozenset(
        endpoint.node
        for each in slices
        for endpoint in each.endpoints
        if endpoint.node and endpoint.ready and not endpoint.terminating
    )


def _has_endpoint(port: ServicePort, slices: Sequence[EndpointSlice], ip: str) -> bool:
    """Whether any node could still serve a new flow: ready, or the fallback of S-58."""
    family = "IPv6" if ":" in ip else "IPv4"
    return any(each.ready or each.falls_back for each in backends_of(port, slices, family))


def _why_nobody(
    service: Service, local_only: bool, nodes: Sequence[BackendNode], able: Sequence[BackendNode]
) -> str:
    if able:
        return f"none of {len(able)} nodes answers health checks"
    usable = [node for node in nodes if not node.excluded]
    if local_only and usable:
        return (
            f"{service}: externalTrafficPolicy Local and no ready endpoint on any of "
            f"{len(usable)} nodes"
        )
    excluded = "; ".join(f"{node.name}: {node.excluded}" for node in nodes)
    return f"no node may be sent to: {excluded}" if nodes else "the cluster has no node"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The node for one new flow, and why."""

    node: BackendNode
    reason: str


def choose_node(
    plan: FrontPlan, healthy: Healthy, *, draw: float, tried: Sequence[str] = ()
) -> Chosen | Drop:
    """Choose the node for one new flow; `tried` are those that have just not answered."""
    able = able_nodes(plan, healthy, tried)
    return chosen_at(plan, able, int(draw * len(able))) if able else nobody(plan)


def able_nodes(plan: FrontPlan, healthy: Healthy, tried: Sequence[str] = ()) -> list[BackendNode]:
    """The nodes among which a choice is made."""
    return [node for node in plan.nodes if healthy(node.name) and node.name not in tried]


def nobody(plan: FrontPlan) -> Drop:
    """No node is able."""
    what = f"none of {len(plan.nodes)} nodes answers" if plan.nodes else plan.reason
    return Drop(Code.NO_NODE, what)


def chosen_at(plan: FrontPlan, able: Sequence[BackendNode], position: int) -> Chosen:
    """The choice that fell on this one of the nodes, counted from 0."""
    node = able[position]
    what = "healthy node" if len(able) == 1 else "healthy nodes"
    with_endpoint = " with an endpoint of its own (Local)" if plan.local_only else ""
    port = f", node port {plan.node_port}" if plan.node_port else ""
    reason = f"{node.name}, {position + 1} of {len(able)} {what}{with_endpoint}{port}"
    return Chosen(node, reason)
