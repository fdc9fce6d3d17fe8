"""Endpoints and EndpointSlices: what is refused.

Pure: documents in, causes out. Spec: S-145, S-146. Source: Kubernetes'
pkg/apis/discovery/validation.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import endpoint_ip_faults, ip_faults
from control.resources.validation.names import (
    label_faults,
    port_faults,
    subdomain_faults,
)
from control.resources.validation.refusals import (
    duplicate,
    invalid,
    required,
    too_many,
    unchanged,
    unsupported,
)
from control.resources.validation.service_ports import PROTOCOLS

Document = Mapping[str, Any]
TYPES = ("FQDN", "IPv4", "IPv6")
ENDPOINTS_MAX, PORTS_MAX, ADDRESSES_MAX = 1000, 100, 100


def slice_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with an EndpointSlice."""
    kind = document.get("addressType") or ""
    if not kind:
        yield required("addressType")
    elif kind not in TYPES:
        yield unsupported("addressType", kind, TYPES)
    endpoints, ports = document.get("endpoints") or [], document.get("ports") or []
    if len(endpoints) > ENDPOINTS_MAX:
        yield too_many("endpoints", len(endpoints), ENDPOINTS_MAX)
        return
    for index, endpoint in enumerate(endpoints):
        yield from _endpoint_causes(endpoint, f"endpoints[{index}]", kind)
    if len(ports) > PORTS_MAX:
        yield too_many("ports", len(ports), PORTS_MAX)
        return
    names: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port_causes(port, f"ports[{index}]", names)


def slice_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A slice holds one type of address for all its life (S-145)."""
    yield from unchanged("addressType", new.get("addressType"), old.get("addressType"))


def endpoints_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with Endpoints."""
    for index, subset in enumerate(document.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for key in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(key) or ()):
                yield from _ip_causes(address.get("ip") or "", f"{path}.{key}[{number}].ip")
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            place = f"{path}.ports[{number}]"
            if len(ports) > 1 and not port.get("name"):
                yield required(f"{place}.name")
            for fault in port_faults(port.get("port") or 0):
                yield invalid(f"{place}.port", port.get("port") or 0, fault)


def _endpoint_causes(endpoint: Document, path: str, kind: str) -> Iterator[Cause]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield required(f"{path}.addresses", "must contain at least 1 address")
    elif len(addresses) > ADDRESSES_MAX:
        yield too_many(f"{path}.addresses", len(addresses), ADDRESSES_MAX)
    for index, address in enumerate(addresses[:ADDRESSES_MAX]):
        place = f"{path}.addresses[{index}]"
        if kind == "FQDN":
            for fault in subdomain_faults(address):
                yield invalid(place, address, fault)
        elif kind in TYPES:
            yield from _family_causes(address, place, kind)
    hostname = endpoint.get("hostname")
    for fault in label_faults(hostname) if hostname else ():
        yield invalid(f"{path}.hostname", hostname, fault)


def _family_causes(address: str, path: str, kind: str) -> Iterator[Cause]:
    version = 4 if kind == "IPv4" else 6
    if ip_faults(address) or ipaddress.ip_address(address).version != version:
        example = "10.9.8.7" if version == 4 else "2001:db8::ffff"
        words = f"must be a valid {kind} address, (e.g. {example})"
        yield invalid(path, address, words)
        return
    yield from _ip_causes(address, path)


def _ip_causes(ip: str, path: str) -> Iterator[Cause]:
    for fault in endpoint_ip_faults(ip):
        yield invalid(path, ip, fault)


def _port_causes(port: Document, path: str, names: set[str]) -> Iterator[Cause]:
    name, protocol = port.get("name") or "", port.get("protocol", "TCP")
    for fault in label_faults(name) if name else ():
        yield invalid(f"{path}.name", name, fault)
    if name in names:
        yield duplicate(f"{path}.name", name)
    names.add(name)
    if protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, PROTOCOLS)
    number = port.get("port")
    for fault in port_faults(number) if number is not None else ():
        yield invalid(f"{path}.port", number, fault)
