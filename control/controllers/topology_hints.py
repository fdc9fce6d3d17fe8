"""Hints that keep traffic near: which zones and nodes should use an endpoint.

Pure: no I/O. Spec: S-74, S-75, S-81 to S-83; kubernetes.io, "Topology Aware Routing".
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any

from cluster.client.interface import Document
from control.controllers.conditions import status_is
from control.controllers.view import annotations_of, labels_of, spec_of, status_of

ZONE = "topology.kubernetes.io/zone"
MODE = "service.kubernetes.io/topology-mode"
OLD_MODE = "service.kubernetes.io/topology-aware-hints"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
OVERLOAD_MAX = 0.2  # S-82: a zone's endpoints may get at most this much more than their share

Endpoint = Mapping[str, Any]


def zone_of(node: Document | None) -> str:
    """The node's zone, or ""."""
    return labels_of(node).get(ZONE, "") if node is not None else ""


def with_hints(
    service: Document, endpoints: Sequence[Endpoint], nodes: Iterable[Document]
) -> list[Endpoint]:
    """The endpoints with the hints that the Service asks for, or without any (S-83)."""
    notes = annotations_of(service)
    if (notes.get(MODE) or notes.get(OLD_MODE) or "").lower() == "auto":
        return _by_capacity(endpoints, zone_capacity(nodes))
    wish = spec_of(service).get("trafficDistribution")
    if wish not in ("PreferClose", "PreferSameZone", "PreferSameNode"):
        return list(endpoints)
    return [_own_place(each, node_too=wish == "PreferSameNode") for each in endpoints]


def _own_place(endpoint: Endpoint, *, node_too: bool) -> Endpoint:
    """Only ready endpoints are hinted (S-75); without a zone there is no zone hint (S-81)."""
    if not endpoint["conditions"]["ready"]:
        return endpoint
    hints: dict[str, Any] = {}
    if endpoint.get("zone"):
        hints["forZones"] = [{"name": endpoint["zone"]}]
    if node_too and endpoint.get("nodeName"):
        hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    return {**endpoint, "hints": hints} if hints else endpoint


def zone_capacity(nodes: Iterable[Document]) -> dict[str, float]:
    """Each zone's share of all CPUs; empty where a node's zone or CPU count is unknown."""
    cpus: Counter[str] = Counter()
    for node in nodes:
        if CONTROL_PLANE in labels_of(node) or not status_is(node, "Ready"):
            continue
        zone, cpu = zone_of(node), milli_cpus(status_of(node))
        if not zone or not cpu:
            return {}
        cpus[zone] += cpu
    total = sum(cpus.values())
    return {zone: cpu / total for zone, cpu in cpus.items()}


def milli_cpus(status: Mapping[str, Any]) -> int:
    """The node's allocatable CPUs, in thousandths."""
    text = str((status.get("allocatable") or {}).get("cpu") or "0")
    return int(text[:-1]) if text.endswith("m") else int(float(text) * 1000)


def _by_capacity(endpoints: Sequence[Endpoint], shares: Mapping[str, float]) -> list[Endpoint]:
    usable = [each for each in endpoints if each["conditions"]["ready"]]
    quotas = zone_quotas(len(usable), shares)
    if quotas is None or any(each.get("zone") not in shares for each in usable):
        return list(endpoints)
    left = Counter(quotas)
    hints: dict[int, str] = {}
    for index, each in enumerate(endpoints):
        if each["conditions"]["ready"] and left[each["zone"]] > 0:
            hints[index] = each["zone"]
            left[each["zone"]] -= 1
    spare = iter(left.elements())
    for index, each in enumerate(endpoints):
        if each["conditions"]["ready"] and index not in hints:
            hints[index] = next(spare)
    return [
        {**each, "hints": {"forZones": [{"name": hints[index]}]}} if index in hints else each
        for index, each in enumerate(endpoints)
    ]


def zone_quotas(count: int, shares: Mapping[str, float]) -> dict[str, int] | None:
    """How many of `count` endpoints serve each zone; None where no fair split exists (S-82)."""
    if len(shares) < 2 or count < len(shares):
        return None
    least = {zone: ceil(share * count / (1 + OVERLOAD_MAX)) for zone, share in shares.items()}
    if sum(least.values()) > count:
        return None
    quotas = {zone: max(least[zone], floor(share * count)) for zone, share in shares.items()}
    by_need = sorted(shares, key=lambda zone: (quotas[zone] - shares[zone] * count, zone))
    for zone in by_need * count:
        if sum(quotas.values()) >= count:
            break
        quotas[zone] += 1
    for zone in sorted(shares, key=lambda zone: (least[zone] - quotas[zone], zone)):
        surplus = sum(quotas.values()) - count
        quotas[zone] -= max(0, min(surplus, quotas[zone] - least[zone]))
    return quotas
