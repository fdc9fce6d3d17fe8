"""What the data plane can decide, and the steps by which it came to it.

Pure: no I/O, no clock, no dice.
A decision is a closed union of verdicts and carries its reasons as steps; a step is one line of
`kubehop trace`. Denied is a value, not an exception. Drop reasons keep Hubble's names.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, NamedTuple

from cluster.dataclass import dataclass
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow


class Stage(StrEnum):
    """Which part of the path took a step; one line of a trace."""

    RESOLVE = "resolve"  # the names asked before the connection
    BALANCE = "balance"  # the cloud's load balancer chose a node
    SERVICE = "service"  # kube-proxy chose an endpoint (DNAT)
    EGRESS = "egress"  # egress NetworkPolicy of the source pod
    MASQUERADE = "masquerade"  # source translation (SNAT)
    ROUTE = "route"  # longest prefix: local pod, other node, host, outside
    TUNNEL = "tunnel"  # carried to another node
    INGRESS = "ingress"  # ingress NetworkPolicy of the target pod
    DELIVER = "deliver"  # handed to the program that listens


class Action(StrEnum):
    """What a step did; Antrea's Traceflow words."""

    FORWARDED = "Forwarded"
    RECEIVED = "Received"
    DELIVERED = "Delivered"
    DROPPED = "Dropped"  # silence at the sender
    REJECTED = "Rejected"  # the sender is told: RST or ICMP port-unreachable


class Code(StrEnum):
    """Why a flow ended early, for machines. Hubble's names where it has one (O-21 to O-31)."""

    POLICY_DENIED = "POLICY_DENIED"
    NO_ENDPOINT = "SERVICE_BACKEND_NOT_FOUND"
    NO_LOCAL_ENDPOINT_INTERNAL = "NO_LOCAL_ENDPOINT_INTERNAL"
    NO_LOCAL_ENDPOINT_EXTERNAL = "NO_LOCAL_ENDPOINT_EXTERNAL"
    SOURCE_RANGE = "DENIED_BY_LB_SRC_RANGE_CHECK"
    UNDEFINED_SERVICE_PORT = "UNDEFINED_SERVICE_PORT"
    UNALLOCATED_SERVICE_IP = "UNALLOCATED_SERVICE_IP"
    UNKNOWN_TARGET = "UNKNOWN_L3_TARGET_ADDRESS"  # no pod has this address
    STALE_TARGET = "STALE_OR_UNROUTABLE_IP"  # the pod is gone
    PORT_CLOSED = "PORT_CLOSED"  # nothing listens; the pod's kernel answers with RST
    NO_ROUTE = "FIB_LOOKUP_FAILED"
    NODE_UNREACHABLE = "NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT"
    OUTSIDE_CLOSED = "OUTSIDE_CLOSED"  # the real network, not opened by a setting
    NO_NODE = "NO_HEALTHY_NODE"  # the load balancer has no node to send to
    TABLE_FULL = "CT_MAP_INSERTION_FAILED"
    NO_MAPPING = "NO_MAPPING_FOR_NAT_MASQUERADE"  # no source port is free for a translation
    NXDOMAIN = "NXDOMAIN"
    NODATA = "NODATA"  # the name exists, but has no address
    DNS_UNANSWERED = "DNS_UNANSWERED"  # no server answered, or each of them failed


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision: what was done, to which addresses, by which rule."""

    stage: Stage
    action: Action
    before: Flow
    after: Flow
    reason: str  # one short clause for people: "random, 2 of 3 endpoints"
    code: Code | None = None  # set exactly when action is DROPPED or REJECTED
    detail: Mapping[str, Any] = field(default_factory=dict)  # JSON: service, endpoint, policy, ...


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod, as a decision names it."""

    namespace: str
    name: str
    uid: str
    ip: str
    node: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Local:
    """The route ends at this node: the target's half (`admit`) decides next, here."""


@dataclass(frozen=True, slots=True)
class Via:
    """Carry the flow to another node."""

    node: str


@dataclass(frozen=True, slots=True)
class Host:
    """The destination is a process of a host (a node itself, the API server): dial it for real."""

    node: str
    address: SocketAddress  # emulated, such as 172.30.0.2:10250


@dataclass(frozen=True, slots=True)
class Outside:
    """The destination lies outside the cluster."""

    address: SocketAddress


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand the flow to the program that listens in this pod."""

    pod: PodRef


@dataclass(frozen=True, slots=True)
class Reject:
    """Tell the sender at once: connection refused."""

    code: Code
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Tell the sender nothing: it waits for its own time-out."""

    code: Code
    reason: str


Verdict = Local | Via | Host | Outside | Deliver | Reject | Drop


class AffinityKey(NamedTuple):
    """Session affinity is kept per Service port and client address (S-68)."""

    service: str  # "namespace/name:port-name/PROTOCOL"
    client: str


class Pin(NamedTuple):
    """An affinity choice for the shell to remember, with its life in seconds."""

    key: AffinityKey
    endpoint: SocketAddress
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the flow after every translation, the steps in order, and what to remember."""

    verdict: Verdict
    flow: Flow
    steps: tuple[Step, ...]
    pin: Pin | None = None
