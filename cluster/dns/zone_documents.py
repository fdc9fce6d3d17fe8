"""What of the API's documents a zone is read from; the rest is not kept.

A cluster of ten thousand Services has as many EndpointSlices and more Pods: whole documents, and a
zone reads a few fields of each. Pure: documents in, smaller ones out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.objects.discovery import SERVICE_NAME_LABEL
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, Resource

Document = Mapping[str, Any]

_PORT = ("name", "protocol", "port")


def kept_of(resource: Resource, document: Document) -> Document:
    """A document as a zone needs it."""
    return {"metadata": _metadata(document["metadata"]), **_KEPT[resource](document)}


def _metadata(metadata: Document) -> Document:
    kept = _only(metadata, "name", "namespace", "resourceVersion")
    labels = _only(metadata.get("labels") or {}, SERVICE_NAME_LABEL)
    return {**kept, "labels": labels} if labels else kept


def _service(document: Document) -> Document:
    spec = document.get("spec") or {}
    kept = _only(spec, "type", "clusterIP", "clusterIPs", "externalName")
    return {"spec": {**kept, "ports": _each(spec.get("ports"), *_PORT)}}


def _slice(document: Document) -> Document:
    return {
        **_only(document, "addressType"),
        "ports": _each(document.get("ports"), *_PORT),
        "endpoints": [
            {
                **_only(endpoint, "addresses", "hostname"),
                "conditions": _only(endpoint.get("conditions") or {}, "ready"),
            }
            for endpoint in document.get("endpoints") or ()
        ],
    }


def _pod(document: Document) -> Document:
    status = document.get("status") or {}
    return {
        "spec": _only(document.get("spec") or {}, "hostNetwork"),
        "status": _only(status, "phase", "podIP", "podIPs"),
    }


def _namespace(_: Document) -> Document:
    return {}


_KEPT = {SERVICES: _service, ENDPOINT_SLICES: _slice, PODS: _pod, NAMESPACES: _namespace}


def _only(document: Document, *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


def _each(documents: Iterable[Document] | None, *names: str) -> list[Document]:
    return [_only(each, *names) for each in documents or ()]
