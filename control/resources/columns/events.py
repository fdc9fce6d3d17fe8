"""The row of an Event, in the form of core/v1 or of events.k8s.io/v1.

Pure: documents in, text out. Source: both groups' Event; the newer renames fields of the older.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import since
from control.resources.columns.printer import Column, Printer, Row, wide
from control.resources.columns.reading import name_of, part


def _event(event: Document, now: datetime) -> Row:
    involved = part(event, "involvedObject") or part(event, "regarding")
    kind, name = str(involved.get("kind", "")).lower(), involved.get("name")
    first, last, count = _times(event, now)
    return [
        last,
        event.get("type", ""),
        event.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        involved.get("fieldPath", ""),
        event_source(event),
        str(event.get("message") or event.get("note") or "").strip(),
        first,
        count,
        name_of(event),
    ]


def _times(event: Document, now: datetime) -> tuple[str, str, int]:
    """First seen, last seen, how often."""
    begun = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp")
    ended = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp")
    first = since(begun or event.get("eventTime"), now)
    series = event.get("series")
    if series:
        return first, since(series.get("lastObservedTime"), now), int(series.get("count") or 0)
    count = event.get("count") or event.get("deprecatedCount") or 1
    return first, since(ended, now) if ended else first, int(count)


def event_source(event: Document) -> str:
    """Who reports: a component and, where it says so, on which node."""
    source = part(event, "source") or part(event, "deprecatedSource")
    component = source.get("component") or event.get("reportingComponent")
    component = component or event.get("reportingController") or ""
    host = source.get("host") or event.get("reportingInstance")
    return f"{component}, {host}" if host else str(component)


EVENTS = Printer(
    (
        Column("Last Seen", "How long ago it happened the last time."),
        Column("Type", "Normal or Warning."),
        Column("Reason", "What happened, in one word for machines."),
        Column("Object", "What it is about."),
        wide("Subobject", "Which part of the object."),
        wide("Source", "Who reports it."),
        Column("Message", "What happened, for people."),
        wide("First Seen", "How long ago it happened the first time."),
        wide("Count", "How often it happened."),
        Column("Name", "The event's name.", format="name", priority=1),
    ),
    _event,
)
