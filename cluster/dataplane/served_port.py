"""One Service port on one node: its fronts' rules, and the choice of an endpoint.

All that chance and memory decide of a flow is its lot: which candidate, and whether it was
remembered. What follows of a lot is the same for every flow of its kind.
Pure: values in, a value out.
Spec: S-58 to S-73, S-84 to S-89; kubernetes.io, "Virtual IPs and Service Proxies".
"""

from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Code, Drop, Reject
from cluster.dataplane.endpoints import Backend, Candidates
from cluster.objects.core import ServicePort, TrafficPolicy
from cluster.objects.meta import Key
from cluster.wire.addresses import Cidr, SocketAddress


class FrontKind(StrEnum):
    """By which of its addresses a Service was reached."""

    CLUSTER_IP = "ClusterIP"
    EXTERNAL_IP = "externalIP"
    LOAD_BALANCER = "LoadBalancer"
    NODE_PORT = "NodePort"

    @property
    def external(self) -> bool:
        """Whether externalTrafficPolicy governs it, rather than the internal one (S-89)."""
        return self is not FrontKind.CLUSTER_IP


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPort:
    """One port of a Service in one address family, with its candidates on this node."""

    service: Key
    port: ServicePort
    address_type: str  # IPv4 or IPv6, as slices spell it
    internal_policy: TrafficPolicy
    external_policy: TrafficPolicy
    affinity_seconds: int | None
    source_ranges: tuple[Cidr, ...]
    backends: tuple[Backend, ...]
    everywhere: Candidates
    here: Candidates

    @property
    def affinity_name(self) -> str:
        """The Service port in an affinity key: one record for all its fronts (S-68)."""
        return f"{self}/{self.port.protocol}"

    @property
    def serving(self) -> frozenset[SocketAddress]:
        """Where its live UDP flows may go on to (S-126, S-128)."""
        return frozenset(each.address for each in self.backends if each.ready or each.serving)

    def policy(self, kind: FrontKind) -> TrafficPolicy:
        """The traffic policy of a front."""
        return self.external_policy if kind.external else self.internal_policy

    def __str__(self) -> str:
        namespace, name = self.service
        return f"{namespace}/{name}:{self.port.name or self.port.port}"


@dataclass(frozen=True, slots=True)
class Front:
    """An address that a Service port answers on."""

    kind: FrontKind
    served: ServedPort


class How(StrEnum):
    """What made the choice (O-4)."""

    RANDOM = "random"
    AFFINITY = "session affinity"
    ONLY = "only candidate"


@dataclass(frozen=True, slots=True)
class Forward:
    """The choice fell on this backend, number `position` of the candidates."""

    backend: Backend
    candidates: Candidates
    position: int
    how: How
    reason: str


Choice = Forward | Reject | Drop
Lot = int  # the candidate's position, from 1; negative where it was remembered; or NOBODY
NOBODY: Lot = 0


def draw_lot(candidates: Candidates, pinned: SocketAddress | None, draw: float) -> Lot:
    """Choose the endpoint for one new connection; `draw` in [0, 1) is the only chance in it."""
    count = len(candidates.backends)
    if not count:
        return NOBODY
    remembered = candidates.position_of(pinned) if pinned is not None else None
    return -remembered if remembered else int(draw * count) + 1


def choice_of(served: ServedPort, kind: FrontKind, *, local_only: bool, lot: Lot) -> Choice:
    """The endpoint that a lot fell on, or why there is none."""
    candidates = served.here if local_only else served.everywhere
    if lot == NOBODY:
        return _no_backend(served, kind, candidates)
    if lot < 0:
        return _forward(candidates, -lot, How.AFFINITY)
    return _forward(candidates, lot, How.ONLY if len(candidates.backends) == 1 else How.RANDOM)


def _forward(candidates: Candidates, position: int, how: How) -> Forward:
    count, of, where = len(candidates.backends), candidates.of, candidates.where
    what = "terminating endpoint" if candidates.fallback else "endpoint"
    if how is How.ONLY:
        ready = "ready " if of > 1 and not candidates.fallback else ""
        reason = f"only {ready}{what}{where}" + (f", of {of}" if of > 1 else "")
    else:
        reason = f"{how}, {position} of {count} {what}{'s' if count > 1 else ''}{where}"
    reason += ", none is ready" if candidates.fallback else ""
    return Forward(candidates.backends[position - 1], candidates, position, how, reason)


def _no_backend(served: ServedPort, kind: FrontKind, candidates: Candidates) -> Reject | Drop:
    """Nobody anywhere: refuse (S-85). Somebody, but not here: silence (S-86, S-87)."""
    elsewhere = len(served.everywhere.backends)
    if elsewhere:
        policy = "externalTrafficPolicy" if kind.external else "internalTrafficPolicy"
        external, internal = Code.NO_LOCAL_ENDPOINT_EXTERNAL, Code.NO_LOCAL_ENDPOINT_INTERNAL
        reason = (
            f"{served}: {policy} Local and no endpoint{candidates.where}; "
            f"{elsewhere} on other nodes"
        )
        return Drop(external if kind.external else internal, reason)
    count = len(served.backends)
    why = f"none of its {count} is ready" if count else "its EndpointSlices hold none"
    return Reject(Code.NO_ENDPOINT, f"{served} has no usable endpoint: {why}")
