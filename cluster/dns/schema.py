"""What a name below the cluster domain means: the schema of Kubernetes' DNS-based discovery.

    Z                                       the zone itself
    svc.Z  pod.Z  <ns>.svc.Z  <ns>.pod.Z    only lead to others: they exist and have no records
    <svc>.<ns>.svc.Z                        a Service
    <endpoint>.<svc>.<ns>.svc.Z             one endpoint of it
    _<port>._<protocol>.<svc>.<ns>.svc.Z    a named port of it; the underscores may be missing
    1-2-3-4.<ns>.pod.Z                      a pod by its address
    dns-version.Z  ns.dns.Z                 the schema's version; who serves the zone
    4.3.2.1.in-addr.arpa                    an address, asked backwards; likewise ip6.arpa

Pure: names in, values out. Names come in lower case, without a final dot.
Spec: "Kubernetes DNS-Based Service Discovery" 1.1.0; D-1, D-18, D-50 to D-59.
"""

import ipaddress

from cluster.dataclass import dataclass

REVERSE_ZONES = ("in-addr.arpa", "ip6.arpa")


@dataclass(frozen=True, slots=True)
class Structure:
    """A name that only leads to others; `namespace` must exist if it is given."""

    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """dns-version."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """ns.dns: the name of the server where no Service fronts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceName:
    """A Service, one of its endpoints, or one of its ports; None is not said."""

    namespace: str
    service: str
    endpoint: str | None = None
    port: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class PodName:
    """A pod, by the address in its label; None where that is no address."""

    namespace: str
    label: str
    ip: str | None


@dataclass(frozen=True, slots=True)
class Reverse:
    """An address of a reverse zone; None for a name between."""

    ip: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that the schema does not have."""

    why: str


Meaning = Structure | SchemaVersion | NameServer | ServiceName | PodName | Reverse | Unknown


def origin_of(name: str, domain: str) -> str | None:
    """The zone that a name lies in, of those the cluster serves; None for a foreign name."""
    for origin in (domain, *REVERSE_ZONES):
        if name == origin or name.endswith("." + origin):
            return origin
    return None


def meaning_of(name: str, origin: str) -> Meaning:
    """What a name of a zone means."""
    if origin in REVERSE_ZONES:
        return _reverse(name, origin)
    labels = name.removesuffix(origin).rstrip(".").split(".") if name != origin else []
    match labels:
        case [] | ["svc" | "pod"]:
            return Structure()
        case ["dns-version"]:
            return SchemaVersion()
        case ["ns", "dns"]:
            return NameServer()
        case [namespace, "svc" | "pod"]:
            return Structure(namespace)
        case [*left, namespace, "svc"]:
            return _service(left, namespace)
        case [label, namespace, "pod"]:
            return PodName(namespace, label, _pod_address(label))
        case [*_, "pod"]:
            return Unknown("a pod's name has one label before its namespace")
    return Unknown(f"{labels[-1]} is neither svc nor pod")


def _service(left: list[str], namespace: str) -> Meaning:
    match left:
        case [service]:
            return ServiceName(namespace=namespace, service=service)
        case [endpoint, service]:
            return ServiceName(namespace=namespace, service=service, endpoint=endpoint)
        case [port, protocol, service]:
            return ServiceName(
                namespace=namespace,
                service=service,
                port=port.removeprefix("_"),
                protocol=protocol.removeprefix("_"),
            )
    return Unknown("too many labels before the Service")


def dashed(ip: str) -> str:
    """An address as a label: 10-244-1-5; IPv6 with a 0 behind a final dash (D-30)."""
    label = ip.replace(".", "-").replace(":", "-")
    return label + "0" if label.endswith("-") else label


def _pod_address(label: str) -> str | None:
    """The address that a label spells (D-50, D-54)."""
    four = label.count("-") == 3 and "--" not in label
    try:
        return str(ipaddress.ip_address(label.replace("-", "." if four else ":")))
    except ValueError:
        return None


def _reverse(name: str, origin: str) -> Meaning:
    if name == origin:
        return Structure()
    labels = name.removesuffix("." + origin).split(".")
    labels.reverse()
    try:
        if origin == "in-addr.arpa" and len(labels) == 4:
            return Reverse(str(ipaddress.IPv4Address(".".join(labels))))
        if origin == "ip6.arpa" and len(labels) == 32 and all(len(each) == 1 for each in labels):
            return Reverse(str(ipaddress.IPv6Address(int("".join(labels), 16))))
    except ValueError:
        pass  # letters where digits belong: no address has this name
    return Reverse(None)
