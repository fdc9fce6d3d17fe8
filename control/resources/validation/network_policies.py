"""NetworkPolicies: what is refused.

Pure: documents in, causes out. Spec: N-89 to N-95. Source: Kubernetes'
pkg/apis/networking/validation.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import cidr_faults
from control.resources.validation.refusals import forbidden, invalid, required, unsupported
from control.resources.validation.selectors import selector_causes
from control.resources.validation.service_ports import PROTOCOLS, target_causes

TYPES = ("Egress", "Ingress")
DIRECTIONS = (("ingress", "from"), ("egress", "to"))
_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def policy_causes(policy: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a NetworkPolicy."""
    spec = policy.get("spec") or {}
    yield from selector_causes(spec.get("podSelector") or {}, "spec.podSelector")
    for direction, peers in DIRECTIONS:
        for index, rule in enumerate(spec.get(direction) or ()):
            path = f"spec.{direction}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _port_causes(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer_causes(peer, f"{path}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > len(TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, each in enumerate(types):
        if each not in TYPES:
            yield unsupported(f"spec.policyTypes[{index}]", each, TYPES)


def _port_causes(port: Mapping[str, Any], path: str) -> Iterator[Cause]:
    protocol = port.get("protocol", "TCP")
    if protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, PROTOCOLS)
    number, end = port.get("port"), port.get("endPort")
    if number is not None:
        yield from target_causes(number, f"{path}.port")
    if end is None:
        return
    if number is None:
        words = "may not be specified when `port` is not specified"
        yield invalid(f"{path}.endPort", end, words)
    elif not isinstance(number, int):
        words = "may not be specified when `port` is non-numeric"
        yield invalid(f"{path}.endPort", end, words)
    elif end < number:
        yield invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
    else:
        yield from target_causes(end, f"{path}.endPort")


def _peer_causes(peer: Mapping[str, Any], path: str) -> Iterator[Cause]:
    chosen = [key for key in ("podSelector", "namespaceSelector") if peer.get(key) is not None]
    for key in chosen:
        yield from selector_causes(peer[key], f"{path}.{key}")
    block = peer.get("ipBlock")
    if block is None:
        if not chosen:
            yield required(path, "must specify a peer")
        return
    yield from _block_causes(block, f"{path}.ipBlock")
    if chosen:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block_causes(block: Mapping[str, Any], path: str) -> Iterator[Cause]:
    cidr = block.get("cidr") or ""
    if not cidr:
        yield required(f"{path}.cidr")
        return
    if cidr_faults(cidr):
        yield invalid(f"{path}.cidr", cidr, _CIDR)
        return
    for index, each in enumerate(block.get("except") or ()):
        place = f"{path}.except[{index}]"
        if cidr_faults(each):
            yield invalid(place, each, _CIDR)
        elif not _strictly_within(each, cidr):
            yield invalid(place, each, "must be a strict subset of `cidr`")


def _strictly_within(inner: str, outer: str) -> bool:
    part, whole = (ipaddress.ip_network(each, strict=False) for each in (inner, outer))
    if part.version != whole.version or part.prefixlen <= whole.prefixlen:
        return False
    return int(whole.network_address) <= int(part.network_address) <= int(whole.broadcast_address)
