"""One Event, as both of its groups show it."""

from control.resources.conversion.events import EVENTS

CORE = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "a.1"},
    "involvedObject": {"kind": "Pod", "name": "a"},
    "reason": "Started",
    "message": "it runs",
    "source": {"component": "kubelet"},
    "reportingComponent": "kubelet",
    "reportingInstance": "node-1",
    "count": 2,
    "firstTimestamp": "2026-01-01T12:00:00Z",
    "lastTimestamp": "2026-01-01T12:01:00Z",
}


def test_fields_have_the_names_of_the_group_that_is_asked() -> None:
    shown = EVENTS.from_stored(CORE)
    assert shown == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "a.1"},
        "regarding": {"kind": "Pod", "name": "a"},
        "reason": "Started",
        "note": "it runs",
        "deprecatedSource": {"component": "kubelet"},
        "reportingController": "kubelet",
        "reportingInstance": "node-1",
        "deprecatedCount": 2,
        "deprecatedFirstTimestamp": "2026-01-01T12:00:00Z",
        "deprecatedLastTimestamp": "2026-01-01T12:01:00Z",
    }
    assert EVENTS.to_stored(shown) == CORE
