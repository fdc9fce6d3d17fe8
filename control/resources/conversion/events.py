"""An Event of events.k8s.io/v1 and of core/v1: one object, whose fields were renamed.

Pure: documents in, documents out. Source: Kubernetes' pkg/apis/events/v1/conversion.go.
"""

from collections.abc import Mapping

from control.resources.conversion.conversion import Conversion, Document

# As events.k8s.io/v1 calls a field, and as core/v1 does.
RENAMED = {
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedSource": "source",
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
}
_BACK = {old: new for new, old in RENAMED.items()}


def _to_core(event: Document) -> dict[str, object]:
    return {**_renamed(event, RENAMED), "apiVersion": "v1"}


def _from_core(event: Document) -> dict[str, object]:
    return {**_renamed(event, _BACK), "apiVersion": "events.k8s.io/v1"}


def _renamed(event: Document, names: Mapping[str, str]) -> dict[str, object]:
    return {names.get(key, key): value for key, value in event.items()}


EVENTS = Conversion(to_stored=_to_core, from_stored=_from_core)
