"""What changed in one resource, kept for a while and told to watchers.

A watcher has a bounded queue; one that stays behind is ended and its client lists anew, as the
real server does. Watchers of one namespace or one object are found by index: most watches name one.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from cluster.errors import ClusterError
from control.store.record import Change, ObjectKey

# Of each resource, for watches that come back; in memory a change is some four times its bytes.
CHANGES_KEPT_MAX = 1_024
BYTES_KEPT_MAX = 8 * 1024 * 1024
WATCHER_CHANGES_MAX = 16_384
WATCHER_BYTES_MAX = 64 * 1024 * 1024
# To tell each change to each of so many by itself costs more than it is worth to have it at once.
WATCHERS_MANY = 64
GATHERED_SECONDS = 0.002


class Expired(ClusterError):
    """A watch asked for changes that are no longer kept (410)."""


class Watcher:
    """One watch: what it has still to be told."""

    def __init__(self, feed: "Feed", after: int, namespace: str | None, name: str | None) -> None:
        self.after = after  # what came before was already told
        self.namespace = namespace
        self.name = name
        self.behind = False  # fell too far behind, or the store closed: ends
        self._feed = feed
        self.on_end: Callable[[], None] = _nothing
        self._queue: list[Change] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    async def changes(self) -> list[Change]:
        """All that is new, at least one; empty when the watch has to end."""
        while not self._queue and not self.behind:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.behind:
            return []
        taken, self._queue, self._bytes = self._queue, [], 0
        return taken

    async def changes_within(self, seconds: float) -> list[Change] | None:
        """The same; None when there are none for so long."""
        if self._queue or self.behind:
            return await self.changes()
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
        return await self.changes() if self._queue or self.behind else None

    @property
    def idle(self) -> bool:
        """Whether everything that happened was taken."""
        return not self._queue

    def offer(self, change: Change) -> None:
        """Take a change; too many waiting ends the watch."""
        if self.behind or change.version <= self.after:
            return
        self._bytes += len(change.record.body)
        if len(self._queue) >= WATCHER_CHANGES_MAX or self._bytes > WATCHER_BYTES_MAX:
            self.end()
            return
        self._queue.append(change)
        self._feed.wake(self)

    def end(self) -> None:
        """Tell the reader that nothing more will come."""
        self.behind = True
        self._queue.clear()
        self.wake()
        self.on_end()

    def close(self) -> None:
        """The reader is gone."""
        self._feed.forget(self)

    def wake(self) -> None:
        """Have the reader look."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Feed:
    """The changes of one resource."""

    def __init__(self, start: int) -> None:
        self.newest = start  # version of the last change
        self._before = start  # changes after this version are all kept
        self._kept: deque[Change] = deque()
        self._bytes = 0
        self._watchers: dict[tuple[str | None, str | None], set[Watcher]] = defaultdict(set)
        self._count = 0
        self._waiting: dict[Watcher, None] = {}  # are woken together
        self._listeners: list[tuple[Callable[[Change], None], Callable[[], None]]] = []

    def publish(self, change: Change) -> None:
        """Tell a change to whoever watches it, and keep it."""
        self.newest = change.version
        self._kept.append(change)
        self._bytes += len(change.record.body)
        while len(self._kept) > CHANGES_KEPT_MAX or self._bytes > BYTES_KEPT_MAX:
            self._forget_oldest()
        for watcher in list(self._concerned(change.record.key)):
            watcher.offer(change)
        for changed, _ in self._listeners:
            changed(change)

    def tell(self, changed: Callable[[Change], None], closed: Callable[[], None]) -> None:
        """Call these for each change and at the end, for as long as the store lives."""
        self._listeners.append((changed, closed))

    def watch(
        self, after: int, *, namespace: str | None = None, name: str | None = None
    ) -> Watcher:
        """Watch what comes after a version; Expired when too much of it is forgotten."""
        if after < self._before:
            raise Expired(f"too old resource version: {after} ({self._before})")
        watcher = Watcher(self, after, namespace, name)
        for change in self._kept:
            if watcher_wants(watcher, change.record.key):
                watcher.offer(change)
        self._watchers[namespace, name].add(watcher)
        self._count += 1
        return watcher

    def after(self, version: int) -> list[Change]:
        """What came after a version; Expired when too much of it is forgotten."""
        if version < self._before:
            raise Expired(f"too old resource version: {version} ({self._before})")
        return [each for each in self._kept if each.version > version]

    def forget(self, watcher: Watcher) -> None:
        """Take a watcher off; safe to call twice."""
        place = watcher.namespace, watcher.name
        if watcher not in self._watchers.get(place, ()):
            return
        self._watchers[place].discard(watcher)
        self._count -= 1
        if not self._watchers[place]:
            del self._watchers[place]

    def wake(self, watcher: Watcher) -> None:
        """Have a watcher's reader look; where many watch, soon, so that more goes out at once."""
        if self._count < WATCHERS_MANY:
            watcher.wake()
            return
        if not self._waiting:
            asyncio.get_running_loop().call_later(GATHERED_SECONDS, self._wake_waiting)
        self._waiting[watcher] = None

    def close(self) -> None:
        """End every watch."""
        for watchers in list(self._watchers.values()):
            for watcher in list(watchers):
                watcher.end()
        for _, closed in self._listeners:
            closed()

    def __len__(self) -> int:
        return self._count

    def _wake_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for watcher in waiting:
            watcher.wake()

    def _forget_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._before = oldest.version
        self._bytes -= len(oldest.record.body)

    def _concerned(self, key: ObjectKey) -> Iterator[Watcher]:
        for place in (
            (None, None),
            (key.namespace, None),
            (None, key.name),
            (key.namespace, key.name),
        ):
            yield from self._watchers.get(place, ())


def watcher_wants(watcher: Watcher, key: ObjectKey) -> bool:
    """Whether an object lies where a watcher looks."""
    return watcher.namespace in (None, key.namespace) and watcher.name in (None, key.name)


def _nothing() -> None:
    """What most watchers do at their end."""
