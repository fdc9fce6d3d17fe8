"""Which endpoints of a Service port may take a new connection.

Pure: values in, values out.
Slices become backends; backends become candidates: all ready ones (policy Cluster, narrowed by
topology hints) or those of this node (policy Local); where none is ready, those that terminate but
still serve. Candidates say which filter made them. Spec: S-54 to S-63, S-74 to S-81, S-128.
"""

from collections.abc import Callable, Iterable
from dataclasses import field

from cluster.dataclass import dataclass
from cluster.objects.core import ServicePort
from cluster.objects.discovery import Endpoint, EndpointSlice
from cluster.objects.meta import Key
from cluster.wire.addresses import SocketAddress, ip_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One endpoint of one Service port."""

    address: SocketAddress
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node: str = ""
    zone: str = ""
    zone_hints: frozenset[str] = frozenset()
    node_hints: frozenset[str] = frozenset()
    pod: Key | None = None

    @property
    def falls_back(self) -> bool:
        """Whether it may serve when nobody is ready: it terminates, but serves (S-58, S-62)."""
        return self.serving and self.terminating and not self.ready


@dataclass(frozen=True, slots=True)
class Candidates:
    """The backends among which a choice is made, and the filter that left them (O-5)."""

    backends: tuple[Backend, ...]
    of: int  # how many backends there are in all
    where: str = ""  # " on node-1", " in zone a"; part of a reason
    fallback: bool = False  # none is ready: these terminate
    topology: str = "no hints"  # what became of the hints
    _positions: dict[SocketAddress, int] = field(default_factory=dict, compare=False, repr=False)

    def position_of(self, address: SocketAddress) -> int | None:
        """The position of the backend with this address, from 1; found once for all."""
        if not self._positions:
            places = enumerate(self.backends, start=1)
            self._positions.update({each.address: place for place, each in places})
        return self._positions.get(address)


def backends_of(
    port: ServicePort, slices: Iterable[EndpointSlice], address_type: str
) -> tuple[Backend, ...]:
    """The backends of a Service port, tied by name and protocol (S-54), each once (S-57)."""
    best: dict[SocketAddress, Backend] = {}
    for each in slices:
        if each.address_type != address_type:
            continue
        numbers = [p.port for p in each.ports if (p.name, p.protocol) == (port.name, port.protocol)]
        for number in numbers:
            for endpoint in each.endpoints:
                backend = _backend(endpoint, number)
                held = best.get(backend.address)
                if held is None or _rank(backend) > _rank(held):
                    best[backend.address] = backend
    return tuple(sorted(best.values(), key=_place))


def _place(backend: Backend) -> tuple[int, int]:
    return ip_number(backend.address.ip), backend.address.port


def _rank(backend: Backend) -> tuple[bool, bool, str]:
    return backend.ready, backend.serving, backend.node


def _backend(endpoint: Endpoint, port: int) -> Backend:
    return Backend(
        address=SocketAddress(endpoint.ip, port),
        ready=endpoint.ready,
        serving=endpoint.serving,
        terminating=endpoint.terminating,
        node=endpoint.node,
        zone=endpoint.zone,
        zone_hints=endpoint.zone_hints,
        node_hints=endpoint.node_hints,
        pod=endpoint.pod,
    )


def cluster_candidates(backends: tuple[Backend, ...], node: str, zone: str) -> Candidates:
    """Policy Cluster: every ready backend, by topology; else the terminating ones (S-58)."""
    ready = tuple(each for each in backends if each.ready)
    if not ready:
        fallback = tuple(each for each in backends if each.falls_back)
        return Candidates(fallback, len(backends), fallback=True)
    return _by_topology(ready, len(backends), node, zone)


def local_candidates(backends: tuple[Backend, ...], node: str) -> Candidates:
    """Policy Local: ready backends here, else terminating ones here; hints are nothing (S-80)."""
    here = tuple(each for each in backends if each.node == node)
    ready = tuple(each for each in here if each.ready)
    fallback = () if ready else tuple(each for each in here if each.falls_back)
    where = f" on {node}"
    return Candidates(
        ready or fallback, len(backends), where, not ready, "not used: traffic policy Local"
    )


def _by_topology(ready: tuple[Backend, ...], of: int, node: str, zone: str) -> Candidates:
    """Node hints before zone hints; each counts only if every ready backend has one (S-76)."""
    found, why_not_node = _hinted(ready, lambda each: each.node_hints, node, "node")
    if found:
        return Candidates(found, of, f" hinted for {node}", topology=f"node hints: {node}")
    found, why_not_zone = _hinted(ready, lambda each: each.zone_hints, zone, "zone")
    if found:
        return Candidates(found, of, f" in zone {zone}", topology=f"zone hints: {zone}")
    rejected = why_not_zone or why_not_node
    return Candidates(ready, of, topology=f"not used: {rejected}" if rejected else "no hints")


def _hinted(
    ready: tuple[Backend, ...], hints: Callable[[Backend], frozenset[str]], mine: str, what: str
) -> tuple[tuple[Backend, ...], str]:
    """The backends hinted for here, or why the hints do not count (S-76 to S-79)."""
    bare = next((each for each in ready if not hints(each)), None)
    if bare is not None:
        if any(hints(each) for each in ready):
            return (), f"{bare.address} has no {what} hint"  # one without spoils all (S-78)
        return (), ""
    if not mine:
        return (), f"this node has no {what}"
    found = tuple(each for each in ready if mine in hints(each))
    return found, "" if found else f"no {what} hint is for {mine}"
