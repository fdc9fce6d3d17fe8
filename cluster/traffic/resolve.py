"""What a host name or address means to an outside client: the real address to dial.

    frontend, frontend.shop, frontend.shop.svc     a Service of type LoadBalancer
    127.65.0.1, 203.0.113.200                      the address it was given
    node-2, 172.30.0.2                             a node, for its node ports
    127.0.0.1, localhost                           this machine itself

Pure: documents in, an address out. The internet has no cluster DNS; names of Services stand here
for the records that a real cluster's owner would publish for its load balancers.
Spec: S-107. Source: docs/architecture.md, "Addresses".
"""

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster.dataclass import dataclass
from cluster.traffic.unreached import Symptom, Unreached
from cluster.wire.addresses import Protocol, SocketAddress

REAL_ADDRESSES = "kubehop.dev/real-addresses"
NODE_ADDRESS = "kubehop.dev/address"
LOCALHOST = "127.0.0.1"
NAMES_SHOWN_MAX = 8

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to dial for real, and what that is; `node` is set when it is a node itself."""

    real: SocketAddress
    what: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the API says there is."""

    services: Sequence[Document] = ()
    nodes: Sequence[Document] = ()


def resolve(
    host: str,
    port: int,
    known: Known,
    *,
    protocol: Protocol = Protocol.TCP,
    namespace: str = "default",
) -> Target:
    """The real address behind a host; Unreached says why an outside client has none."""
    host = host.lower().rstrip(".")
    if host == "localhost":
        host = LOCALHOST
    if _is_address(host):
        return _of_address(host, port, known, protocol)
    service = _service_named(host, known.services, namespace)
    if service is not None:
        return _of_service(service, port, protocol)
    for node in known.nodes:
        if node["metadata"]["name"] == host:
            return _of_node(node, port)
    raise Unreached(Symptom.NXDOMAIN, _not_known(host, known, namespace))


def _of_address(ip: str, port: int, known: Known, protocol: Protocol) -> Target:
    for service in known.services:
        if ip in _ingress(service):
            return _at_load_balancer(service, ip, port, protocol)
    for node in known.nodes:
        if ip in _addresses_of(node):
            return _of_node(node, port)
    address = ipaddress.ip_address(ip)
    if address.is_loopback:
        return Target(real=SocketAddress(ip, port), what=ip)
    for service in known.services:
        if ip in service["spec"].get("clusterIPs", ()) or ip == service["spec"].get("clusterIP"):
            text = f"{ip} is the cluster IP of Service {_name(service)}: {_INSIDE_ONLY}"
            raise Unreached(Symptom.UNREACHABLE, text)
    text = (
        f"{ip} is neither a load balancer's, a node's nor this machine's address; the addresses of "
        f"pods and Services exist inside the cluster only: {_FROM_INSIDE}"
    )
    raise Unreached(Symptom.UNREACHABLE, text)


_FROM_INSIDE = "send from a pod (--from pod/NAME) or a node"
_INSIDE_ONLY = f"no outside client reaches it; {_FROM_INSIDE}"


def _of_service(service: Document, port: int, protocol: Protocol) -> Target:
    kind = service["spec"].get("type", "ClusterIP")
    if kind != "LoadBalancer":
        text = f"Service {_name(service)} is of type {kind}: {_INSIDE_ONLY}"
        raise Unreached(Symptom.UNREACHABLE, text)
    ingress = _ingress(service)
    if not ingress:
        text = (
            f"Service {_name(service)} has no load balancer's address yet; its Events say why: "
            f"kubectl describe service {service['metadata']['name']}"
        )
        raise Unreached(Symptom.UNREACHABLE, text)
    return _at_load_balancer(service, ingress[0], port, protocol)


def _at_load_balancer(service: Document, ip: str, port: int, protocol: Protocol) -> Target:
    moved = _real_addresses(service).get(f"{port}/{protocol}")
    real = SocketAddress.parse(moved) if moved else SocketAddress(ip, port)
    return Target(real=real, what=f"Service {_name(service)}")


def _of_node(node: Document, port: int) -> Target:
    name = node["metadata"]["name"]
    real = _annotations(node).get(NODE_ADDRESS)
    if not real:
        text = f"{name} has not said where its node ports are (annotation {NODE_ADDRESS})"
        raise Unreached(Symptom.UNREACHABLE, f"{text}: has it ever been ready?")
    return Target(real=SocketAddress(real, port), what=name, node=name)


def _service_named(host: str, services: Sequence[Document], namespace: str) -> Document | None:
    """The Service of a name; a short one may be that of the one load balancer so called."""
    name, _, rest = host.partition(".")
    wanted, _, suffix = rest.partition(".")
    if suffix and suffix != "svc" and not suffix.startswith("svc."):
        return None
    called = [each for each in services if each["metadata"]["name"] == name]
    for service in called:
        if service["metadata"].get("namespace") == (wanted or namespace):
            return service
    if wanted:
        return None
    published = [each for each in called if each["spec"].get("type") == "LoadBalancer"]
    return published[0] if len(published) == 1 else None


def _not_known(host: str, known: Known, namespace: str) -> str:
    names = sorted(_published(known))
    more = ", ..." if len(names) > NAMES_SHOWN_MAX else ""
    there = ", ".join(names[:NAMES_SHOWN_MAX]) + more if names else "there is none yet"
    return (
        f"{host}: no Service of this name in namespace {namespace} and no node; names that an "
        f"outside client knows are load balancers and nodes: {there}"
    )


def _published(known: Known) -> Iterator[str]:
    for service in known.services:
        if service["spec"].get("type") == "LoadBalancer":
            yield f"{service['metadata']['name']}.{service['metadata']['namespace']}"
    for node in known.nodes:
        yield node["metadata"]["name"]


def _ingress(service: Document) -> list[str]:
    entries = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return [entry["ip"] for entry in entries if entry.get("ip")]


def _real_addresses(service: Document) -> Mapping[str, str]:
    """Ports that are served elsewhere than at the load balancer's own address."""
    text = _annotations(service).get(REAL_ADDRESSES)
    found: Mapping[str, str] = json.loads(text) if text else {}
    return found


def _addresses_of(node: Document) -> set[str]:
    addresses = node.get("status", {}).get("addresses") or ()
    return {each["address"] for each in addresses} | {_annotations(node).get(NODE_ADDRESS, "")}


def _annotations(document: Document) -> Mapping[str, str]:
    return document["metadata"].get("annotations") or {}


def _name(service: Document) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
