"""Services and EndpointSlices, as the DNS reads them.

Pure: documents in, values out. Spec: D-9 to D-48.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from cluster.dataclass import dataclass
from cluster.dns.schema import dashed
from cluster.objects.discovery import SERVICE_NAME_LABEL
from cluster.objects.meta import Key, key_of

NO_PORT = -1  # an endpoint without declared ports still has an address (D-34)


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port of a Service or of an endpoint; the protocol in lower case."""

    name: str
    protocol: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsService:
    """A Service: addresses of its own, those of its endpoints (headless), or another name."""

    key: Key
    cluster_ips: tuple[str, ...] = ()
    headless: bool = False
    external_name: str = ""
    ports: tuple[NamedPort, ...] = ()


@dataclass(frozen=True, slots=True)
class DnsEndpoint:
    """One ready address of a Service, with the label it is called by."""

    ip: str
    label: str
    ports: tuple[NamedPort, ...]


def parse_dns_service(document: Mapping[str, Any]) -> DnsService:
    """Read a Service."""
    spec = document.get("spec") or {}
    alias = spec.get("type") == "ExternalName"
    listed = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return DnsService(
        key=key_of(document),
        cluster_ips=() if alias else tuple(_ip(ip) for ip in listed if ip and ip != "None"),
        headless=not alias and "None" in listed,
        external_name=(spec.get("externalName") or "").rstrip(".") if alias else "",
        ports=_ports(spec.get("ports") or ()),
    )


def parse_dns_endpoints(document: Mapping[str, Any]) -> tuple[Key, tuple[DnsEndpoint, ...]]:
    """Read an EndpointSlice: its Service, and its ready endpoints (D-25, D-27, D-38)."""
    namespace, _ = key_of(document)
    service = (document["metadata"].get("labels") or {}).get(SERVICE_NAME_LABEL, "")
    if document.get("addressType") == "FQDN" or not service:
        return (namespace, service), ()
    ports = _ports(document.get("ports") or ()) or (NamedPort("", "", NO_PORT),)
    endpoints = tuple(
        DnsEndpoint(address, each.get("hostname") or dashed(address), ports)
        for each in document.get("endpoints") or ()
        if (each.get("conditions") or {}).get("ready") is not False
        for address in map(_ip, each.get("addresses") or ())
    )
    return (namespace, service), endpoints


def _ports(documents: Any) -> tuple[NamedPort, ...]:
    return tuple(
        NamedPort(each.get("name") or "", (each.get("protocol") or "TCP").lower(), each["port"])
        for each in documents
        if each.get("port") is not None
    )


def _ip(text: str) -> str:
    return str(ipaddress.ip_address(text))
