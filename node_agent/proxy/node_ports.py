"""What a node does on each of its node ports: serve, refuse, or stay silent.

Pure: views in, plans out; a change costs what has changed, however many ports there are.
Spec: S-84 to S-89; externalTrafficPolicy: S-58, S-59.
"""

from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.served_port import FrontKind, ServedPort
from cluster.dataplane.service_table import NODE_PORT_PLACES
from cluster.objects.core import TrafficPolicy
from cluster.objects.meta import Key
from cluster.wire.addresses import Protocol

Place = tuple[int, Protocol]


class PortState(StrEnum):
    """How a node port answers a new client."""

    SERVING = "serving"
    CLOSED = "closed"  # no endpoint anywhere: the kernel refuses (S-85)
    SILENT = "silent"  # policy Local and none here: dropped (S-87)


@dataclass(frozen=True, slots=True)
class PortPlan:
    """One node port of this node."""

    port: int
    protocol: Protocol
    state: PortState
    service: Key


def plan_changes(before: NodeView, after: NodeView) -> dict[Place, PortPlan | None]:
    """The node ports of Services that are served otherwise than before; None is gone."""
    node = NODE_PORT_PLACES["IPv4"]
    places = {
        (port, protocol)
        for _, *each in after.services.changed_since(before.services)
        for held in each
        for (where, port, protocol), _ in held.fronts
        if where == node
    }
    return {place: _plan(after, *place) for place in places}


def _plan(view: NodeView, port: int, protocol: Protocol) -> PortPlan | None:
    fronts = view.services.fronts.get((NODE_PORT_PLACES["IPv4"], port, protocol))
    if not fronts:
        return None
    served = fronts[0].served
    return PortPlan(port, protocol, _state(served), served.service)


def _state(served: ServedPort) -> PortState:
    if not served.everywhere.backends:
        return PortState.CLOSED
    local_only = served.policy(FrontKind.NODE_PORT) is TrafficPolicy.LOCAL
    return PortState.SILENT if local_only and not served.here.backends else PortState.SERVING
