"""One turn of an event loop: datagrams that are sent in it leave together.

    at rest ── something is sent: it leaves at once ──> holding ── the turn ends ──> at rest
    at rest ── a batch came, and is worked on ────────> holding ── it is done ─────> at rest

While it holds, what is sent is gathered: the first datagram waits for nobody, those after it in the
same turn share a system call. The memory that a batch needs is lent by the turn, since only one is
worked on at a time.
"""

import asyncio
import contextvars
from typing import Protocol
from weakref import WeakKeyDictionary

from cluster.aio.batch import BATCH_DATAGRAMS, Batch
from cluster.aio.mmsg import open_batch, open_outgoing
from cluster.aio.outgoing import Outgoing

RUNS_READ_MAX = 16  # of up to 64 KiB
UNUSED_MAX = 16


class Sender(Protocol):
    """Who has gathered something."""

    def flush(self) -> None:
        """Send it."""


class Turn:
    """The turn of one loop."""

    def __init__(self) -> None:
        self.holding = False
        self._gathered: list[Sender] = []
        self._unused: list[Outgoing] = []
        self._batches: dict[tuple[int, bool], Batch] = {}

    def gathered(self, sender: Sender) -> None:
        """Somebody has something to send: it is told to flush when the turn ends."""
        self._gathered.append(sender)

    def lend(self, sender: Sender) -> Outgoing:
        """Something to gather in."""
        self._gathered.append(sender)
        return self._unused.pop() if self._unused else open_outgoing()

    def give_back(self, outgoing: Outgoing) -> None:
        """It is empty again."""
        if len(self._unused) < UNUSED_MAX:
            self._unused.append(outgoing)

    def batch_for(self, family: int, *, coalesced: bool) -> Batch:
        """Something to receive in; what came is read before the next one asks."""
        batch = self._batches.get((family, coalesced))
        if batch is None:
            capacity = RUNS_READ_MAX if coalesced else BATCH_DATAGRAMS
            batch = open_batch(family, capacity=capacity, coalesced=coalesced)
            self._batches[family, coalesced] = batch
        return batch

    def hold(self) -> None:
        """Gather from now on, until this turn of the loop ends."""
        self.holding = True
        loop = asyncio.get_running_loop()
        loop.call_soon(self.end, context=contextvars.Context())

    def begin(self) -> bool:
        """Gather while a batch is worked on; whether `end` is the caller's to call."""
        held, self.holding = self.holding, True
        return not held

    def end(self) -> None:
        """Send what was gathered, and gather no more."""
        self.holding = False
        gathered, self._gathered = self._gathered, []
        for sender in gathered:
            sender.flush()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()


def turn_of_loop() -> Turn:
    """The turn of the loop that runs."""
    loop = asyncio.get_running_loop()
    turn = _turns.get(loop)
    if turn is None:
        turn = _turns[loop] = Turn()
    return turn
