"""What a node does on each of its node ports: serve, refuse, or stay silent.

Pure: a view in, plans out. Spec: S-84 to S-89; externalTrafficPolicy: S-58, S-59.
"""

from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.served_port import FrontKind, ServedPort
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


def port_plans(view: NodeView) -> dict[Place, PortPlan]:
    """Every node port, by port number and protocol."""
    plans: dict[Place, PortPlan] = {}
    for port, protocol, served in view.services.node_ports():
        if served.address_type == "IPv4":
            state = _state(served)
            plans[port, protocol] = PortPlan(port, protocol, state, served.service)
    return plans


def _state(served: ServedPort) -> PortState:
    if not served.everywhere.backends:
        return PortState.CLOSED
    local_only = served.policy(FrontKind.NODE_PORT) is TrafficPolicy.LOCAL
    return PortState.SILENT if local_only and not served.here.backends else PortState.SERVING
