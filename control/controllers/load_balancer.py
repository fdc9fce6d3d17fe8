"""The cloud's service controller: gives each Service of type LoadBalancer its external address.

Pure: `reconcile` from a view to writes; it remembers the node set that each Service was told of.
Spec: S-108 to S-114, S-123, S-124; kubernetes.io, "Service", type LoadBalancer.

An address belongs to one Service, unless the range holds only one: then Services share it as long
as their ports differ. The gateway listens on what the status says. Nothing stays pending without
an Event that says why.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import NODES, SERVICES
from control.controllers.balanced_status import Status, served_status
from control.controllers.definition import Controller, present
from control.controllers.settings import ControllerSettings
from control.controllers.times import timestamp
from control.controllers.view import (
    Key,
    Objects,
    View,
    deleting,
    key_of,
    labels_of,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.writes import (
    WARNING,
    Announce,
    EmitEvent,
    Patch,
    Write,
    patch_of,
)

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
AUTOSCALER_TAINT = "ToBeDeletedByClusterAutoscaler"
FALSE_TEXTS = frozenset({"0", "f", "F", "false", "False", "FALSE"})
ADDRESSES_MAX = 65536

Front = tuple[int, str]  # port, protocol


class LoadBalancers:
    """The range, and which nodes stood behind each Service when it was last looked at."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._range = ipaddress.ip_network(settings.load_balancer_addresses)
        self._nodes: dict[str, frozenset[str]] = {}

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Give, keep or take one Service's address."""
        service = view.objects.at(key)
        if service is None:
            return ()
        if deleting(service) or spec_of(service).get("type") != "LoadBalancer":
            self._nodes.pop(uid_of(service), None)
            return _clean_up(service)
        if spec_of(service).get("loadBalancerClass"):
            return _left_alone(service)
        return self._ensure(view, service)

    def _ensure(self, view: View, service: Document) -> Sequence[Write]:
        if FINALIZER not in _finalizers(service):
            finalizers = [*_finalizers(service), FINALIZER]
            return [patch_of(SERVICES, service, {"metadata": {"finalizers": finalizers}})]
        nodes = frozenset(eligible_nodes(view.objects.each(NODES)))
        before = self._nodes.get(uid_of(service))
        self._nodes[uid_of(service)] = nodes
        told = _told_of_nodes(service, before, nodes)
        held = address_of(service)
        free = set(self._free(view.objects, service))
        address = held if held in free else self._choose(service, free)
        if address is None:
            return [EmitEvent(service, "SyncLoadBalancerFailed", self._exhausted(), WARNING)]
        status = served_status(service, address, when=timestamp(view.now))
        if not status:
            return told
        return [
            EmitEvent(service, "EnsuringLoadBalancer", "Ensuring load balancer"),
            _assign(service, status),
            *told,
        ]

    def _choose(self, service: Document, free: set[str]) -> str | None:
        """The requested address if it may be had (S-113), else the lowest free one."""
        wished = spec_of(service).get("loadBalancerIP")
        if wished in free:
            return str(wished)
        return min(free, key=ipaddress.ip_address, default=None)

    def _free(self, objects: Objects, service: Document) -> Iterator[str]:
        """The addresses of the range that this Service may have."""
        used = fronts_by_address(objects, service)
        shared = self._range.num_addresses == 1
        wished = fronts_of(service)
        for _, address in zip(range(ADDRESSES_MAX), self._addresses(), strict=False):
            others = used.get(str(address))
            if others is None or (shared and not wished & others):
                yield str(address)

    def _addresses(self) -> Iterator[Any]:
        return iter(self._range.hosts()) if self._range.num_addresses > 1 else iter(self._range)

    def _exhausted(self) -> str:
        why = "every address is in use"
        if self._range.num_addresses == 1:
            why = "its only address serves another Service on the same port"
        return (
            "Error syncing load balancer: failed to ensure load balancer: no address is left in "
            f"{self._range}: {why}; delete a Service of type LoadBalancer or widen "
            "--load-balancer-addresses"
        )


def fronts_of(service: Document) -> set[Front]:
    """What the Service listens on at an address."""
    ports = spec_of(service).get("ports") or ()
    return {(port["port"], port.get("protocol") or "TCP") for port in ports}


def fronts_by_address(objects: Objects, asking: Document) -> dict[str, set[Front]]:
    """What others listen on; of two Services that both have an address, the older keeps it."""
    used: dict[str, set[Front]] = {}
    for other in objects.each(SERVICES):
        if uid_of(other) == uid_of(asking) or spec_of(other).get("type") != "LoadBalancer":
            continue
        if address_of(asking) and _age_order(asking) < _age_order(other):
            continue
        for each in _ingress(other):
            used.setdefault(each.get("ip") or "", set()).update(fronts_of(other))
    return used


def _age_order(service: Document) -> tuple[str, str]:
    metadata = service["metadata"]
    return metadata.get("creationTimestamp") or "", uid_of(service)


def eligible_nodes(nodes: Iterable[Document]) -> Iterator[str]:
    """The nodes behind a balancer: health checks, not readiness, do the rest (S-111)."""
    for node in nodes:
        excluded = labels_of(node).get(EXCLUDE_LABEL)
        taints = (taint["key"] for taint in spec_of(node).get("taints") or ())
        if excluded is not None and excluded not in FALSE_TEXTS:
            continue
        if AUTOSCALER_TAINT not in taints and not deleting(node):
            yield node["metadata"]["name"]


def address_of(service: Document) -> str:
    """The address that the Service has, or ""."""
    return next((each.get("ip") or "" for each in _ingress(service)), "")


def _assign(service: Document, status: Status) -> Write:
    announce = Announce(
        about=service,
        done=("EnsuredLoadBalancer", "Ensured load balancer"),
        refused=("SyncLoadBalancerFailed", "Error syncing load balancer: {error}"),
    )
    return patch_of(SERVICES, service, {"status": status}, subresource="status", announce=announce)


def _clean_up(service: Document) -> Sequence[Write]:
    """Give the address back: first the status, then the finalizer (S-109, S-124)."""
    if FINALIZER not in _finalizers(service):
        return ()
    metadata = service["metadata"]
    place = metadata["namespace"], metadata["name"]
    rest = [each for each in _finalizers(service) if each != FINALIZER]
    writes: list[Write] = []
    if _ingress(service):
        writes.append(EmitEvent(service, "DeletingLoadBalancer", "Deleting load balancer"))
        clear = {"status": {"loadBalancer": {"ingress": None}}}
        return [*writes, patch_of(SERVICES, service, clear, subresource="status")]
    announce = Announce(
        about=service,
        done=("DeletedLoadBalancer", "Deleted load balancer"),
        refused=("DeleteLoadBalancerFailed", "Error deleting load balancer: {error}"),
    )
    changes = {
        "metadata": {
            "finalizers": rest or None,
            "resourceVersion": metadata.get("resourceVersion"),
        }
    }
    return [Patch(SERVICES, *place, changes, announce=announce)]


def _left_alone(service: Document) -> Sequence[Write]:
    """Another controller's Service (S-112); while it is pending, an Event says whose."""
    if _ingress(service):
        return ()
    name = spec_of(service)["loadBalancerClass"]
    text = f'loadBalancerClass "{name}" is served by its own controller, not by this cloud'
    return [EmitEvent(service, "LoadBalancerClassIgnored", text)]


def _told_of_nodes(
    service: Document, before: frozenset[str] | None, nodes: frozenset[str]
) -> list[Write]:
    if not nodes:
        text = "There are no available nodes for LoadBalancer"
        return [EmitEvent(service, "UnAvailableLoadBalancer", text, WARNING)]
    if before is None or before == nodes:
        return []
    return [EmitEvent(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts")]


def _ingress(service: Document) -> list[Any]:
    return list((status_of(service).get("loadBalancer") or {}).get("ingress") or ())


def _finalizers(service: Document) -> list[str]:
    return list(service["metadata"].get("finalizers") or ())


def _services(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The Service; when one gives an address or a port back, also those that wait for one."""
    yield key_of(SERVICES, present(old, new))
    if old is None or not _ingress(old):
        return
    if new is None or _ingress(new) != _ingress(old) or fronts_of(new) != fronts_of(old):
        for service in objects.each(SERVICES):
            if spec_of(service).get("type") == "LoadBalancer" and not _ingress(service):
                yield key_of(SERVICES, service)


def _balanced(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """All balanced Services, when the set of eligible nodes changes."""
    before, after = (
        list(eligible_nodes([each] if each is not None else [])) for each in (old, new)
    )
    if before != after:
        for service in objects.each(SERVICES):
            if spec_of(service).get("type") == "LoadBalancer":
                yield key_of(SERVICES, service)


def controller(settings: ControllerSettings) -> Controller:
    """The service controller of the cloud; one worker, for all Services draw from one range."""
    balancers = LoadBalancers(settings)
    return Controller(
        name="load-balancer",
        component="service-controller",
        reconcile=balancers.reconcile,
        watches={SERVICES: _services, NODES: _balanced},
        workers=1,
    )
