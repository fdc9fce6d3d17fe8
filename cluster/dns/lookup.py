"""What a name of the zone means, and what stands behind it.

Pure: a zone and a name in, Found or Missing out; both say why. Spec: D-9 to D-64.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cluster.dataclass import dataclass
from cluster.dns.schema import (
    NameServer,
    PodName,
    Reverse,
    SchemaVersion,
    ServiceName,
    Structure,
    Unknown,
    meaning_of,
)
from cluster.dns.zone_objects import NO_PORT, DnsEndpoint, DnsService, NamedPort

if TYPE_CHECKING:
    from cluster.dns.zone import Zone

SCHEMA_VERSION = b"1.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An address behind a name; `owner` is the name that SRV gives as its target."""

    ip: str
    owner: str = ""
    port: int = NO_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A name that exists, and what stands behind it."""

    entries: tuple[Entry, ...] = ()
    alias: str = ""
    names: tuple[str, ...] = ()  # of a reverse name
    text: bytes = b""
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that does not exist, and why not."""

    reason: str


def server_of(zone: "Zone") -> tuple[str, tuple[str, ...]]:
    """The name and the addresses of whoever serves the zone (D-6)."""
    service = zone.services.get(zone.settings.server)
    if service is None:
        return f"ns.dns.{zone.settings.domain}", zone.settings.addresses
    ips = service.cluster_ips or tuple(each.ip for each in zone.endpoints(service.key))
    return service_name(zone, service), ips


def service_name(zone: "Zone", service: DnsService) -> str:
    """The name of a Service in its zone."""
    namespace, name = service.key
    return f"{name}.{namespace}.svc.{zone.settings.domain}"


def look_up(zone: "Zone", name: str, origin: str) -> Found | Missing:
    """What stands behind a name of a zone, in lower case."""
    match meaning_of(name, origin):
        case Structure(namespace):
            if namespace is not None and namespace not in zone.namespaces:
                return _no_namespace(namespace)
            return Found(reason="a name that leads to others")
        case SchemaVersion():
            return Found(text=SCHEMA_VERSION, reason="the version of the schema")
        case NameServer():
            _, ips = server_of(zone)
            return Found(entries=tuple(Entry(ip=ip) for ip in ips), reason="who serves the zone")
        case ServiceName() as wanted:
            return _look_up_service(zone, wanted)
        case PodName() as wanted_pod:
            return _look_up_pod(zone, wanted_pod)
        case Reverse(ip):
            return _look_up_address(zone, ip)
        case Unknown(why):
            return Missing(why)


def _no_namespace(namespace: str) -> Missing:
    return Missing(f"no namespace {namespace}")


def _look_up_service(zone: "Zone", wanted: ServiceName) -> Found | Missing:
    if wanted.namespace not in zone.namespaces:
        return _no_namespace(wanted.namespace)
    service = zone.services.get((wanted.namespace, wanted.service))
    if service is None:
        return Missing(f"no Service {wanted.service} in namespace {wanted.namespace}")
    label = f"{wanted.namespace}/{wanted.service}"
    if service.external_name or not (service.cluster_ips or service.headless):
        return _look_up_alias(service, wanted, label)
    if service.headless or wanted.endpoint is not None:
        return _look_up_endpoints(zone, service, wanted, label)
    ports = tuple(port for port in service.ports if _is_wanted(port, wanted))
    if wanted.port is not None and not ports:
        return Missing(f"Service {label} has no port {wanted.port}/{wanted.protocol}")
    owner = service_name(zone, service)
    entries = tuple(
        Entry(ip=ip, owner=owner, port=port.port) for port in ports for ip in service.cluster_ips
    )
    return Found(entries=entries, reason=f"ClusterIP of Service {label}")


def _look_up_alias(service: DnsService, wanted: ServiceName, label: str) -> Found | Missing:
    """An ExternalName, or a Service that has no address yet."""
    if not service.external_name:
        return Found(reason=f"Service {label} has no address yet")
    if wanted.endpoint is not None or wanted.port is not None:
        return Missing(f"Service {label} is an alias: nothing lies below it")  # D-48
    if _is_address(service.external_name):
        return Missing(f"Service {label} is an alias for an address, not for a name")  # D-47
    return Found(alias=service.external_name, reason=f"Service {label} is an alias")


def _look_up_endpoints(
    zone: "Zone", service: DnsService, wanted: ServiceName, label: str
) -> Found | Missing:
    """The ready endpoints of a Service that fit the endpoint or the port asked for."""
    ready = zone.endpoints(service.key)
    entries = tuple(
        Entry(ip=each.ip, owner=_endpoint_name(zone, service, each), port=port.port)
        for each in ready
        if wanted.endpoint is None or each.label.lower() == wanted.endpoint
        for port in each.ports
        if _is_wanted(port, wanted)
    )
    if entries:
        return Found(entries=entries, reason=f"{len(ready)} ready endpoints of Service {label}")
    if not ready:
        return Missing(f"Service {label} has no ready endpoint")  # D-26
    if wanted.endpoint is not None:
        return Missing(f"Service {label} has no ready endpoint called {wanted.endpoint}")
    return Missing(f"Service {label} has no port {wanted.port}/{wanted.protocol}")


def _endpoint_name(zone: "Zone", service: DnsService, endpoint: DnsEndpoint) -> str:
    return f"{endpoint.label}.{service_name(zone, service)}"


def _is_wanted(port: NamedPort, wanted: ServiceName) -> bool:
    if wanted.port is None:
        return True
    return port.name.lower() == wanted.port and port.protocol == wanted.protocol


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdecimal()


def _look_up_pod(zone: "Zone", wanted: PodName) -> Found | Missing:
    mode = zone.settings.pods
    if mode == "disabled":
        return Missing("names of pods are disabled")
    if wanted.namespace not in zone.namespaces:
        return _no_namespace(wanted.namespace)
    if wanted.ip is None:
        return Missing(f"{wanted.label} is not an address")
    holders = zone.pods.get(wanted.ip) or ()
    if mode == "verified" and all(key[0] != wanted.namespace for key in holders):
        return Missing(f"no pod of namespace {wanted.namespace} has {wanted.ip}")
    return Found(entries=(Entry(ip=wanted.ip),), reason="the address in the name")


def _look_up_address(zone: "Zone", ip: str | None) -> Found | Missing:
    """The names of an address: of its Service, else of each Service it is a ready endpoint of."""
    if ip is None:
        return Missing("not a whole address")
    owner = zone.owners.get(ip)
    service = zone.services.get(owner) if owner else None
    if service is not None:  # D-36
        return Found(names=(service_name(zone, service),), reason=f"{ip} is a ClusterIP")
    names = tuple(dict.fromkeys(_endpoint_names_of(zone, ip)))
    if not names:
        return Missing(f"{ip} belongs to no Service")
    return Found(names=names, reason=f"{ip} is an endpoint")


def _endpoint_names_of(zone: "Zone", ip: str) -> Iterator[str]:
    for key in zone.endpoint_owners.get(ip) or ():
        service = zone.services.get(key)
        for endpoint in zone.endpoints(key) if service else ():
            if endpoint.ip == ip and service is not None:
                yield _endpoint_name(zone, service, endpoint)
