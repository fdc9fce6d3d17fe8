"""The work queue of one controller: each key waits once, and only one worker holds it.

Keys name objects of the cluster, so the queue is bounded by them. A key that is added while a
worker holds it comes back when the worker is done. Delays go through the clock that is passed in.
"""

import asyncio

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from control.controllers.view import Key

RETRY_FIRST_SECONDS = 0.005
RETRY_LIMIT_SECONDS = 10.0


class WorkQueue:
    """Waiting keys in order of arrival, keys with a worker, keys with a date."""

    def __init__(self, clock: Clock, tasks: Tasks, *, name: str) -> None:
        self._clock = clock
        self._tasks = tasks
        self._name = name
        self._waiting: dict[Key, None] = {}
        self._held: set[Key] = set()
        self._dirty: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._dates: dict[Key, tuple[float, asyncio.Task[None]]] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._held)

    def add(self, key: Key) -> None:
        """Let a worker look at this key, now or when its present worker is done."""
        if key in self._held:
            self._dirty.add(key)
            return
        self._waiting[key] = None
        self._filled.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Add the key after so many real seconds; of several dates the earliest stands."""
        date = self._clock.monotonic() + seconds
        held = self._dates.get(key)
        if held is not None:
            if held[0] <= date:
                return
            held[1].cancel()
        work = self._add_later(key, seconds)
        self._dates[key] = date, self._tasks.start(work, name=f"{self._name} {key} later")

    def retry(self, key: Key) -> float:
        """Add the key again after its next, longer pause; returns the pause."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(RETRY_FIRST_SECONDS * 2.0 ** min(failures, 32), RETRY_LIMIT_SECONDS)
        self.add_after(key, pause)
        return pause

    def forget(self, key: Key) -> None:
        """The key went well: its next failure pauses shortly again."""
        self._failures.pop(key, None)

    async def take(self) -> Key:
        """The next key; the caller says `done` afterwards, come what may."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._held.add(key)
        return key

    def done(self, key: Key) -> None:
        """The worker lets go of the key."""
        self._held.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    async def _add_later(self, key: Key, seconds: float) -> None:
        await self._clock.sleep(seconds)
        del self._dates[key]
        self.add(key)
