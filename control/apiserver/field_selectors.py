"""The fields by which lists and watches may select, kind by kind.

Pure: documents in, text out. Every kind has its name and namespace; a few have more. A field that
a kind does not offer is refused, so that nobody takes a full list for a selection.
Source: kubernetes.io, "Field Selectors", list of supported fields.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cluster.client.interface import Document
from control.apiserver import statuses
from control.resources.columns.reading import items, part, spec_of, status_of
from control.resources.kinds import Kind

Field = Callable[[Document], Any]


def _metadata(key: str) -> Field:
    return lambda document: document["metadata"].get(key)


def _spec(key: str, default: Any = "") -> Field:
    return lambda document: spec_of(document).get(key, default)


def _status(key: str, default: Any = "") -> Field:
    return lambda document: status_of(document).get(key, default)


def _top(key: str) -> Field:
    return lambda document: document.get(key)


def _reference(*keys: str) -> Callable[[str], Field]:
    """A field of what an event is about, which its two versions call differently."""

    def field(name: str) -> Field:
        return lambda document: next(
            (part(document, key)[name] for key in keys if name in part(document, key)), ""
        )

    return field


def _pod_ip(pod: Document) -> Any:
    addresses = items(status_of(pod), "podIPs")
    return addresses[0].get("ip") if addresses else status_of(pod).get("podIP")


def _event_source(event: Document) -> Any:
    return part(event, "source").get("component") or _event_reporter(event)


def _event_reporter(event: Document) -> Any:
    return event.get("reportingComponent") or event.get("reportingController")


_OBJECT_PARTS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_INVOLVED = _reference("involvedObject", "regarding")
_EVENT: dict[str, Field] = {
    "reason": _top("reason"),
    "type": _top("type"),
}

COMMON: dict[str, Field] = {
    "metadata.name": _metadata("name"),
    "metadata.namespace": _metadata("namespace"),
}
OFFERED: dict[tuple[str, str], dict[str, Field]] = {
    ("", "Event"): {
        **_EVENT,
        **{f"involvedObject.{each}": _INVOLVED(each) for each in _OBJECT_PARTS},
        "reportingComponent": _event_reporter,
        "source": _event_source,
    },
    ("", "Namespace"): {"status.phase": _status("phase")},
    ("", "Node"): {"spec.unschedulable": _spec("unschedulable", False)},
    ("", "Pod"): {
        "spec.hostNetwork": _spec("hostNetwork", False),
        "spec.nodeName": _spec("nodeName"),
        "spec.restartPolicy": _spec("restartPolicy"),
        "spec.schedulerName": _spec("schedulerName"),
        "spec.serviceAccountName": _spec("serviceAccountName"),
        "status.nominatedNodeName": _status("nominatedNodeName"),
        "status.phase": _status("phase"),
        "status.podIP": _pod_ip,
    },
    ("", "ReplicationController"): {"status.replicas": _status("replicas", 0)},
    ("", "Secret"): {"type": _top("type")},
    ("", "Service"): {"spec.clusterIP": _spec("clusterIP"), "spec.type": _spec("type")},
    ("apps", "ReplicaSet"): {"status.replicas": _status("replicas", 0)},
    ("batch", "Job"): {"status.successful": _status("succeeded", 0)},
    ("certificates.k8s.io", "CertificateSigningRequest"): {
        "spec.signerName": _spec("signerName"),
    },
    ("events.k8s.io", "Event"): {
        **_EVENT,
        **{f"regarding.{each}": _INVOLVED(each) for each in _OBJECT_PARTS},
        "reportingController": _event_reporter,
    },
}


def fields_of(kind: Kind, document: Document) -> Callable[[str], str]:
    """Reads an object's fields; asked for a field that its kind does not offer: ApiError 400."""
    offered = (
        OFFERED.get((kind.resource.group, kind.resource.kind), {})
        if kind.custom is None
        else kind.custom.selectable
    )

    def read(path: str) -> str:
        field = COMMON.get(path) or offered.get(path)
        if field is None:
            raise statuses.bad_request(_unknown(path, offered))
        return _text(field(document))

    return read


def _unknown(path: str, offered: Mapping[str, Field]) -> str:
    if offered:
        return f"field label not supported: {path}"
    known = ", ".join(f'"{each}"' for each in COMMON)
    return f'"{path}" is not a known field selector: only {known}'


def _text(value: Any) -> str:
    """As Go prints it: a boolean in small letters, nothing as nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
