"""One reader of what a recorder records from now on: a bounded queue, read as an async iterator.

A reader that is too slow loses the oldest segments and is told how many (O-49). What it loses was
never written out: a segment is made of its draft, as it was when it was offered, by being read.
"""

import asyncio
from collections import deque
from typing import Self

from cluster.trace.draft import Draft, Known
from cluster.trace.query import Query
from cluster.trace.record import Segment

FOLLOWER_QUEUE_MAX = 1024


class Follower:
    """Made by `Recorder.follow`; leaves the recorder when its `with` block ends."""

    def __init__(self, query: Query, followers: "set[Follower]") -> None:
        self.lost = 0  # segments that this reader was too slow for
        self._query = query
        self._followers = followers
        self._queue: deque[tuple[Draft, Known]] = deque()
        self._filled = asyncio.Event()
        self._closed = False
        followers.add(self)

    def offer(self, draft: Draft) -> None:
        """Queue a record as it is now if it matches; a full queue loses its oldest."""
        if not self._query.matches(draft):
            return
        if len(self._queue) >= FOLLOWER_QUEUE_MAX:
            self._queue.popleft()
            self.lost += 1
        self._queue.append((draft, draft.known))
        self._filled.set()

    def close(self) -> None:
        """Be told no more; a reader that waits comes to its end."""
        self._followers.discard(self)
        self._closed = True
        self._filled.set()

    async def batch(self) -> list[Segment]:
        """Wait for something, and take all there is; nothing once this is closed."""
        await self._something()
        taken = [draft.as_known(known) for draft, known in self._queue]
        self._queue.clear()
        return taken

    async def skip(self) -> bool:
        """Wait for something, and forget it; False once this is closed."""
        await self._something()
        there = bool(self._queue)
        self._queue.clear()
        return there

    async def _something(self) -> None:
        while not self._queue and not self._closed:
            self._filled.clear()
            await self._filled.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Segment:
        await self._something()
        if not self._queue:
            raise StopAsyncIteration
        draft, known = self._queue.popleft()
        return draft.as_known(known)
