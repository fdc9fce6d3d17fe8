"""EndpointSlices: where each Service's traffic may go, kept equal to the pods behind it.

Pure: `reconcile` from a view to writes.
Spec: S-12, S-13, S-51, S-133 to S-144, S-151 to S-154; kubernetes.io, "EndpointSlices".
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES
from control.controllers.conditions import condition_of
from control.controllers.definition import Controller, itself
from control.controllers.pods import node_of
from control.controllers.selection import selects_exactly
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
from control.controllers.slice_documents import (
    MANAGED_BY,
    SERVICE_NAME,
    delete_slice,
    new_slice,
    slice_labels,
)
from control.controllers.slice_packing import Endpoint, pack
from control.controllers.topology_hints import with_hints, zone_of
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
from control.controllers.writes import Announce, Create, Update, Write

CONTROLLER_NAME = "endpointslice-controller.k8s.io"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"

Ports = tuple[Port, ...]
Slot = tuple[Document | None, Ports, Sequence[Endpoint]]


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring one Service's slices up to date; one without a selector is not ours (S-13, S-151)."""
    service = view.objects.at(key)
    if service is None or not spec_of(service).get("selector"):
        return ()
    if spec_of(service).get("type") == "ExternalName":
        return ()
    existing = own_slices(view.objects, service)
    writes: list[Write] = []
    for family in families(service):
        held = [each for each in existing if each.get("addressType") == family]
        writes += _family_writes(view.objects, service, family, held)
    known = families(service)
    return [*writes, *(delete_slice(e) for e in existing if e.get("addressType") not in known)]


def own_slices(objects: Objects, service: Document) -> list[Document]:
    """The slices that this controller made for the Service."""
    metadata = service["metadata"]
    wanted = {SERVICE_NAME: metadata["name"], MANAGED_BY: CONTROLLER_NAME}.items()
    return [
        each
        for each in objects.each(ENDPOINT_SLICES, metadata["namespace"])
        if wanted <= labels_of(each).items() and not deleting(each)
    ]


def _family_writes(
    objects: Objects, service: Document, family: str, existing: list[Document]
) -> list[Write]:
    slots, empty = _slots(endpoint_groups(objects, service, family), existing)
    pods = {uid_of(pod): pod for pod in selected_pods(objects, service)}
    writes: list[Write] = []
    fresh = [slot for slot in slots if slot[0] is None]
    for held, ports, endpoints in (slot for slot in slots if slot[0] is not None):
        writes += _write(service, family, held, ports, endpoints, pods)
    # An emptied slice becomes a needed one: one write instead of two, and the name stays (S-144).
    for slot, spare in zip_longest(fresh, empty):
        if slot is None:
            writes.append(delete_slice(spare))
        else:
            writes += _write(service, family, spare, slot[1], slot[2], pods)
    return writes


def _slots(
    groups: Mapping[Ports, Sequence[Endpoint]], existing: Sequence[Document]
) -> tuple[list[Slot], list[Document]]:
    """Which slice holds which endpoints, and the slices that are left over."""
    slots: list[Slot] = []
    empty = [each for each in existing if ports_of(each) not in groups]
    for ports, endpoints in groups.items():
        packing = pack([each for each in existing if ports_of(each) == ports], endpoints)
        slots += [(held, ports, members) for held, members in packing.slices]
        empty += packing.empty
    if not groups:  # one empty slice says that the Service has no endpoint (S-138)
        slots = [(None, (), ())]
    return slots, empty


def endpoint_groups(
    objects: Objects, service: Document, family: str
) -> dict[Ports, list[Endpoint]]:
    """The Service's endpoints of one family by their ports (S-137), with hints."""
    places: list[tuple[Ports, Endpoint]] = []
    for pod in sorted(selected_pods(objects, service), key=lambda pod: pod["metadata"]["name"]):
        address = address_in(pod, family)
        if address is not None:
            ports = tuple(sorted(resolved_ports(service, pod), key=repr))
            places.append((ports, _endpoint(objects, service, pod, address)))
    hinted = with_hints(service, [each for _, each in places], objects.each(NODES))
    groups: dict[Ports, list[Endpoint]] = {}
    for (ports, _), each in zip(places, hinted, strict=True):
        groups.setdefault(ports, []).append(each)
    return groups


def _endpoint(objects: Objects, service: Document, pod: Document, address: str) -> Endpoint:
    """One endpoint: exactly one address, and who and where it is (S-142)."""
    node = node_of(pod)
    optional = {
        "hostname": hostname_for(service, pod),
        "nodeName": node,
        "zone": zone_of(objects.get(NODES, "", node)),
    }
    return {
        "addresses": [address],
        "conditions": conditions(service, pod),
        **{key: value for key, value in optional.items() if value},
        "targetRef": pod_reference(pod),
    }


def _write(
    service: Document,
    family: str,
    held: Document | None,
    ports: Ports,
    endpoints: Sequence[Endpoint],
    pods: Mapping[str, Document],
) -> list[Write]:
    labels = _labels(service)
    content: dict[str, Any] = {
        "endpoints": list(endpoints),
        "ports": [port.document() for port in ports],
    }
    announce = _announce(service)
    notes = {TRIGGER_TIME: _trigger_time(service, endpoints, pods)}
    if held is None:
        made = new_slice(SERVICES, service, family, labels, content, annotations=notes)
        return [Create(ENDPOINT_SLICES, made, announce)]
    same = all((held.get(key) or []) == value for key, value in content.items())
    if same and labels == labels_of(held):
        return []
    metadata = {**held["metadata"], "labels": labels}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **notes}
    return [Update(ENDPOINT_SLICES, {**held, "metadata": metadata, **content}, None, announce)]


def _labels(service: Document) -> dict[str, str]:
    """The Service's labels and the controller's own (S-134)."""
    labels = slice_labels(service, CONTROLLER_NAME)
    return {**labels, HEADLESS_LABEL: ""} if headless(service) else labels


def _trigger_time(
    service: Document, endpoints: Sequence[Endpoint], pods: Mapping[str, Document]
) -> str:
    """When the newest change behind this slice happened (S-135)."""
    times = [service["metadata"].get("creationTimestamp") or ""]
    for each in endpoints:
        pod = pods[each["targetRef"]["uid"]]
        readiness = condition_of(pod, "Ready") or {}
        times.append(readiness.get("lastTransitionTime") or "")
        times.append(pod["metadata"].get("deletionTimestamp") or "")
    return max(times)


def _announce(service: Document) -> Announce:
    metadata = service["metadata"]
    place = f"{metadata['namespace']}/{metadata['name']}"
    text = f"Error updating Endpoint Slices for Service {place}: {{error}}"
    return Announce(about=service, refused=("FailedToUpdateEndpointSlices", text))


def ports_of(held: Mapping[str, Any]) -> Ports:
    """The ports of a slice, or of a subset of Endpoints, in one order."""
    ports = (
        Port(
            name=each.get("name") or "",
            protocol=each.get("protocol") or "TCP",
            port=each["port"],
            app_protocol=each.get("appProtocol"),
        )
        for each in held.get("ports") or ()
    )
    return tuple(sorted(ports, key=repr))


def services_of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The Services that select the pod, or did before its labels changed (S-153)."""
    documents = [pod for pod in (old, new) if pod is not None]
    if len(documents) == 2 and not _endpoint_changed(*documents):
        return
    for service in objects.each(SERVICES, documents[0]["metadata"]["namespace"]):
        selector = spec_of(service).get("selector")
        if any(selects_exactly(selector, labels_of(pod)) for pod in documents):
            yield key_of(SERVICES, service)


def _endpoint_changed(old: Document, new: Document) -> bool:
    """Whether a pod changed in a way that its endpoint may show."""
    if old["metadata"].get("labels") != new["metadata"].get("labels"):
        return True
    if deleting(old) != deleting(new) or spec_of(old) != spec_of(new):
        return True
    fields = ("phase", "podIP", "podIPs", "conditions")
    return any(status_of(old).get(field) != status_of(new).get(field) for field in fields)


def _service_of_slice(
    objects: Objects, old: Document | None, new: Document | None
) -> Iterable[Key]:
    for each in (old, new):
        if each is not None and labels_of(each).get(MANAGED_BY) == CONTROLLER_NAME:
            name = labels_of(each).get(SERVICE_NAME, "")
            yield Key(SERVICES, each["metadata"]["namespace"], name)


def _all_services(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """A node's zone stands in each endpoint on it, and its CPUs in every Auto hint."""
    if old is not None and new is not None and _place(old) == _place(new):
        return ()
    return [key_of(SERVICES, service) for service in objects.each(SERVICES)]


def _place(node: Document) -> tuple[Any, ...]:
    ready = (condition_of(node, "Ready") or {}).get("status")
    return zone_of(node), (status_of(node).get("allocatable") or {}).get("cpu"), ready


def controller() -> Controller:
    """The EndpointSlice controller."""
    return Controller(
        name="endpointslice",
        component="endpoint-slice-controller",
        reconcile=reconcile,
        watches={
            SERVICES: itself(SERVICES),
            PODS: services_of_pod,
            ENDPOINT_SLICES: _service_of_slice,
            NODES: _all_services,
        },
    )
