"""Services and EndpointSlices as one proxy sees them.

Pure: built whole from Services and EndpointSlices; a change builds a new table that shares the
rest. A front (ClusterIP, externalIP, load-balancer IP, node port) is one dict lookup away, however
many Services there are; the candidates of each port are found when it changes, not when asked.
Spec: S-8 to S-14, S-51, S-52, S-90, S-93, S-94, S-114; kubernetes.io,
"Virtual IPs and Service Proxies".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace

from cluster.dataclass import dataclass
from cluster.dataplane.endpoints import backends_of, cluster_candidates, local_candidates
from cluster.dataplane.served_port import Front, FrontKind, ServedPort
from cluster.dataplane.shared_map import SharedMap
from cluster.objects.core import Service, ServicePort
from cluster.objects.discovery import EndpointSlice
from cluster.objects.meta import Key
from cluster.wire.addresses import Protocol, SocketAddress

Place = tuple[str, int, Protocol]  # address, port, protocol
NODE_PORT_PLACES = {"IPv4": "node", "IPv6": "node6"}  # the address of a node port: any node's


@dataclass(frozen=True, slots=True)
class Held:
    """What the table keeps of one Service: its ports, and where it is entered for them."""

    ports: tuple[ServedPort, ...] = ()
    fronts: tuple[tuple[Place, Front], ...] = ()
    addresses: tuple[str, ...] = ()  # active ClusterIPs
    health_check_port: int = 0


NOTHING_HELD = Held()


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """The Services of the cluster, for the proxy of `node` in `zone`."""

    node: str
    zone: str = ""
    services: SharedMap[Key, Service] = field(default_factory=SharedMap)
    slices: SharedMap[Key, tuple[EndpointSlice, ...]] = field(default_factory=SharedMap)
    owners: SharedMap[Key, Key] = field(default_factory=SharedMap)  # of a slice: its Service
    held: SharedMap[Key, Held] = field(default_factory=SharedMap)
    fronts: SharedMap[Place, tuple[Front, ...]] = field(default_factory=SharedMap)
    active: SharedMap[str, tuple[Key, ...]] = field(default_factory=SharedMap)  # by ClusterIP

    def at(self, address: SocketAddress, protocol: Protocol) -> Front | None:
        """The front with this address, port and protocol (S-94)."""
        found = self.fronts.get((*address, protocol))
        return found[0] if found else None

    def at_node_port(self, address: SocketAddress, protocol: Protocol) -> Front | None:
        """The front on this node port, for an address known to be the node's."""
        family = NODE_PORT_PLACES["IPv6" if ":" in address.ip else "IPv4"]
        found = self.fronts.get((family, address.port, protocol))
        return found[0] if found else None

    def owner_of(self, ip: str) -> Key | None:
        """The Service that has this ClusterIP, whatever its ports (S-90)."""
        found = self.active.get(ip)
        return found[0] if found else None

    def changed_since(self, before: "ServiceTable") -> Iterator[tuple[Key, Held, Held]]:
        """The Services that are served otherwise than before: what was kept of each, what is."""
        for key in self.held.changed_keys(before.held):
            yield key, before.held.get(key) or NOTHING_HELD, self.held.get(key) or NOTHING_HELD

    def with_service(
        self, key: Key, service: Service | None, slices: Iterable[EndpointSlice]
    ) -> "ServiceTable":
        """A table in which one Service and all its slices are as given."""
        changes: dict[Key, EndpointSlice | None] = {
            each.meta.key: None for each in self.slices.get(key) or ()
        }
        changes |= {each.meta.key: each for each in slices}
        return self.with_changes({key: service}, changes)

    def with_changes(
        self,
        services: Mapping[Key, Service | None],
        slices: Mapping[Key, EndpointSlice | None],
    ) -> "ServiceTable":
        """A table with these Services and slices changed; None is gone."""
        services = {key: each for key, each in services.items() if self.services.get(key) != each}
        slices = {key: each for key, each in slices.items() if self._slice(key) != each}
        if not services and not slices:
            return self
        owners = {key: _owner(each) for key, each in slices.items()}
        regrouped = self._regrouped(slices, owners)
        table = replace(
            self,
            services=self.services.updated(services),
            slices=self.slices.updated(regrouped),
            owners=self.owners.updated(
                {key: owner for key, owner in owners.items() if self.owners.get(key) != owner}
            ),
        )
        return table._served_anew(services.keys() | regrouped.keys())

    def with_zone(self, zone: str) -> "ServiceTable":
        """A table for a node in another zone: every choice by zone is made anew."""
        if zone == self.zone:
            return self
        return replace(self, zone=zone)._served_anew(set(self.services))

    def _slice(self, key: Key) -> EndpointSlice | None:
        owner = self.owners.get(key)
        held = self.slices.get(owner) or () if owner is not None else ()
        return next((each for each in held if each.meta.key == key), None)

    def _regrouped(
        self, slices: Mapping[Key, EndpointSlice | None], owners: Mapping[Key, Key | None]
    ) -> dict[Key, tuple[EndpointSlice, ...] | None]:
        """The slices of each Service that a change of slices touches, by name."""
        groups: dict[Key, dict[Key, EndpointSlice]] = {}
        for key, each in slices.items():
            for owner in {self.owners.get(key), owners[key]} - {None}:
                assert owner is not None
                held = groups.setdefault(
                    owner, {s.meta.key: s for s in self.slices.get(owner) or ()}
                )
                held.pop(key, None)
                if each is not None and owner == owners[key]:
                    held[key] = each
        return {
            owner: tuple(held[name] for name in sorted(held)) or None
            for owner, held in groups.items()
        }

    def _served_anew(self, keys: Iterable[Key]) -> "ServiceTable":
        """Enter these Services again, at the fronts they have now."""
        fronts: dict[Place, dict[Key, list[Front]]] = {}
        active: dict[str, set[Key]] = {}
        held: dict[Key, Held | None] = {}
        for key in keys:
            old, new = self.held.get(key) or NOTHING_HELD, self._hold(key)
            held[key] = new if new.ports else None
            for place in {place for place, _ in (*old.fronts, *new.fronts)}:
                at_place = fronts.setdefault(place, self._grouped(place))
                at_place[key] = [front for where, front in new.fronts if where == place]
            for ip in {*old.addresses, *new.addresses}:
                owners = active.setdefault(ip, set(self.active.get(ip) or ()))
                owners.discard(key)
                owners |= {key} if ip in new.addresses else set()
        return replace(
            self,
            held=self.held.updated(held),
            fronts=self.fronts.updated({place: _ranked(by) for place, by in fronts.items()}),
            active=self.active.updated(
                {
                    ip: tuple(sorted(keys)) or None
                    for ip, keys in active.items()
                    if keys != set(self.active.get(ip) or ())
                }
            ),
        )

    def _grouped(self, place: Place) -> dict[Key, list[Front]]:
        by_service: dict[Key, list[Front]] = {}
        for front in self.fronts.get(place) or ():
            by_service.setdefault(front.served.service, []).append(front)
        return by_service

    def _hold(self, key: Key) -> Held:
        service = self.services.get(key)
        if service is None or not service.cluster_ips:
            return NOTHING_HELD
        slices = self.slices.get(key) or ()
        types = dict.fromkeys(_address_type(ip) for ip in service.cluster_ips)
        ports = tuple(
            self._serve(service, port, slices, kind) for kind in types for port in service.ports
        )
        fronts = tuple(entry for served in ports for entry in _fronts(service, served))
        return Held(ports, fronts, service.cluster_ips, service.health_check_port)

    def _serve(
        self,
        service: Service,
        port: ServicePort,
        slices: Iterable[EndpointSlice],
        address_type: str,
    ) -> ServedPort:
        backends = backends_of(port, slices, address_type)
        ranges = tuple(r for r in service.source_ranges if _address_type(r.text) == address_type)
        return ServedPort(
            service=service.meta.key,
            port=port,
            address_type=address_type,
            internal_policy=service.internal_policy,
            external_policy=service.external_policy,
            affinity_seconds=service.affinity_seconds,
            source_ranges=ranges,
            backends=backends,
            everywhere=cluster_candidates(backends, self.node, self.zone),
            here=local_candidates(backends, self.node),
        )


def _fronts(service: Service, served: ServedPort) -> Iterator[tuple[Place, Front]]:
    """Where a port is entered: its fronts of its own family (S-8, S-52, S-114)."""
    port = served.port
    kinds = (
        (FrontKind.CLUSTER_IP, service.cluster_ips),
        (FrontKind.EXTERNAL_IP, service.external_ips),
        (FrontKind.LOAD_BALANCER, service.load_balancer_ips),
    )
    for kind, ips in kinds:
        for ip in ips:
            if _address_type(ip) == served.address_type:
                yield (ip, port.port, port.protocol), Front(kind, served)
    if port.node_port:
        place = NODE_PORT_PLACES[served.address_type]
        yield (place, port.node_port, port.protocol), Front(FrontKind.NODE_PORT, served)


def _ranked(by_service: Mapping[Key, list[Front]]) -> tuple[Front, ...] | None:
    """Where two Services claim one address, the first by name has it, on every node."""
    return tuple(front for key in sorted(by_service) for front in by_service[key]) or None


def _address_type(ip: str) -> str:
    return "IPv6" if ":" in ip else "IPv4"


def _owner(each: EndpointSlice | None) -> Key | None:
    """The Service a slice belongs to; one without the label belongs to none (S-14)."""
    return (each.meta.namespace, each.service) if each is not None and each.service else None
