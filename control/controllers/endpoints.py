"""Endpoints: the older list of a Service's addresses, for clients that still read it.

Pure: `reconcile` from a view to writes. Spec: S-147. The proxy never reads these (S-150).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import ENDPOINTS, PODS, SERVICES
from control.controllers.definition import Controller, itself, present
from control.controllers.endpointslice import services_of_pod
from control.controllers.pods import node_of
from control.controllers.service_endpoints import (
    HEADLESS_LABEL,
    Port,
    address_in,
    conditions,
    families,
    headless,
    hostname_for,
    pod_reference,
    resolved_ports,
    selected_pods,
)
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    labels_of,
    spec_of,
    uid_of,
)
from control.controllers.writes import Announce, Create, Delete, Update, Write

ADDRESSES_MAX = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
CONTROLLER_NAME = "endpoint-controller"

Ports = tuple[Port, ...]


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring the Endpoints of one Service up to date; they go with it."""
    held = view.objects.get(ENDPOINTS, key.namespace, key.name)
    service = view.objects.at(key)
    if service is None:
        return [_delete(held)] if held is not None and _ours(held) else ()
    spec = spec_of(service)
    if not spec.get("selector") or spec.get("type") == "ExternalName":
        return ()
    subsets, truncated = build_subsets(view.objects, service)
    labels = _labels(service)
    notes = {OVER_CAPACITY: "truncated"} if truncated else {}
    announce = Announce(
        about=service,
        refused=("FailedToUpdateEndpoint", f"Failed to update endpoint {key}: {{error}}"),
    )
    if held is None:
        metadata = {"name": key.name, "namespace": key.namespace, "labels": labels}
        document = {"apiVersion": "v1", "kind": "Endpoints", "subsets": subsets}
        return [
            Create(
                ENDPOINTS, {**document, "metadata": {**metadata, "annotations": notes}}, announce
            )
        ]
    kept = {k: v for k, v in annotations_of(held).items() if k != OVER_CAPACITY}
    wished = {**kept, **notes}
    same = (held.get("subsets") or []) == subsets and labels == labels_of(held)
    if same and wished == annotations_of(held):
        return ()
    metadata = {**held["metadata"], "labels": labels, "annotations": wished}
    return [Update(ENDPOINTS, {**held, "metadata": metadata, "subsets": subsets}, None, announce)]


def build_subsets(objects: Objects, service: Document) -> tuple[list[dict[str, Any]], bool]:
    """Addresses grouped by their ports, ready and not ready apart; whether some were left out."""
    family = families(service)[0]
    groups: dict[Ports, tuple[list[Any], list[Any]]] = {}
    members = sorted(
        (pod for pod in selected_pods(objects, service) if _shown(service, pod)),
        key=lambda pod: (not conditions(service, pod)["ready"], pod["metadata"]["name"]),
    )
    for pod in members[:ADDRESSES_MAX]:
        ports = tuple(sorted(resolved_ports(service, pod), key=repr))
        address = address_in(pod, family)
        if address is None or (not ports and not headless(service)):
            continue
        ready, not_ready = groups.setdefault(ports, ([], []))
        place = ready if conditions(service, pod)["ready"] else not_ready
        place.append(_address(service, pod, address))
    subsets = [_subset(ports, *addresses) for ports, addresses in sorted(groups.items(), key=repr)]
    return subsets, len(members) > ADDRESSES_MAX


def _shown(service: Document, pod: Document) -> bool:
    """Terminating pods have no place here, unless not-ready ones are published."""
    going = conditions(service, pod)["terminating"]
    return not going or bool(spec_of(service).get("publishNotReadyAddresses"))


def _address(service: Document, pod: Document, address: str) -> dict[str, Any]:
    optional = {"hostname": hostname_for(service, pod), "nodeName": node_of(pod)}
    given = {key: value for key, value in optional.items() if value}
    return {"ip": address, **given, "targetRef": pod_reference(pod)}


def _subset(ports: Ports, ready: list[Any], not_ready: list[Any]) -> dict[str, Any]:
    subset: dict[str, Any] = {}
    if ready:
        subset["addresses"] = ready
    if not_ready:
        subset["notReadyAddresses"] = not_ready
    if ports:
        subset["ports"] = [port.document() for port in ports]
    return subset


def _labels(service: Document) -> dict[str, str]:
    labels = {k: v for k, v in labels_of(service).items() if k != HEADLESS_LABEL}
    labels[MANAGED_BY] = CONTROLLER_NAME
    return {**labels, HEADLESS_LABEL: ""} if headless(service) else labels


def _ours(held: Document) -> bool:
    return labels_of(held).get(MANAGED_BY) == CONTROLLER_NAME


def _delete(held: Document) -> Delete:
    metadata = held["metadata"]
    return Delete(
        resource=ENDPOINTS,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=uid_of(held),
    )


def _service_of(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    metadata = present(old, new)["metadata"]
    return (Key(SERVICES, metadata["namespace"], metadata["name"]),)


def controller() -> Controller:
    """The Endpoints controller."""
    return Controller(
        name="endpoints",
        component="endpoint-controller",
        reconcile=reconcile,
        watches={
            SERVICES: itself(SERVICES),
            PODS: services_of_pod,
            ENDPOINTS: _service_of,
        },
    )
