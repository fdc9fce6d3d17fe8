"""NetworkPolicies (networking.k8s.io/v1), as decisions read them.

Pure: no I/O. Spec: N-1 to N-6, N-28 to N-38, N-48, N-52.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass
from cluster.objects.meta import ObjectMeta, parse_meta
from cluster.objects.selectors import LabelSelector, label_selector_from
from cluster.wire.addresses import Cidr, Protocol


class PolicyType(StrEnum):
    """The two directions a policy may isolate."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True, slots=True)
class IpBlock:
    """A range of addresses without its exceptions (N-52)."""

    cidr: Cidr
    excepted: tuple[Cidr, ...] = ()

    def matches(self, ip: str) -> bool:
        """Whether the address lies in the range and in no exception."""
        return ip in self.cidr and not any(ip in each for each in self.excepted)

    def __str__(self) -> str:
        excepted = ", ".join(each.text for each in self.excepted)
        return f"{self.cidr.text} except {excepted}" if excepted else self.cidr.text


@dataclass(frozen=True, slots=True)
class PolicyPeer:
    """Who may talk: pods by selectors (an absent one is None), or a block of addresses."""

    pods: LabelSelector | None = None
    namespaces: LabelSelector | None = None
    block: IpBlock | None = None


@dataclass(frozen=True, slots=True)
class PolicyPort:
    """A port, a range, a name, or (with neither) every port of the protocol (N-37, N-38)."""

    protocol: Protocol = Protocol.TCP
    first: int | None = None
    last: int | None = None
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.protocol} {self.name}"
        if self.first is None:
            return f"any {self.protocol} port"
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports}"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule; no peers means everybody (N-30), no ports means every port (N-31)."""

    peers: tuple[PolicyPeer, ...] = ()
    ports: tuple[PolicyPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy:
    """Which pods it selects, which directions it isolates, what it allows."""

    meta: ObjectMeta
    selector: LabelSelector
    types: frozenset[PolicyType]
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()

    def rules(self, direction: PolicyType) -> tuple[PolicyRule, ...]:
        """The rules of one direction."""
        return self.ingress if direction is PolicyType.INGRESS else self.egress

    def __str__(self) -> str:
        return f"{self.meta.namespace}/{self.meta.name}"


def parse_network_policy(document: Mapping[str, Any]) -> NetworkPolicy:
    """Read a NetworkPolicy; ValueError names what in it has no meaning."""
    spec = document.get("spec") or {}
    return NetworkPolicy(
        meta=parse_meta(document),
        selector=label_selector_from(spec.get("podSelector") or {}),  # absent selects all (N-2)
        types=_types(spec),
        ingress=tuple(_rule(each, "from") for each in spec.get("ingress") or ()),
        egress=tuple(_rule(each, "to") for each in spec.get("egress") or ()),
    )


def _types(spec: Mapping[str, Any]) -> frozenset[PolicyType]:
    """policyTypes or their default: Ingress, and Egress if there is an egress rule (N-3)."""
    if spec.get("policyTypes"):
        return frozenset(map(PolicyType, spec["policyTypes"]))
    egress = {PolicyType.EGRESS} if spec.get("egress") else set()
    return frozenset({PolicyType.INGRESS} | egress)


def _rule(document: Mapping[str, Any], peers: str) -> PolicyRule:
    return PolicyRule(
        tuple(map(_peer, document.get(peers) or ())),
        tuple(map(_port, document.get("ports") or ())),
    )


def _peer(document: Mapping[str, Any]) -> PolicyPeer:
    block = document.get("ipBlock")
    if block is not None:
        excepted = tuple(map(Cidr.parse, block.get("except") or ()))
        return PolicyPeer(block=IpBlock(Cidr.parse(block["cidr"]), excepted))
    pods, namespaces = document.get("podSelector"), document.get("namespaceSelector")
    if pods is None and namespaces is None:
        raise ValueError("a policy's peer must have podSelector, namespaceSelector or ipBlock")
    return PolicyPeer(
        pods=None if pods is None else label_selector_from(pods),
        namespaces=None if namespaces is None else label_selector_from(namespaces),
    )


def _port(document: Mapping[str, Any]) -> PolicyPort:
    protocol, port = Protocol(document.get("protocol") or "TCP"), document.get("port")
    if port is None:
        return PolicyPort(protocol)
    if isinstance(port, str):
        return PolicyPort(protocol, name=port)
    return PolicyPort(protocol, port, document.get("endPort") or port)
