"""What the store holds and what it tells: records and events.

Pure: values only. Documents are immutable by agreement; whoever changes one makes a new one.
"""

from dataclasses import field
from typing import Any, NamedTuple

from cluster.client.interface import Document, EventType
from cluster.dataclass import dataclass

ResourceKey = tuple[str, str]  # group, plural: versions of a kind share their objects


class ObjectKey(NamedTuple):
    """Where an object is within its resource; namespace is "" for cluster-scoped ones."""

    namespace: str
    name: str


@dataclass(slots=True, eq=False)
class Record:
    """One state of one object, with the JSON that is sent and stored."""

    key: ObjectKey
    version: int
    document: Document
    body: bytes


@dataclass(slots=True, eq=False)
class Change:
    """One event: what an object was before, and what it is (or was last, when it is gone)."""

    type: EventType
    before: Record | None
    record: Record
    # encodings of this event, made once and shared by all watchers that ask for the same
    lines: dict[Any, bytes] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The resourceVersion of this event."""
        return self.record.version
