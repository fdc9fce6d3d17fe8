"""Readiness of sockets that may not live long: watching one costs a system call, not ten.

The loop's own watchers are cheap to be called by and dear to set up: uvloop makes seven system
calls and an object for each, mostly in vain for a connection of four events. So sockets begin in an
epoll of ours, which the loop watches as one; whoever is called often moves over to the loop.
Where there is no epoll, all is the loop's.
"""

import asyncio
import contextvars
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary

BATCH = 128
CALLS_TO_STAY = 32  # after so many, the loop's watchers would have paid

Callback = Callable[[], object]

_IN, _OUT, _ERR, _HUP = 0x01, 0x04, 0x08, 0x10  # Linux's
_READABLE, _WRITABLE = _IN | _ERR | _HUP, _OUT | _ERR | _HUP


class Watch:
    """One socket of one loop. As with the loop's own watchers: stop before closing the socket."""

    __slots__ = ("_calls_left", "_fd", "_moved", "_own", "_reader", "_writer")

    def __init__(self, fd: int, own: "_Own | None" = None) -> None:
        self._fd = fd
        self._own = own or _own()
        self._moved = self._own.epoll is None  # to the loop
        self._reader: Callback | None = None
        self._writer: Callback | None = None
        self._calls_left = CALLS_TO_STAY

    def read(self, callback: Callback | None) -> None:
        """Call it whenever a read would not block; None: no more."""
        before = self._events()
        self._reader = callback
        if self._moved:
            self._loops_reader()
        else:
            self._ask(before)

    def write(self, callback: Callback | None) -> None:
        """Call it whenever a write would not block, or a connect has ended; None: no more."""
        before = self._events()
        self._writer = callback
        if self._moved:
            self._loops_writer()
        else:
            self._ask(before)

    def stop(self) -> None:
        """Call nothing any more; again is fine."""
        before = self._events()
        self._reader = self._writer = None
        if self._moved:
            self._loops_reader()
            self._loops_writer()
        else:
            self._ask(before)

    @property
    def in_epoll(self) -> bool:
        """Whether it is watched by ours, not by the loop."""
        return not self._moved

    def ready(self, events: int) -> None:
        """What epoll tells."""
        self._calls_left -= 1
        if not self._calls_left:
            self._move()
        if events & _READABLE and self._reader is not None:
            self._reader()
        if events & _WRITABLE and self._writer is not None:
            self._writer()

    def _events(self) -> int:
        return (self._reader is not None) * _IN | (self._writer is not None) * _OUT

    def _ask(self, before: int) -> None:
        now, epoll = self._events(), self._own.epoll
        assert epoll is not None
        if now == before:
            return
        if not before:
            epoll.register(self._fd, now)
            self._own.watches[self._fd] = self
        elif now:
            epoll.modify(self._fd, now)
        else:
            del self._own.watches[self._fd]
            epoll.unregister(self._fd)

    def _move(self) -> None:
        """Be the loop's from now on."""
        reader, writer = self._reader, self._writer
        self.stop()
        self._moved = True
        self._reader, self._writer = reader, writer
        self._loops_reader()
        self._loops_writer()

    def _loops_reader(self) -> None:
        loop = asyncio.get_running_loop()
        if self._reader is None:
            loop.remove_reader(self._fd)
        else:
            loop.add_reader(self._fd, self._reader)

    def _loops_writer(self) -> None:
        loop = asyncio.get_running_loop()
        if self._writer is None:
            loop.remove_writer(self._fd)
        else:
            loop.add_writer(self._fd, self._writer)


class _Own:
    """The epoll of one loop, and whom it tells."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watches: dict[int, Watch] = {}
        self.epoll = select.epoll() if hasattr(select, "epoll") else None
        if self.epoll is not None:
            contextvars.Context().run(loop.add_reader, self.epoll.fileno(), self._ready)

    def _ready(self) -> None:
        assert self.epoll is not None
        watches = self.watches
        for fd, events in self.epoll.poll(0, BATCH):
            watch = watches.get(fd)
            if watch is not None:  # nobody before it in this batch has stopped it
                watch.ready(events)


_owns: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Own]" = WeakKeyDictionary()


def _own() -> _Own:
    loop = asyncio.get_running_loop()
    own = _owns.get(loop)
    if own is None:
        own = _owns[loop] = _Own(loop)
    return own
