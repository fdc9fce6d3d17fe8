"""Which objects a list or a watch is about: namespace, labels, fields.

Pure: options and records in, yes or no out.
"""

import orjson

from cluster.client.interface import EventType
from cluster.objects.selectors import FieldSelector, LabelSelector, parse_field_selector
from control.apiserver import statuses
from control.apiserver.field_selectors import fields_of
from control.resources.kinds import Kind
from control.store.record import Change, Record

NAME_FIELD = "metadata.name"


class Selection:
    """A label and a field selector over one kind."""

    def __init__(self, kind: Kind, labels: LabelSelector | None, fields: str = "") -> None:
        self._kind = kind
        self._labels = None if labels is None or labels.everything else labels
        self._fields = _fields(kind, fields)

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self._labels is None and self._fields is None

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for selections that choose the same."""
        return str(self._labels or ""), str(self._fields or "")

    @property
    def name(self) -> str | None:
        """The one name that can match, when the fields name it: found by index."""
        if self._fields is None:
            return None
        return self._exact(NAME_FIELD)

    def wants(self, record: Record) -> bool:
        """Whether an object matches."""
        if self._labels is not None:
            labels = record.document["metadata"].get("labels") or {}
            if not self._labels.matches(labels):
                return False
        if self._fields is None:
            return True
        getter = fields_of(self._kind, record.document)
        return self._fields.matches(lambda name: getter(name) or "")

    def event(self, change: Change) -> EventType | None:
        """What a change is for a watcher: who ceases to match is deleted, who begins is new."""
        if self.everything:
            return change.type
        now = change.type != EventType.DELETED and self.wants(change.record)
        before = change.before is not None and self.wants(change.before)
        if now:
            return EventType.MODIFIED if before else EventType.ADDED
        return EventType.DELETED if before else None

    def told(self, change: Change) -> tuple[EventType, Record] | None:
        """The event and what it shows; None for who is not concerned."""
        event = self.event(change)
        if event is None:
            return None
        return event, _last_match(change) if event == EventType.DELETED else change.record

    def _exact(self, field: str) -> str | None:
        assert self._fields is not None
        for path, operator, value in self._fields.requirements:
            if path == field and operator == "=":
                return value
        return None


def _last_match(change: Change) -> Record:
    """An object that ceases to match is shown as it did, with the version that it has now."""
    before = change.before
    if change.type == EventType.DELETED or before is None:
        return change.record
    metadata = {**before.document["metadata"], "resourceVersion": str(change.version)}
    document = {**before.document, "metadata": metadata}
    return Record(before.key, change.version, document, orjson.dumps(document))


def _fields(kind: Kind, text: str) -> FieldSelector | None:
    if not text:
        return None
    try:
        selector = parse_field_selector(text)
    except ValueError as error:
        raise statuses.bad_request(f"unable to parse the field selector: {error}") from error
    # an unknown field is refused even where there is no object to ask
    getter = fields_of(kind, {"metadata": {}})
    for path, _, _ in selector.requirements:
        getter(path)
    return selector if selector.requirements else None
