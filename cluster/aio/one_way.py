"""Bytes from one socket to another, in order, none kept longer than the other end makes us.

    source --- recv --> one shared buffer --- send --> sink       few bytes
    source --- splice --> a borrowed pipe --- splice --> sink     many: the kernel moves them

What the sink does not take at once is kept, and the source is not read until it is gone. What fills
the buffer is the beginning of more: from then on a pipe carries, as long as many come at once.
"""

import asyncio
import socket
from typing import Protocol

from cluster.aio.splice import Pipe, Pipes

BUFFER_BYTES = 64 * 1024  # where a pipe carries what is more
COPIED_BYTES = 512 * 1024  # where none does
TURN_BYTES = 2 << 20  # then others have their turn

_NOTHING = memoryview(b"")
_large = memoryview(bytearray(COPIED_BYTES))  # filled and emptied within one callback
_small = _large[:BUFFER_BYTES]


class Relay(Protocol):
    """Whose way it is."""

    def end_of_file(self, way: "OneWay") -> None:
        """The source of a way has ended, and all its bytes are on the other side."""

    def lost(self, sock: socket.socket) -> None:
        """A socket was reset."""


class OneWay:
    """One of the two ways between two sockets."""

    __slots__ = (
        "_blocked",
        "_buffer",
        "_loop",
        "_many",
        "_pipe",
        "_pipes",
        "_reading",
        "_receive",
        "_relay",
        "_rest",
        "_send",
        "_sink",
        "_source",
        "bytes",
    )

    def __init__(
        self, relay: Relay, pipes: Pipes | None, source: socket.socket, sink: socket.socket
    ) -> None:
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._pipes = pipes
        self._source = source
        self._sink = sink
        self._receive = source.recv_into
        self._send = sink.send
        self._buffer = _large if pipes is None else _small
        self._rest = _NOTHING
        self._pipe: Pipe | None = None
        self._many = False  # bytes come in such numbers that a pipe pays
        self._reading = False  # the source is watched
        self._blocked = False  # the sink is
        self.bytes = 0

    def start(self) -> None:
        """Carry what comes."""
        self._reading = True
        self._loop.add_reader(self._source.fileno(), self._readable)

    def stop(self) -> None:
        """Watch nothing, and let go of what was kept: both sockets may be closed. Again is fine."""
        self._stop_reading()
        self._unblock()

    def _readable(self) -> None:
        if self._many and self._move():
            return
        buffer = self._buffer
        try:
            count = self._receive(buffer)
        except BlockingIOError:
            return
        except OSError:
            self._relay.lost(self._source)
            return
        if not count:
            self._end_of_file()
        elif self._pass_on(buffer[:count]):
            self._many = count == BUFFER_BYTES and self._pipes is not None

    def _pass_on(self, data: memoryview) -> bool:
        """Whether the sink took it all; what it did not take is kept."""
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._relay.lost(self._sink)
            return False
        self.bytes += sent
        if sent == len(data):
            return True
        self._rest = memoryview(bytes(data[sent:]))
        self._block()
        return False

    def _move(self) -> bool:
        """Through a pipe, until nothing is left or it is others' turn; False if none is free."""
        assert self._pipes is not None
        self._pipe = pipe = self._pipes.lend()
        if pipe is None:
            return False
        moved = 0
        try:
            while moved < TURN_BYTES and (count := pipe.fill(self._source.fileno())):
                if not self._empty(pipe):
                    return True
                moved += count
        except BlockingIOError:
            count = 1
        except OSError:
            self._relay.lost(self._source)
            return True
        self._return_pipe()
        self._many = moved >= BUFFER_BYTES
        if not count:
            self._end_of_file()
        return True

    def _empty(self, pipe: Pipe) -> bool:
        """Whether the sink took all that is in the pipe."""
        try:
            while pipe.holds:
                self.bytes += pipe.drain(self._sink.fileno())
        except BlockingIOError:
            self._block()
            return False
        except OSError:
            self._relay.lost(self._sink)
            return False
        return True

    def _return_pipe(self) -> None:
        if self._pipe is not None and self._pipes is not None:
            self._pipes.give_back(self._pipe)
            self._pipe = None

    def _block(self) -> None:
        self._stop_reading()
        if not self._blocked:
            self._blocked = True
            self._loop.add_writer(self._sink.fileno(), self._writable)

    def _unblock(self) -> None:
        self._rest = _NOTHING
        self._return_pipe()
        if self._blocked:
            self._blocked = False
            self._loop.remove_writer(self._sink.fileno())

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._source.fileno())

    def _writable(self) -> None:
        pipe = self._pipe
        if self._pass_on(self._rest) if pipe is None else self._empty(pipe):
            self._unblock()
            self.start()

    def _end_of_file(self) -> None:
        self._stop_reading()
        self._relay.end_of_file(self)
