"""Pods, Services, nodes and namespaces (core/v1), as decisions read them.

Pure: no I/O.
Each `parse_*` takes a document as the API stores it; what the API defaults is defaulted here too,
so that a bare document means the same. Spec: S-1 to S-7, S-55, P-12, P-28.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cluster.dataclass import dataclass
from cluster.objects.meta import ObjectMeta, parse_meta
from cluster.wire.addresses import Cidr, Protocol

ZONE_LABEL = "topology.kubernetes.io/zone"
TUNNEL_ANNOTATION = "kubehop.dev/tunnel"
KUBELET_ANNOTATION = "kubehop.dev/kubelet"
ADDRESS_ANNOTATION = "kubehop.dev/address"
AFFINITY_SECONDS_DEFAULT = 10800  # S-4
TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A named container port: what a string targetPort or a policy's named port resolves to."""

    name: str
    protocol: Protocol
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod: who it is, where it runs, and whether it lives."""

    meta: ObjectMeta
    node: str = ""
    ips: tuple[str, ...] = ()
    phase: str = "Pending"
    ready: bool = False
    host_network: bool = False
    ports: tuple[ContainerPort, ...] = ()  # all containers', sidecars' too (S-18)
    label_set: frozenset[tuple[str, str]] = frozenset()  # the labels, as a key to remember them by

    @property
    def terminal(self) -> bool:
        """Whether it has finished for good: its address may be another pod's now (P-16, N-25)."""
        return self.phase in TERMINAL_PHASES

    def __str__(self) -> str:
        return f"{self.meta.namespace}/{self.meta.name}"


def parse_pod(document: Mapping[str, Any]) -> Pod:
    """Read a Pod."""
    meta, spec, status = parse_meta(document), _spec(document), document.get("status") or {}
    conditions = status.get("conditions") or ()
    return Pod(
        meta=meta,
        node=spec.get("nodeName") or "",
        ips=_pod_ips(status),
        phase=status.get("phase") or "Pending",
        ready=any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions),
        host_network=bool(spec.get("hostNetwork")),
        ports=tuple(_container_ports(spec)),
        label_set=frozenset(meta.labels.items()),
    )


def _pod_ips(status: Mapping[str, Any]) -> tuple[str, ...]:
    listed = [each.get("ip") for each in status.get("podIPs") or ()] or [status.get("podIP")]
    return tuple(canonical_ip(ip) for ip in listed if ip)


def _container_ports(spec: Mapping[str, Any]) -> Iterable[ContainerPort]:
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            protocol = Protocol(port.get("protocol") or "TCP")
            yield ContainerPort(port.get("name") or "", protocol, int(port["containerPort"]))


class TrafficPolicy(StrEnum):
    """Which endpoints a front may use: any, or those of the node the traffic entered."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """One port of a Service; backends are tied to it by name and protocol (S-54)."""

    name: str = ""
    protocol: Protocol = Protocol.TCP
    port: int
    node_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service, as a proxy reads it."""

    meta: ObjectMeta
    type: str = "ClusterIP"
    ports: tuple[ServicePort, ...] = ()
    cluster_ips: tuple[str, ...] = ()  # none for headless and ExternalName (S-9, S-10)
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()  # those the nodes capture: ipMode VIP (S-114)
    internal_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    external_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    affinity_seconds: int | None = None  # ClientIP affinity and its timeout (S-4)
    source_ranges: tuple[Cidr, ...] = ()  # loadBalancerSourceRanges
    health_check_port: int = 0  # healthCheckNodePort (S-118)

    def __str__(self) -> str:
        return f"{self.meta.namespace}/{self.meta.name}"


def parse_service(document: Mapping[str, Any]) -> Service:
    """Read a Service."""
    spec = _spec(document)
    kind = spec.get("type") or "ClusterIP"
    return Service(
        meta=parse_meta(document),
        type=kind,
        ports=tuple(map(_service_port, spec.get("ports") or ())),
        cluster_ips=_cluster_ips(spec, kind),
        external_ips=tuple(map(canonical_ip, spec.get("externalIPs") or ())),
        load_balancer_ips=_captured_ips(document) if kind == "LoadBalancer" else (),
        internal_policy=TrafficPolicy(spec.get("internalTrafficPolicy") or "Cluster"),
        external_policy=TrafficPolicy(spec.get("externalTrafficPolicy") or "Cluster"),
        affinity_seconds=_affinity_seconds(spec),
        source_ranges=_source_ranges(spec) if kind == "LoadBalancer" else (),
        health_check_port=int(spec.get("healthCheckNodePort") or 0),
    )


def _service_port(document: Mapping[str, Any]) -> ServicePort:
    return ServicePort(
        name=document.get("name") or "",
        protocol=Protocol(document.get("protocol") or "TCP"),
        port=int(document["port"]),
        node_port=int(document.get("nodePort") or 0),
    )


def _cluster_ips(spec: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    if kind == "ExternalName":
        return ()
    listed = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return tuple(canonical_ip(ip) for ip in listed if ip and ip != "None")


def _captured_ips(document: Mapping[str, Any]) -> tuple[str, ...]:
    balancer = (document.get("status") or {}).get("loadBalancer") or {}
    ingress = balancer.get("ingress") or ()
    captured = [i["ip"] for i in ingress if i.get("ip") and i.get("ipMode") != "Proxy"]
    return tuple(map(canonical_ip, captured))


def _affinity_seconds(spec: Mapping[str, Any]) -> int | None:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or AFFINITY_SECONDS_DEFAULT)


def _source_ranges(spec: Mapping[str, Any]) -> tuple[Cidr, ...]:
    return tuple(Cidr.parse(text.strip()) for text in spec.get("loadBalancerSourceRanges") or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node: its addresses, its share of the pod range, where it is."""

    meta: ObjectMeta
    internal_ips: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()  # internal and external
    pod_cidrs: tuple[Cidr, ...] = ()
    zone: str = ""
    ready: bool = False

    @property
    def name(self) -> str:
        """The node's name."""
        return self.meta.name

    @property
    def internal_ip(self) -> str:
        """Its first InternalIP; empty until the kubelet has reported one."""
        return self.internal_ips[0] if self.internal_ips else ""

    def annotation(self, name: str) -> str:
        """An annotation such as `kubehop.dev/tunnel`; empty where it is not set."""
        return self.meta.annotations.get(name, "")


def parse_node(document: Mapping[str, Any]) -> Node:
    """Read a Node."""
    meta, spec, status = parse_meta(document), _spec(document), document.get("status") or {}
    listed = status.get("addresses") or ()
    internal = [each["address"] for each in listed if each.get("type") == "InternalIP"]
    external = [each["address"] for each in listed if each.get("type") == "ExternalIP"]
    cidrs = spec.get("podCIDRs") or [spec.get("podCIDR")]
    conditions = status.get("conditions") or ()
    return Node(
        meta=meta,
        internal_ips=tuple(map(canonical_ip, internal)),
        addresses=tuple(map(canonical_ip, [*internal, *external])),
        pod_cidrs=tuple(Cidr.parse(cidr) for cidr in cidrs if cidr),
        zone=meta.labels.get(ZONE_LABEL, ""),
        ready=any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions),
    )


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and its labels."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


def parse_namespace(document: Mapping[str, Any]) -> Namespace:
    """Read a Namespace; it always bears its name as a label (N-40)."""
    meta = parse_meta(document)
    return Namespace(meta.name, {**meta.labels, "kubernetes.io/metadata.name": meta.name})


@lru_cache(maxsize=65536)
def canonical_ip(text: str) -> str:
    """The one spelling of an address; ValueError if it is none."""
    return str(ipaddress.ip_address(text))


def _spec(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document.get("spec") or {}
