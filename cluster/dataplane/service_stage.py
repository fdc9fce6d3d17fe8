"""The first stage: a Service's front becomes one of its endpoints (DNAT).

Pure: values in, values out.
What a proxy does with one new flow: is the destination a front of a Service, may this client use
it, which traffic policy counts for this front and this sender (`ask`); which endpoint is it
(`lot_of`, the only part with chance and memory in it); what comes of that, and must the source be
translated so that the reply comes back through this node (`translate`).
Spec: S-68 to S-73, S-84 to S-94, S-99 to S-107, S-115, S-117.
"""

from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import (
    Action,
    AffinityKey,
    Code,
    Drop,
    Pin,
    Reject,
    Stage,
    Step,
)
from cluster.dataplane.details import service_detail
from cluster.dataplane.endpoints import Candidates
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.served_port import (
    NOBODY,
    Choice,
    Forward,
    Front,
    FrontKind,
    Lot,
    choice_of,
    draw_lot,
)
from cluster.objects.core import TrafficPolicy
from cluster.wire.flow import Flow, FlowContext, OriginKind


class Sender(StrEnum):
    """Who sent a flow, as the proxy of this node tells by its source."""

    POD = "pod"
    NODE = "node"  # a process of this node
    OUTSIDE = "outside"  # everybody else, other nodes too


class Masquerade(StrEnum):
    """Why a source is translated to the node's address (O-6)."""

    OFF_CLUSTER = "off-cluster-to-cluster-ip"
    EXTERNAL_CLUSTER = "external-traffic-policy-cluster"
    EXTERNAL_FROM_NODE = "external-traffic-policy-local-from-node"
    HAIRPIN = "hairpin"
    POD_EGRESS = "pod-egress"
    NODE_ORIGINATED = "node-originated"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a flow asks of the proxy: all of it but the chance."""

    sender: Sender
    front: Front | None = None
    local_only: bool = False
    barred: bool = False  # by loadBalancerSourceRanges
    client: AffinityKey | None = None  # whom its Service remembers it by

    @property
    def candidates(self) -> Candidates | None:
        """Among whom a lot is drawn; None: nothing is chosen."""
        if self.front is None or self.barred:
            return None
        return self.front.served.here if self.local_only else self.front.served.everywhere


@dataclass(frozen=True, slots=True)
class Translation:
    """The flow after the proxy; a verdict ends it here."""

    flow: Flow
    step: Step | None = None
    verdict: Reject | Drop | None = None
    pin: Pin | None = None
    masquerade: Masquerade | None = None


def sender_of(context: FlowContext, view: NodeView) -> Sender:
    """Who sent the flow; a pod of the host's network is its node (N-65)."""
    source = context.flow.source.ip
    if source in view.own_addresses:
        return Sender.NODE
    if source in view.settings.pods or view.pods.at(source) is not None:
        return Sender.POD
    origin = context.origin
    mine = origin.kind is OriginKind.NODE and origin.name == view.node_name
    return Sender.NODE if mine else Sender.OUTSIDE


def ask(context: FlowContext, view: NodeView) -> Asked:
    """Which front a flow is for, and by which rules an endpoint is chosen for it."""
    flow, sender = context.flow, sender_of(context, view)
    front = front_of(flow, view)
    if front is None:
        return Asked(sender)
    if front.kind is FrontKind.LOAD_BALANCER and not _source_allowed(flow, front, view):
        return Asked(sender, front, barred=True)
    served, client = front.served, None
    if served.affinity_seconds is not None:
        client = AffinityKey(served.affinity_name, flow.source.ip)
    return Asked(sender, front, _local_only(front, sender), client=client)


def lot_of(asked: Asked, affinity: AffinityTable, *, now: float, draw: float) -> Lot:
    """What chance, or memory, chooses; `draw` is in [0, 1)."""
    candidates = asked.candidates
    if candidates is None:
        return NOBODY
    client = asked.client
    pinned = affinity.lookup(client, now=now) if client is not None else None
    return draw_lot(candidates, pinned, draw)


def translate(flow: Flow, asked: Asked, lot: Lot, view: NodeView) -> Translation:
    """The proxy's part of a decision."""
    front = asked.front
    if front is None:
        return _no_front(flow, view)
    if asked.barred:
        return _outside_source_ranges(flow, front)
    served, local_only = front.served, asked.local_only
    choice = choice_of(served, front.kind, local_only=local_only, lot=lot)
    policy = TrafficPolicy.LOCAL if local_only else TrafficPolicy.CLUSTER
    detail = service_detail(front, flow.destination, choice, policy)
    if not isinstance(choice, Forward):
        return _ended(flow, choice, detail)
    after = flow.to(choice.backend.address)
    step = Step(Stage.SERVICE, Action.FORWARDED, flow, after, choice.reason, detail=detail)
    pin = None
    if asked.client is not None and served.affinity_seconds is not None:
        pin = Pin(asked.client, choice.backend.address, float(served.affinity_seconds))
    return Translation(after, step, pin=pin, masquerade=_masquerade(front, asked.sender, after))


def front_of(flow: Flow, view: NodeView) -> Front | None:
    """The front of a Service that a flow's destination is here."""
    front = view.services.at(flow.destination, flow.protocol)
    if front is None and flow.destination.ip in view.own_addresses:
        return view.services.at_node_port(flow.destination, flow.protocol)
    return front


def _no_front(flow: Flow, view: NodeView) -> Translation:
    """Not a Service's business, unless the address is one of the Service range (S-90)."""
    ip, port = flow.destination
    owner = view.services.owner_of(ip)
    if owner is not None:
        service = "/".join(owner)
        reason = f"Service {service} has no {flow.protocol} port {port}"
        refused = Reject(Code.UNDEFINED_SERVICE_PORT, reason)
        namespace, name = owner
        return _ended(flow, refused, {"service": {"namespace": namespace, "name": name}})
    if ip in view.settings.services:
        reason = f"no Service has the address {ip}"
        return _ended(flow, Drop(Code.UNALLOCATED_SERVICE_IP, reason), {})
    return Translation(flow)


def _source_allowed(flow: Flow, front: Front, view: NodeView) -> bool:
    """loadBalancerSourceRanges: none given means all (S-115)."""
    ranges = front.served.source_ranges
    if not ranges or any(flow.source.ip in each for each in ranges):
        return True
    node_is_in = any(ip in each for ip in view.own_addresses for each in ranges)
    return node_is_in and flow.source.ip == flow.destination.ip


def _outside_source_ranges(flow: Flow, front: Front) -> Translation:
    ranges = ", ".join(each.text for each in front.served.source_ranges)
    reason = f"{flow.source.ip} is not in loadBalancerSourceRanges of {front.served}: {ranges}"
    drop = Drop(Code.SOURCE_RANGE, reason)
    policy = front.served.policy(front.kind)
    detail = service_detail(front, flow.destination, drop, policy)
    return _ended(flow, drop, {**detail, "sourceRanges": ranges.split(", ")})


def _local_only(front: Front, sender: Sender) -> bool:
    """internalTrafficPolicy binds everybody; the external one only who comes from outside: pods
    and processes of this node take the Cluster path (S-88, S-89, S-103, S-104)."""
    if front.served.policy(front.kind) is TrafficPolicy.CLUSTER:
        return False
    return not front.kind.external or sender is Sender.OUTSIDE


def _masquerade(front: Front, sender: Sender, after: Flow) -> Masquerade | None:
    """Whether the reply must come back through this node (S-99 to S-105)."""
    if front.kind.external:
        if front.served.policy(front.kind) is TrafficPolicy.CLUSTER:
            return Masquerade.EXTERNAL_CLUSTER
        if sender is Sender.NODE:
            return Masquerade.EXTERNAL_FROM_NODE
    elif sender is not Sender.POD:
        return Masquerade.OFF_CLUSTER
    return Masquerade.HAIRPIN if after.source.ip == after.destination.ip else None


def _ended(flow: Flow, verdict: Choice, detail: dict[str, Any]) -> Translation:
    assert isinstance(verdict, Reject | Drop)
    action = Action.REJECTED if isinstance(verdict, Reject) else Action.DROPPED
    if action is Action.REJECTED:
        detail = {**detail, "reply": "ICMP port-unreachable"}
    step = Step(Stage.SERVICE, action, flow, flow, verdict.reason, verdict.code, detail)
    return Translation(flow, step, verdict)
