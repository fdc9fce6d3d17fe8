"""Services: what is refused.

Pure: documents in, causes out. Spec: S-2, S-11, S-29, S-31, S-37, S-42, S-43, S-48, S-53, S-72,
S-74, S-97, S-112, S-116, S-155 to S-168. Source: Kubernetes' pkg/apis/core/validation.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.service_families import HEADLESS, IPV4, IPV6, PREFER, REQUIRE, SINGLE
from control.resources.validation.addresses import cidr_faults, endpoint_ip_faults, ip_faults
from control.resources.validation.metadata import label_causes
from control.resources.validation.names import qualified_faults, subdomain_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)
from control.resources.validation.service_ports import service_port_causes

Spec = Mapping[str, Any]
AFFINITY_SECONDS_MAX = 86400
_CLASS = "spec.loadBalancerClass"

# Fields with a closed set of values.
_CHOICES = {
    "type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    "sessionAffinity": ("ClientIP", "None"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "trafficDistribution": ("PreferClose", "PreferSameNode", "PreferSameZone"),
    "ipFamilyPolicy": (PREFER, REQUIRE, SINGLE),
}


def service_causes(service: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a Service."""
    spec = service["spec"]
    for key, known in _CHOICES.items():
        if key in spec and spec[key] not in known:
            yield unsupported(f"spec.{key}", spec[key], known)
    yield from _type_causes(spec)
    yield from service_port_causes(spec)
    yield from label_causes(spec.get("selector") or {}, "spec.selector")
    yield from _affinity_causes(spec)
    yield from _address_causes(spec)
    yield from _external_ip_causes(spec)
    yield from _load_balancer_causes(spec)
    yield from _external_policy_causes(spec)


def service_update_causes(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    """What may not change in a Service."""
    spec, before = new["spec"], old["spec"]
    yield from _primary_causes(spec, before)
    both = [each for each in (before, spec) if _checks_health(each)]
    if len(both) == 2 and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        yield forbidden("spec.healthCheckNodePort", "field is immutable")
    if spec.get("type") == before.get("type") == "LoadBalancer":
        given = spec.get("loadBalancerClass")
        if given != before.get("loadBalancerClass"):
            yield invalid(_CLASS, given, "may not change once set")


def headless(spec: Spec) -> bool:
    """Whether a Service has no address on purpose."""
    return bool(spec.get("clusterIPs")) and spec["clusterIPs"][0] == HEADLESS


def _type_causes(spec: Spec) -> Iterator[Cause]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and headless(spec):
        words = f"may not be set to 'None' for {kind} services"
        yield invalid("spec.clusterIPs[0]", HEADLESS, words)
    if kind != "ExternalName":
        return
    for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(key):
            yield forbidden(f"spec.{key}", "may not be set for ExternalName services")
    target = (spec.get("externalName") or "").removesuffix(".")
    if not target:
        yield required("spec.externalName")
        return
    for fault in subdomain_faults(target):
        yield invalid("spec.externalName", target, fault)


def _affinity_causes(spec: Spec) -> Iterator[Cause]:
    config = spec.get("sessionAffinityConfig")
    if spec.get("sessionAffinity") == "None" and config:
        words = "must not be set when session affinity is None"
        yield forbidden("spec.sessionAffinityConfig", words)
    if spec.get("sessionAffinity") != "ClientIP":
        return
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds") or 0
    if not 0 < seconds <= AFFINITY_SECONDS_MAX:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        words = f"must be greater than 0 and less than {AFFINITY_SECONDS_MAX}"
        yield invalid(path, seconds, words)


def _address_causes(spec: Spec) -> Iterator[Cause]:
    """clusterIP, clusterIPs and the families agree."""
    if spec.get("type") == "ExternalName":
        return
    ips, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    for index, each in enumerate(families):
        if each not in (IPV4, IPV6):
            yield unsupported(f"spec.ipFamilies[{index}]", each, (IPV4, IPV6))
        elif each in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", each)
    if ips and ips[0] != spec.get("clusterIP"):
        yield invalid("spec.clusterIPs", ips, "first value must match `clusterIP`")
    if len(ips) > 2:
        yield invalid("spec.clusterIPs", ips, "may only hold up to 2 values")
    if ips[:1] == [HEADLESS] and len(ips) > 1:
        yield invalid("spec.clusterIPs", ips, "'None' must be the first and only value")
        return
    if ips[:1] != [HEADLESS]:
        yield from _ip_causes(ips, families)
    policy = spec.get("ipFamilyPolicy", SINGLE)
    many = "cluster IPs" if len(ips) > 1 else "IP families" if len(families) > 1 else ""
    anywhere = headless(spec) and not spec.get("selector") and "ipFamilyPolicy" not in spec
    if many and policy == SINGLE and not anywhere:
        words = f"must be '{REQUIRE}' or '{PREFER}' when multiple {many} are specified"
        yield invalid("spec.ipFamilyPolicy", policy, words)


def _ip_causes(ips: list[str], families: list[str]) -> Iterator[Cause]:
    seen: list[str] = []
    for index, ip in enumerate(ips):
        faults = ip_faults(ip)
        if faults:
            yield invalid(f"spec.clusterIPs[{index}]", ip, faults[0])
            continue
        seen.append(IPV4 if ipaddress.ip_address(ip).version == 4 else IPV6)
        if index < len(families) and families[index] != seen[-1]:
            words = f"expected an {families[index]} value as indicated by "
            yield invalid(f"spec.clusterIPs[{index}]", ip, words + f"`ipFamilies[{index}]`")
    if len(set(seen)) < len(seen):
        words = "may specify no more than one IP for each IP family"
        yield invalid("spec.clusterIPs", ips, words)


def _primary_causes(spec: Spec, before: Spec) -> Iterator[Cause]:
    """The first address and family stay as long as the types need one (S-37, S-48)."""
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    ips, held_ips = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if held_ips and not ips:
        yield invalid("spec.clusterIPs[0]", None, "primary clusterIP can not be unset")
    for index, (ip, old) in enumerate(zip(ips, held_ips, strict=False)):
        if ip != old and (index == 0 or len(ips) == len(held_ips)):
            yield invalid(f"spec.clusterIPs[{index}]", ips, "may not change once set")
    families, held = spec.get("ipFamilies") or [], before.get("ipFamilies") or []
    if held and families[:1] != held[:1]:
        yield invalid("spec.ipFamilies[0]", families, "may not change once set")


def _external_ip_causes(spec: Spec) -> Iterator[Cause]:
    for index, ip in enumerate(spec.get("externalIPs") or ()):
        for fault in endpoint_ip_faults(ip):
            yield invalid(f"spec.externalIPs[{index}]", ip, fault)


def _load_balancer_causes(spec: Spec) -> Iterator[Cause]:
    balanced = spec.get("type") == "LoadBalancer"
    words = "may only be used when `type` is 'LoadBalancer'"
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges and not balanced:
        yield forbidden("spec.LoadBalancerSourceRanges", words)
    for index, each in enumerate(ranges):
        for fault in cidr_faults(each.strip()):
            yield invalid(f"spec.LoadBalancerSourceRanges[{index}]", each, fault)
    if "allocateLoadBalancerNodePorts" in spec and not balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", words)
    if "loadBalancerClass" in spec:
        if not balanced:
            yield forbidden(_CLASS, words)
        for fault in qualified_faults(spec["loadBalancerClass"]):
            yield invalid(_CLASS, spec["loadBalancerClass"], fault)


def _external_policy_causes(spec: Spec) -> Iterator[Cause]:
    kind, policy = spec.get("type"), spec.get("externalTrafficPolicy")
    outside = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and spec.get("externalIPs")
    )
    if policy is not None and not outside:
        words = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, words)
    elif policy not in (None, "Cluster", "Local"):
        yield unsupported("spec.externalTrafficPolicy", policy, ("Cluster", "Local"))
    port = spec.get("healthCheckNodePort")
    if port and not _checks_health(spec):
        words = "may only be set when `type` is 'LoadBalancer' and "
        words += "`externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", port, words)


def _checks_health(spec: Spec) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
