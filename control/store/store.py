"""The objects of the cluster: read from memory, written in groups, told in order.

Writes of one turn of the loop become one commit; `await store.committed()` before answering. What
is not committed is told to nobody, and undone when the commit fails: a reader that also awaits
`committed()` never sees a write that a crash could take back. Versions rise, over restarts too.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import field
from typing import Any

import orjson

from cluster.client.interface import Document, EventType
from cluster.dataclass import dataclass
from cluster.errors import ClusterError
from control.store.feed import Feed
from control.store.journal import Entry, Journal
from control.store.record import Change, ObjectKey, Record, ResourceKey


class StoreFailed(ClusterError):
    """The journal refused a commit: none of its writes happened."""


@dataclass(slots=True)
class _Batch:
    """What waits for the next commit."""

    done: asyncio.Future[None]
    changes: list[tuple[ResourceKey, Change]] = field(default_factory=list)


class Store:
    """Objects by resource, namespace and name."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._objects: dict[ResourceKey, dict[str, dict[str, Record]]] = defaultdict(dict)
        self._feeds: dict[ResourceKey, Feed] = {}
        self._batch: _Batch | None = None
        self.version, entries = journal.load()
        for entry in entries:
            assert entry.body is not None
            document = orjson.loads(entry.body)
            self._put(entry.resource, Record(entry.key, entry.version, document, entry.body))
        self._start = self.version = max(self.version, 1)

    # -- reading

    def get(self, resource: ResourceKey, key: ObjectKey) -> Record | None:
        """One object, or None."""
        return self._objects[resource].get(key.namespace, {}).get(key.name)

    def list_at(
        self, resource: ResourceKey, version: int, namespace: str | None = None
    ) -> list[Record]:
        """Objects as they were at a version; Expired when that is forgotten."""
        waiting = self._batch.changes if self._batch is not None else ()
        later = self.feed(resource).after(version)
        later += [each for key, each in waiting if key == resource and each.version > version]
        then = {record.key: record for record in self.list(resource, namespace)}
        for change in reversed(later):
            if change.before is None:
                then.pop(change.record.key, None)
            elif namespace in (None, change.record.key.namespace):
                then[change.record.key] = change.before
        return [then[key] for key in sorted(then)]

    def list(self, resource: ResourceKey, namespace: str | None = None) -> list[Record]:
        """Objects in order of namespace and name."""
        spaces = self._objects[resource]
        chosen = sorted(spaces) if namespace is None else [namespace]
        return [
            record
            for each in chosen
            for _, record in sorted(spaces.get(each, {}).items(), key=_first)
        ]

    def resources(self) -> Iterator[ResourceKey]:
        """The resources that hold or held objects."""
        return iter(list(self._objects))

    def feed(self, resource: ResourceKey) -> Feed:
        """What changes in a resource."""
        if resource not in self._feeds:
            self._feeds[resource] = Feed(self._start)
        return self._feeds[resource]

    # -- writing

    def put(self, resource: ResourceKey, document: Document) -> Record:
        """Create or replace an object; its resourceVersion is set here."""
        metadata = document["metadata"]
        key = ObjectKey(metadata.get("namespace", ""), metadata["name"])
        before = self.get(resource, key)
        record = self._record(key, document)
        self._put(resource, record)
        kind = EventType.ADDED if before is None else EventType.MODIFIED
        self._enqueue(resource, Change(kind, before, record))
        return record

    def remove(self, resource: ResourceKey, key: ObjectKey, last: Document) -> Record:
        """Take an object out; its last state gets a version of its own."""
        before = self.get(resource, key)
        assert before is not None, f"{resource} {key} is not there"
        record = self._record(key, last)
        self._drop(resource, key)
        self._enqueue(resource, Change(EventType.DELETED, before, record))
        return record

    async def committed(self) -> None:
        """Return once every write made so far is durable; StoreFailed when it cannot be."""
        if self._batch is not None:
            await asyncio.shield(self._batch.done)

    def close(self) -> None:
        """Commit what waits, end all watches, let go of the journal."""
        self._commit()
        for feed in self._feeds.values():
            feed.close()
        self._journal.close()

    # -- inside

    def _record(self, key: ObjectKey, document: Document) -> Record:
        self.version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.version)}
        stamped = {**document, "metadata": metadata}
        return Record(key, self.version, stamped, orjson.dumps(stamped))

    def _put(self, resource: ResourceKey, record: Record) -> None:
        spaces = self._objects[resource]
        spaces.setdefault(record.key.namespace, {})[record.key.name] = record

    def _drop(self, resource: ResourceKey, key: ObjectKey) -> None:
        space = self._objects[resource][key.namespace]
        del space[key.name]
        if not space:
            del self._objects[resource][key.namespace]

    def _enqueue(self, resource: ResourceKey, change: Change) -> None:
        if self._batch is None:
            loop = asyncio.get_running_loop()
            self._batch = _Batch(loop.create_future())
            loop.call_soon(self._commit)
        self._batch.changes.append((resource, change))

    def _commit(self) -> None:
        batch, self._batch = self._batch, None
        if batch is None:
            return
        entries = [_entry(resource, change) for resource, change in batch.changes]
        try:
            self._journal.commit(entries, self.version)
        except (OSError, sqlite3.Error) as error:
            self._undo(batch)
            batch.done.set_exception(StoreFailed(f"the store cannot be written: {error}"))
            batch.done.exception()  # whoever left before the answer need not hear of it
            return
        for resource, change in batch.changes:
            self.feed(resource).publish(change)
        batch.done.set_result(None)

    def _undo(self, batch: _Batch) -> None:
        for resource, change in reversed(batch.changes):
            if change.before is not None:
                self._put(resource, change.before)
            else:
                self._drop(resource, change.record.key)


def _entry(resource: ResourceKey, change: Change) -> Entry:
    body = None if change.type == EventType.DELETED else change.record.body
    return Entry(resource, change.record.key, change.version, body)


def _first(item: tuple[str, Any]) -> str:
    return item[0]
