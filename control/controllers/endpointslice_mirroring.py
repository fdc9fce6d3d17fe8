"""Slices for Endpoints that a user made by hand, since proxies and DNS read slices alone.

Pure: `reconcile` from a view to writes. Spec: S-149, S-150; kubernetes.io, "EndpointSlices",
mirroring.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from control.controllers.definition import Controller, itself, present
from control.controllers.endpointslice import Ports, ports_of
from control.controllers.service_endpoints import family_of
from control.controllers.slice_documents import (
    MANAGED_BY,
    SERVICE_NAME,
    delete_slice,
    new_slice,
    slice_labels,
)
from control.controllers.slice_packing import Endpoint, pack
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    deleting,
    labels_of,
    spec_of,
)
from control.controllers.writes import Create, Update, Write

CONTROLLER_NAME = "endpointslicemirroring-controller.k8s.io"
SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
ADDRESSES_PER_SUBSET_MAX = 1000

Group = tuple[str, Ports]  # address type, ports


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring the mirror of one Endpoints up to date; it goes with the Endpoints."""
    endpoints = view.objects.at(key)
    held = _mirror(view.objects, key)
    if endpoints is None or not _wanted(view.objects, endpoints):
        return [delete_slice(each) for each in held]
    groups = _groups(endpoints)
    writes: list[Write] = [delete_slice(each) for each in held if _group_of(each) not in groups]
    for group, members in groups.items():
        packing = pack([each for each in held if _group_of(each) == group], members)
        for slice_, content in packing.slices:
            writes += _write(endpoints, group, slice_, content)
        writes += [delete_slice(each) for each in packing.empty]
    return writes


def _wanted(objects: Objects, endpoints: Document) -> bool:
    """Whether somebody made these by hand, for a Service, and did not forbid it."""
    metadata = endpoints["metadata"]
    service = objects.get(SERVICES, metadata["namespace"], metadata["name"])
    if service is None or spec_of(service).get("selector"):
        return False
    skipped = labels_of(endpoints).get(SKIP_LABEL) == "true"
    return not skipped and LEADER_ANNOTATION not in annotations_of(endpoints)


def _mirror(objects: Objects, key: Key) -> list[Document]:
    """The slices that this controller made of the Endpoints."""
    wanted = {SERVICE_NAME: key.name, MANAGED_BY: CONTROLLER_NAME}.items()
    return [
        each
        for each in objects.each(ENDPOINT_SLICES, key.namespace)
        if wanted <= labels_of(each).items() and not deleting(each)
    ]


def _groups(endpoints: Document) -> dict[Group, list[Endpoint]]:
    """The addresses by family and ports; what no slice can hold is left out."""
    groups: dict[Group, list[Endpoint]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = ports_of(subset)
        listed = [(each, True) for each in subset.get("addresses") or ()]
        listed += [(each, False) for each in subset.get("notReadyAddresses") or ()]
        for address, ready in listed[:ADDRESSES_PER_SUBSET_MAX]:
            group = family_of(address["ip"]), ports
            groups.setdefault(group, []).append(_endpoint(address, ready=ready))
    return groups


def _endpoint(address: Mapping[str, Any], *, ready: bool) -> Endpoint:
    more = {key: address[key] for key in ("hostname", "nodeName", "targetRef") if address.get(key)}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **more}


def _group_of(held: Document) -> Group:
    return held.get("addressType") or "", ports_of(held)


def _write(
    endpoints: Document, group: Group, held: Document | None, members: Sequence[Endpoint]
) -> list[Write]:
    family, ports = group
    labels = slice_labels(endpoints, CONTROLLER_NAME)
    content: dict[str, Any] = {
        "endpoints": list(members),
        "ports": [port.document() for port in ports],
    }
    if held is None:
        return [Create(ENDPOINT_SLICES, new_slice(ENDPOINTS, endpoints, family, labels, content))]
    same = all((held.get(key) or []) == value for key, value in content.items())
    if same and labels == labels_of(held):
        return []
    metadata = {**held["metadata"], "labels": labels}
    return [Update(ENDPOINT_SLICES, {**held, "metadata": metadata, **content})]


def _of_service(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    metadata = present(old, new)["metadata"]
    return (Key(ENDPOINTS, metadata["namespace"], metadata["name"]),)


def _of_slice(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    for each in (old, new):
        if each is not None and labels_of(each).get(MANAGED_BY) == CONTROLLER_NAME:
            name = labels_of(each).get(SERVICE_NAME, "")
            yield Key(ENDPOINTS, each["metadata"]["namespace"], name)


def controller() -> Controller:
    """The controller that mirrors Endpoints."""
    return Controller(
        name="endpointslice-mirroring",
        component="endpoint-slice-mirroring-controller",
        reconcile=reconcile,
        watches={
            ENDPOINTS: itself(ENDPOINTS),
            SERVICES: _of_service,
            ENDPOINT_SLICES: _of_slice,
        },
    )
