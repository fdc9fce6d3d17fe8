"""What decisions about connections read of an object: all that nodes are told of it.

Pure: documents in, smaller documents of the same shape out; None for what no decision reads yet.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)

META = ("name", "namespace", "uid", "labels", "creationTimestamp", "deletionTimestamp")
OUR_ANNOTATIONS = "kubehop.dev/"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ENDPOINT = ("addresses", "conditions", "hostname", "nodeName", "zone", "hints")
REFERENCE = ("kind", "namespace", "name")


def connection_facts(resource: Resource, document: Document) -> dict[str, Any] | None:
    """The facts of one object."""
    return _FACTS[resource](document)


def _pod(document: Document) -> dict[str, Any] | None:
    """A pod without an address is nobody's peer; one that uses its node's may be asked for."""
    spec, status = document.get("spec") or {}, document.get("status") or {}
    if not status.get("podIP"):
        return None
    meta = _meta(document, lambda name: name.startswith(OUR_ANNOTATIONS))
    owners = [_only(each, ("kind", "name", "controller")) for each in _owners(document)]
    if owners:
        meta["ownerReferences"] = owners
    listening = {
        name: ports
        for name in ("containers", "initContainers")
        if (ports := _with_ports(spec.get(name) or ()))
    }
    return {
        "metadata": meta,
        "spec": {**_only(spec, ("nodeName", "hostNetwork")), **listening},
        "status": {**_only(status, ("phase", "podIP", "podIPs")), "conditions": _ready(status)},
    }


def _owners(document: Document) -> list[Document]:
    owners = document["metadata"].get("ownerReferences") or ()
    return [each for each in owners if each.get("controller")]


def _with_ports(containers: Iterable[Document]) -> list[dict[str, Any]]:
    return [
        _only(each, ("name", "restartPolicy", "ports")) for each in containers if each.get("ports")
    ]


def _node(document: Document) -> dict[str, Any]:
    status = document.get("status") or {}
    return {
        "metadata": _meta(document, lambda name: name.startswith(OUR_ANNOTATIONS)),
        "spec": _only(document.get("spec") or {}, ("podCIDR", "podCIDRs")),
        "status": {**_only(status, ("addresses",)), "conditions": _ready(status)},
    }


def _endpoint_slice(document: Document) -> dict[str, Any]:
    found = {
        "metadata": _meta(document, lambda _: False),
        **_only(document, ("addressType", "ports")),
    }
    found["endpoints"] = [_endpoint(each) for each in document.get("endpoints") or ()]
    return found


def _endpoint(document: Document) -> dict[str, Any]:
    target = document.get("targetRef")
    found = _only(document, ENDPOINT)
    return {**found, "targetRef": _only(target, REFERENCE)} if target else found


def _plain(document: Document) -> dict[str, Any]:
    """What changes seldom and is small: all of it but who wrote it."""
    kept = {name: each for name, each in document.items() if name not in ("kind", "apiVersion")}
    return {**kept, "metadata": _meta(document, lambda name: name != LAST_APPLIED)}


def _meta(document: Document, annotated: Callable[[str], bool]) -> dict[str, Any]:
    metadata = document["metadata"]
    found = _only(metadata, META)
    annotations = metadata.get("annotations") or {}
    kept = {name: each for name, each in annotations.items() if annotated(name)}
    return {**found, "annotations": kept} if kept else found


def _ready(status: Document) -> list[dict[str, Any]]:
    conditions = status.get("conditions") or ()
    return [_only(each, ("type", "status")) for each in conditions if each.get("type") == "Ready"]


def _only(document: Document, names: Iterable[str]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


_FACTS: Mapping[Resource, Callable[[Document], dict[str, Any] | None]] = {
    NODES: _node,
    PODS: _pod,
    ENDPOINT_SLICES: _endpoint_slice,
    SERVICES: _plain,
    NETWORK_POLICIES: _plain,
    NAMESPACES: _plain,
}
RESOURCES = tuple(_FACTS)
