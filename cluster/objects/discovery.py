"""EndpointSlices (discovery.k8s.io/v1), as a proxy reads them.

Pure: no I/O. Spec: S-14, S-51, S-54 to S-57, S-75; discovery/v1 API reference.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from cluster.dataclass import dataclass
from cluster.objects.core import canonical_ip
from cluster.objects.meta import Key, ObjectMeta, parse_meta
from cluster.wire.addresses import Protocol

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class SlicePort:
    """A port that all endpoints of a slice serve."""

    name: str
    protocol: Protocol
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint; nil conditions have been read as S-55 says."""

    ip: str
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node: str = ""  # empty: never local (S-63)
    zone: str = ""
    zone_hints: frozenset[str] = field(default=frozenset())
    node_hints: frozenset[str] = field(default=frozenset())
    pod: Key | None = None  # from targetRef


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSlice:
    """Part of the endpoints of one Service, in one address family."""

    meta: ObjectMeta
    service: str = ""  # its Service's name; empty: ignored by everybody (S-14)
    address_type: str = "IPv4"
    ports: tuple[SlicePort, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


def parse_endpoint_slice(document: Mapping[str, Any]) -> EndpointSlice:
    """Read an EndpointSlice; one of names (FQDN) has no endpoints for a proxy (S-56)."""
    meta = parse_meta(document)
    address_type = document.get("addressType") or "IPv4"
    endpoints = () if address_type == "FQDN" else document.get("endpoints") or ()
    return EndpointSlice(
        meta=meta,
        service=meta.labels.get(SERVICE_NAME_LABEL, ""),
        address_type=address_type,
        ports=tuple(
            SlicePort(each.get("name") or "", Protocol(each.get("protocol") or "TCP"), each["port"])
            for each in document.get("ports") or ()
            if each.get("port") is not None
        ),
        endpoints=tuple(_endpoint(each) for each in endpoints if each.get("addresses")),
    )


def _endpoint(document: Mapping[str, Any]) -> Endpoint:
    conditions, hints = document.get("conditions") or {}, document.get("hints") or {}
    return Endpoint(
        ip=canonical_ip(document["addresses"][0]),  # only the first one is used (S-56)
        ready=_condition(conditions, "ready", absent=True),
        serving=_condition(conditions, "serving", absent=True),
        terminating=_condition(conditions, "terminating", absent=False),
        node=document.get("nodeName") or "",
        zone=document.get("zone") or "",
        zone_hints=frozenset(each["name"] for each in hints.get("forZones") or ()),
        node_hints=frozenset(each["name"] for each in hints.get("forNodes") or ()),
        pod=_pod_key(document.get("targetRef") or {}),
    )


def _condition(conditions: Mapping[str, Any], name: str, *, absent: bool) -> bool:
    held = conditions.get(name)
    return absent if held is None else bool(held)


def _pod_key(reference: Mapping[str, Any]) -> Key | None:
    if reference.get("kind") != "Pod":
        return None
    return reference.get("namespace") or "", reference.get("name") or ""
