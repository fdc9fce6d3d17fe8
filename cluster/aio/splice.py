"""Pipes through which the kernel moves bytes from socket to socket: they are never copied here.

A pipe is borrowed for one move and given back empty; only a connection whose target is blocked
keeps one. A pipe with bytes left in it is closed, never lent again. An unprivileged user may have
64 MiB in pipes (pipe-user-pages-soft); beyond that pipes stay small, then there are none.
"""

import fcntl
import os
import socket
from functools import cache

PIPE_BYTES = 1 << 20
PIPE_BYTES_MIN = 1 << 16  # with less than that copying is cheaper
LENT_MAX = 64
KEPT_MAX = 2  # one move at a time; what is kept counts for the user

_FLAGS = getattr(os, "SPLICE_F_NONBLOCK", 0) | getattr(os, "SPLICE_F_MOVE", 0)


class Pipe:
    """One pipe, and how many bytes are in it."""

    __slots__ = ("_into", "_out", "capacity", "holds")

    def __init__(self) -> None:
        """OSError when there are no descriptors left."""
        self._out, self._into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.holds = 0
        try:
            self.capacity = fcntl.fcntl(self._into, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:  # EPERM: this user has much in pipes already
            self.capacity = fcntl.fcntl(self._into, fcntl.F_GETPIPE_SZ)

    def fill(self, source: int) -> int:
        """Move what the source has into the pipe; 0 at its end of file, OSError as read(2)."""
        count = os.splice(source, self._into, self.capacity, flags=_FLAGS)
        self.holds += count
        return count

    def drain(self, sink: int) -> int:
        """Move what is in the pipe to the sink; OSError as write(2)."""
        count = os.splice(self._out, sink, self.holds, flags=_FLAGS)
        self.holds -= count
        return count

    def close(self) -> None:
        os.close(self._out)
        os.close(self._into)


class Pipes:
    """The pipes of a process, bounded."""

    def __init__(self, lent_max: int = LENT_MAX, kept_max: int = KEPT_MAX) -> None:
        self._lent_max = lent_max
        self._kept_max = kept_max
        self._kept: list[Pipe] = []
        self.lent = 0

    def lend(self) -> Pipe | None:
        """An empty pipe; None when all are lent, or a new one would be too small to be of use."""
        if self.lent >= self._lent_max:
            return None
        pipe = self._kept.pop() if self._kept else _made()
        if pipe is not None:
            self.lent += 1
        return pipe

    def give_back(self, pipe: Pipe) -> None:
        """Take a pipe back."""
        self.lent -= 1
        if pipe.holds or len(self._kept) >= self._kept_max:
            pipe.close()
        else:
            self._kept.append(pipe)

    def close(self) -> None:
        """Close those that nobody has."""
        while self._kept:
            self._kept.pop().close()


def _made() -> Pipe | None:
    try:
        pipe = Pipe()
    except OSError:  # no descriptors left: bytes can be copied without any
        return None
    if pipe.capacity >= PIPE_BYTES_MIN:
        return pipe
    pipe.close()
    return None


@cache
def splices() -> bool:
    """Whether this system splices from socket to socket, found out by doing it."""
    if not hasattr(os, "splice"):
        return False
    near, far = socket.socketpair()
    with near, far:
        near.send(b"probe")
        try:
            pipe = Pipe()
        except OSError:
            return False
        try:
            return pipe.fill(far.fileno()) == pipe.drain(far.fileno()) == len(b"probe")
        except OSError:
            return False
        finally:
            pipe.close()
