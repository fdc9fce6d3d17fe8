"""Watches: one JSON line an event, as clients' informers read them.

An event's line is made once per form and shared by all watchers that ask for it; what is new since
the last write goes out together. Spec: kubernetes.io, "Efficient detection of changes".
"""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from cluster.aio.clock import Clock
from cluster.client.interface import EventType
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from control.apiserver import statuses
from control.apiserver.codec import Accepted, Form
from control.apiserver.options import labels_of
from control.apiserver.paths import flag
from control.apiserver.reads import PLAIN, Reader
from control.apiserver.registry import Registry, key_of
from control.apiserver.resource_versions import Begin, watch_begin
from control.apiserver.selection import Selection
from control.apiserver.tables import known_include
from control.apiserver.versions import as_asked
from control.resources.kinds import Kind
from control.store.feed import Expired, Watcher
from control.store.record import Change, Record
from control.store.store import StoreFailed

log = logging.getLogger(__name__)

BOOKMARK_SECONDS = 60.0
LAST_BOOKMARK_SECONDS = 2.0  # before the watch's time is over
INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}
TIMEOUT_SECONDS_MIN = 1800  # without timeoutSeconds: something between this and twice as much
TIMEOUT_SECONDS_MAX = 2**31
BATCHES_MAX = 16  # places whose last lines are kept

Send = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What is watched and how it is shown."""

    kind: Kind
    namespace: str | None
    name: str | None
    selection: Selection
    accepted: Accepted
    include: str
    begin: Begin
    bookmarks: bool
    seconds: float

    @classmethod
    def of(
        cls,
        kind: Kind,
        namespace: str | None,
        name: str | None,
        query: Mapping[str, str],
        accepted: Accepted,
        dice: random.Random,
    ) -> "WatchRequest":
        """From a query; ApiError 400 or 422."""
        selection = Selection(
            kind, labels_of(query.get("labelSelector", "")), query.get("fieldSelector", "")
        )
        return cls(
            kind=kind,
            namespace=namespace,
            name=name or selection.name,
            selection=selection,
            accepted=accepted,
            include=_include(query, accepted),
            begin=watch_begin(query),
            bookmarks=flag(query, "allowWatchBookmarks"),
            seconds=_seconds(query.get("timeoutSeconds"), dice),
        )


class Watches:
    """Serves watches."""

    def __init__(self, registry: Registry, reader: Reader, clock: Clock) -> None:
        self._registry = registry
        self._reader = reader
        self._clock = clock
        self._batches = _Batches()
        self.open = 0

    async def serve(self, request: WatchRequest, send: Send, cut: Callable[[], None]) -> None:
        """Send events until the client's time is over, the client is gone, or it is too slow.

        `cut` ends the connection of a client that takes nothing.
        """
        self.open += 1
        try:
            await self._serve(request, _Outlet(send, cut))
        finally:
            self.open -= 1

    async def _serve(self, request: WatchRequest, outlet: "_Outlet") -> None:
        send = outlet.send
        store = self._registry.store
        lines = _Lines(request, self._reader, self._batches)
        begin = request.begin
        first = lines.initial(self._present(request)) if begin.present else b""
        after = self._after(begin)
        try:
            watcher = self._watcher(request, after)
        except Expired as error:
            await send(error_line(statuses.expired(str(error))))
            return
        watcher.on_end = outlet.end
        try:
            await store.committed()  # what is shown as present must last
            if begin.marked:
                first += lines.bookmark(after, INITIAL_EVENTS_END)
            if first:
                await send(first)
            deadline = self._clock.monotonic() + request.seconds
            due = self._due(deadline)
            while (left := deadline - self._clock.monotonic()) > 0:
                waits = max(min(left, due - self._clock.monotonic()), 0.0)
                changes = await watcher.changes_within(waits)
                if changes is None:
                    await self._bookmark(request, watcher, lines, send)
                    due = self._due(deadline)
                    continue
                if not changes:
                    return
                told = lines.of(changes)
                if told:
                    await send(told)
        except StoreFailed as error:
            log.error("watch failed kind=%s error=%s", request.kind.resource.kind, error)
            await send(error_line(statuses.internal(str(error))))
        finally:
            watcher.close()

    def _due(self, deadline: float) -> float:
        """When the next bookmark comes: in a while, and once more shortly before the end."""
        now = self._clock.monotonic()
        last = deadline - LAST_BOOKMARK_SECONDS
        return min(now + BOOKMARK_SECONDS, last if now < last else deadline)

    def _after(self, begin: Begin) -> int:
        """The version whose changes were told already."""
        now = self._registry.store.version
        return now if begin.present or begin.version is None else begin.version

    def _watcher(self, request: WatchRequest, after: int) -> Watcher:
        """Watches after a version; one that was never given out is of another store."""
        store = self._registry.store
        wanted = max(after, request.begin.version or 0)
        if wanted > store.version:
            raise Expired(f"too large resource version: {wanted}, current: {store.version}")
        feed = store.feed(key_of(request.kind))
        return feed.watch(after, namespace=request.namespace, name=request.name)

    async def _bookmark(
        self, request: WatchRequest, watcher: Watcher, lines: "_Lines", send: Send
    ) -> None:
        """Say how far the watch is, if nothing waits to be told and all of it is durable."""
        version = self._registry.store.version
        await self._registry.store.committed()
        if request.bookmarks and watcher.idle:
            await send(lines.bookmark(version))

    def _present(self, request: WatchRequest) -> list[Record]:
        records = self._registry.list(request.kind, request.namespace, request.selection)
        return [each for each in records if request.name in (None, each.key.name)]


class _Outlet:
    """The way to a client; a watch that ends while the client takes nothing cuts it."""

    def __init__(self, send: Send, cut: Callable[[], None]) -> None:
        self._send = send
        self._cut = cut
        self._busy = False

    async def send(self, lines: bytes) -> None:
        """Send; returns when the client has room for more."""
        self._busy = True
        try:
            await self._send(lines)
        finally:
            self._busy = False

    def end(self) -> None:
        """The watch has ended: whoever reads is told by the loop, who does not is cut."""
        if self._busy:
            self._cut()


class _Lines:
    """The events of one watch as lines."""

    def __init__(self, request: WatchRequest, reader: Reader, batches: "_Batches") -> None:
        self._request = request
        self._reader = reader
        accepted = request.accepted
        told = (request.kind.resource.api_version, accepted.form, accepted.yaml, accepted.version)
        self._form = " ".join(map(str, (*told, request.include)))  # a text, whose hash is kept
        self._place = (request.kind.resource, self._form, request.namespace, request.name)
        self._shares = request.selection.everything and accepted.form != Form.TABLE
        self._batches = batches
        self._columns_sent = False

    def initial(self, records: list[Record]) -> bytes:
        """ADDED for everything that is there."""
        return b"".join(self._line(EventType.ADDED, each) for each in records)

    def of(self, changes: list[Change]) -> bytes:
        """The lines of those changes that this watch sees."""
        if not self._shares:
            return self._of(changes)
        return self._batches.lines(self._place, changes, self._of)

    def _of(self, changes: list[Change]) -> bytes:
        told = []
        for change in changes:
            shown = self._request.selection.told(change)
            if shown is not None:
                told.append(self._shared(change, *shown))
        return b"".join(told)

    def bookmark(self, version: int, annotations: Mapping[str, str] | None = None) -> bytes:
        """How far the watch is, without an event; in the form of the events."""
        resource = self._request.kind.resource
        metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        document: Any = {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": metadata,
        }
        match self._request.accepted.form:
            case Form.METADATA:
                group = f"meta.k8s.io/{self._request.accepted.version}"
                document |= {"kind": "PartialObjectMetadata", "apiVersion": group}
            case Form.TABLE:
                document = self._row(document, str(version))
        return orjson.dumps({"type": "BOOKMARK", "object": document}) + b"\n"

    def _row(self, document: Any, version: str) -> dict[str, Any]:
        """A table with a row that says nothing but its object's metadata."""
        group = f"meta.k8s.io/{self._request.accepted.version}"
        shown = {**document, "kind": "PartialObjectMetadata", "apiVersion": group}
        return {
            "kind": "Table",
            "apiVersion": group,
            "metadata": {"resourceVersion": version},
            "columnDefinitions": [],
            "rows": [{"cells": [], "object": shown}],
        }

    def _shared(self, change: Change, event: EventType, record: Record) -> bytes:
        if self._request.accepted.form == Form.TABLE and not self._columns_sent:
            return self._line(event, record)
        form = event + self._form
        line = change.lines.get(form)
        if line is None:
            line = change.lines[form] = self._line(event, record)
        return line

    def _line(self, event: EventType, record: Record) -> bytes:
        request = self._request
        if request.accepted == PLAIN:
            return b'{"type":"%b","object":%b}\n' % (
                event.encode(),
                as_asked(request.kind, record).body,
            )
        shown = self._reader.form(
            request.kind,
            [record],
            request.accepted,
            request.include,
            single=True,
            with_columns=not self._columns_sent,
        )
        self._columns_sent = True
        return orjson.dumps({"type": event, "object": shown}) + b"\n"


class _Batches:
    """The last lines that went out for each place: its other watchers are told the same."""

    def __init__(self) -> None:
        self._last: dict[Any, tuple[tuple[int, int, int], bytes]] = {}

    def lines(
        self, place: Any, changes: list[Change], make: Callable[[list[Change]], bytes]
    ) -> bytes:
        """What these changes, which are all of the place between two of them, look like."""
        batch = (changes[0].version, changes[-1].version, len(changes))
        held = self._last.get(place)
        if held is None or held[0] != batch:
            if len(self._last) >= BATCHES_MAX:
                self._last.clear()
            held = self._last[place] = batch, make(changes)
        return held[1]


def error_line(error: ApiError) -> bytes:
    """A refusal inside a stream that has begun: 410 comes in a 200."""
    return orjson.dumps({"type": "ERROR", "object": error.status}) + b"\n"


def _include(query: Mapping[str, str], accepted: Accepted) -> str:
    """What a table's rows carry; only tables have them, so that all other forms are shared."""
    table = accepted.form is Form.TABLE
    return known_include(query.get("includeObject", "")) if table else ""


def _seconds(text: str | None, dice: random.Random) -> float:
    try:
        seconds = int(text or 0)
    except ValueError:
        raise statuses.bad_request(f"invalid timeoutSeconds: {text!r}") from None
    if seconds <= 0:
        return TIMEOUT_SECONDS_MIN * (1 + dice.random())
    return float(min(seconds, TIMEOUT_SECONDS_MAX))
