"""Waiting on sockets, but no longer than until one moment.

On loopback most things are done at once, so nothing is set up before somebody really waits: the
time runs from the first wait on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

Watch = Callable[..., Any]


class Expired(Exception):
    """The time is up: ours, not the kernel's, whose own time-out is a TimeoutError."""


class Deadline:
    """So many seconds for all waits together; then Expired."""

    __slots__ = ("_ends_at", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at: float | None = None

    async def until_readable(self, sock: socket.socket) -> None:
        """Wait until a read would not block."""
        loop = asyncio.get_running_loop()
        await self._until(loop, loop.add_reader, loop.remove_reader, sock)

    async def until_writable(self, sock: socket.socket) -> None:
        """Wait until a write would not block, or a connect has ended."""
        loop = asyncio.get_running_loop()
        await self._until(loop, loop.add_writer, loop.remove_writer, sock)

    async def _until(
        self, loop: asyncio.AbstractEventLoop, watch: Watch, unwatch: Watch, sock: socket.socket
    ) -> None:
        if self._ends_at is None:
            self._ends_at = loop.time() + self.seconds
        ready: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(self._ends_at, _expire, ready)
        fd = sock.fileno()
        watch(fd, _set, ready)
        try:
            await ready
        finally:
            timer.cancel()
            if sock.fileno() == fd:
                unwatch(fd)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _expire(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_exception(Expired())
