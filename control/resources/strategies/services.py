"""Services: defaults by type, and what an update keeps or drops for the client.

Pure: documents in, documents out. Spec: S-1 to S-9, S-32, S-36, S-37,
S-96, S-166.
"""

from collections.abc import Callable, Iterator
from typing import Any

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.names import label_faults
from control.resources.validation.services import service_causes, service_update_causes

Spec = dict[str, Any]
AFFINITY_SECONDS = 10800


def with_service_defaults(service: Document) -> Document:
    """Everything that depends on the type, and targetPort on port."""
    spec: Spec = dict(service.get("spec") or {})
    kind = spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "ClientIP":
        spec["sessionAffinityConfig"] = _with_timeout(spec.get("sessionAffinityConfig") or {})
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if externally_accessible(spec):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if "ports" in spec:
        spec["ports"] = [_with_target(port) for port in spec["ports"] or ()]
    for empty in [key for key in ("clusterIP", "clusterIPs") if not spec.get(key, True)]:
        del spec[empty]
    return {**service, "spec": _with_addresses_agreed(spec)}


def carried(new: Document, old: Document) -> Document:
    """An update with what it left out, and without what no longer applies."""
    spec, before = dict(new.get("spec") or {}), old["spec"]
    _agree_on_addresses(spec, before)
    _keep_allocated(spec, before)
    _drop_inapplicable(spec, before)
    return {**new, "spec": spec}


def externally_accessible(spec: Spec) -> bool:
    """Whether traffic from outside of the cluster may come (S-6)."""
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def _with_timeout(config: dict[str, Any]) -> dict[str, Any]:
    client = {"timeoutSeconds": AFFINITY_SECONDS, **(config.get("clientIP") or {})}
    return {**config, "clientIP": client}


def _with_target(port: dict[str, Any]) -> dict[str, Any]:
    filled = {"protocol": "TCP", **port}
    if filled.get("targetPort") in (None, 0, "") and "port" in filled:
        filled["targetPort"] = filled["port"]
    if not filled.get("nodePort", True):
        del filled["nodePort"]  # 0 is "give me one"
    return filled


def _with_addresses_agreed(spec: Spec) -> Spec:
    """Either of clusterIP and clusterIPs says the other (S-36)."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        return {**spec, "clusterIPs": [spec["clusterIP"]]}
    if spec.get("clusterIPs") and not spec.get("clusterIP"):
        return {**spec, "clusterIP": spec["clusterIPs"][0]}
    return spec


def _agree_on_addresses(spec: Spec, before: Spec) -> None:
    """A client that changes only one of the two fields means both."""
    old_ip, old_ips = before.get("clusterIP"), before.get("clusterIPs")
    ip, ips = spec.get("clusterIP"), spec.get("clusterIPs")
    if ip == old_ip or ips != old_ips or not ips:
        return
    if ip:
        spec["clusterIPs"] = [ip, *ips[1:]]
    else:
        del spec["clusterIPs"]


def _keep_allocated(spec: Spec, before: Spec) -> None:
    """What the client did not name stays as it was given (S-32)."""
    if _needs_address(spec) and _needs_address(before):
        for key in ("clusterIP", "clusterIPs"):
            if not spec.get(key) and before.get(key):
                spec[key] = before[key]
        for key in ("ipFamilies", "ipFamilyPolicy"):
            if key not in spec and key in before:
                spec[key] = before[key]
    if _draws_node_ports(spec) and _may_have_node_ports(before):
        spec["ports"] = _with_node_ports(spec.get("ports") or [], before.get("ports") or [])
    if _needs_health_port(spec) and _needs_health_port(before):
        port = spec.get("healthCheckNodePort") or before.get("healthCheckNodePort")
        if port:
            spec["healthCheckNodePort"] = port


def _with_node_ports(ports: list[Spec], before: list[Spec]) -> list[Spec]:
    """Node ports by the ports' names; not one that the client uses elsewhere now."""
    by_name = {port.get("name", ""): port.get("nodePort") for port in before}
    named = {port.get("nodePort") for port in ports}
    result = []
    for port in ports:
        kept = by_name.get(port.get("name", ""))
        given = port.get("nodePort") or kept is None or kept in named
        result.append(port if given else {**port, "nodePort": kept})
    return result


# Fields that belong to some types only: field, and whether a spec has a use for it.
_TYPED: tuple[tuple[str, Callable[[Spec], bool]], ...] = (
    ("clusterIP", lambda spec: _needs_address(spec)),
    ("clusterIPs", lambda spec: _needs_address(spec)),
    ("ipFamilies", lambda spec: _needs_address(spec)),
    ("ipFamilyPolicy", lambda spec: _needs_address(spec)),
    ("internalTrafficPolicy", lambda spec: _needs_address(spec)),
    ("healthCheckNodePort", lambda spec: _needs_health_port(spec)),
    ("allocateLoadBalancerNodePorts", lambda spec: spec.get("type") == "LoadBalancer"),
    ("loadBalancerClass", lambda spec: spec.get("type") == "LoadBalancer"),
    ("externalTrafficPolicy", lambda spec: externally_accessible(spec)),
)


def _drop_inapplicable(spec: Spec, before: Spec) -> None:
    """What only the old type needed goes, unless the client touched it (S-37)."""
    for key, needs in _TYPED:
        if key in spec and needs(before) and not needs(spec) and spec[key] == before.get(key):
            del spec[key]
    if not _may_have_node_ports(before) or _may_have_node_ports(spec):
        return
    ports, old = spec.get("ports") or [], before.get("ports") or []
    if [port.get("nodePort") for port in ports] == [port.get("nodePort") for port in old]:
        spec["ports"] = [{k: v for k, v in port.items() if k != "nodePort"} for port in ports]


def _needs_address(spec: Spec) -> bool:
    return spec.get("type") != "ExternalName"


def _may_have_node_ports(spec: Spec) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _draws_node_ports(spec: Spec) -> bool:
    """Whether each port gets a node port; a balanced Service may do without (S-42)."""
    return _may_have_node_ports(spec) and not (
        spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False
    )


def _needs_health_port(spec: Spec) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _empty_status(service: Document) -> Document:
    return {"loadBalancer": {}}


def _warnings(service: Document) -> Iterator[str]:
    """What 1.36 began to take back (S-96)."""
    if service["spec"].get("externalIPs"):
        yield "spec.externalIPs is deprecated"


SERVICE = Strategy(
    name_faults=label_faults,
    status=_empty_status,
    defaults=with_service_defaults,
    updated=carried,
    causes=service_causes,
    update_causes=service_update_causes,
    warnings=_warnings,
    returned_when_deleted=True,
)
