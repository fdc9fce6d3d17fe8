"""Two sockets joined: back-pressure, half-close both ways, resets passed on as resets.

    a --- recv --> one shared buffer --- send --> b        what b does not take at once is kept, and
    a <-- send --- one shared buffer <-- recv --- b        its source is not read until b took it

An end of file becomes a half-close of the other side; the relay ends when both have come. A reset
ends it at once: the other side is reset too. A connection without traffic costs no time at all.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cluster.aio.streams import close, reset, undelayed
from cluster.errors import PoolExhausted

RELAYS_MAX = 16384
BUFFER_BYTES = 512 * 1024

_buffer = memoryview(bytearray(BUFFER_BYTES))  # filled and emptied within one callback


class EndedBy(StrEnum):
    """Who ended a relay, and how."""

    CLIENT = "client closed first"
    SERVER = "server closed first"
    CLIENT_RESET = "client reset"
    SERVER_RESET = "server reset"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class RelayResult:
    """What a relay carried: bytes from a to b, bytes from b to a, and how it ended."""

    bytes_forward: int
    bytes_back: int
    ended_by: EndedBy


async def relay(a: socket.socket, b: socket.socket) -> RelayResult:
    """Join the client's socket `a` and the server's `b` until both are closed.

    Both sockets are the relay's from here on; cancelling it resets both.
    """
    return await _Relay(a, b).run()


class Relays:
    """The live relays of a process, by name."""

    def __init__(self, relays_max: int = RELAYS_MAX) -> None:
        self._relays_max = relays_max
        self._live: dict[_Relay, str] = {}

    async def join(self, a: socket.socket, b: socket.socket, *, name: str = "") -> RelayResult:
        """As `relay`, registered; PoolExhausted, and both reset, when there are too many."""
        if len(self._live) >= self._relays_max:
            reset(a)
            reset(b)
            raise PoolExhausted(
                f"{self._relays_max} connections are relayed already: {name or 'one'} was reset"
            )
        joined = _Relay(a, b)
        self._live[joined] = name
        try:
            return await joined.run()
        finally:
            del self._live[joined]

    def kill(self, wanted: Callable[[str], bool]) -> int:
        """Reset the relays whose name is wanted; how many."""
        found = [joined for joined, name in self._live.items() if wanted(name)]
        for joined in found:
            joined.kill()
        return len(found)

    def close(self) -> None:
        """Reset them all."""
        self.kill(lambda _: True)

    def names(self) -> list[str]:
        """The names of the live relays, oldest first."""
        return list(self._live.values())

    def __len__(self) -> int:
        return len(self._live)


class _Relay:
    """Two directions and their common end."""

    def __init__(self, a: socket.socket, b: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[EndedBy] = self._loop.create_future()
        self._first: EndedBy | None = None
        self._forward = _Direction(self, a, b)
        self._back = _Direction(self, b, a)
        self._sockets = a, b

    async def run(self) -> RelayResult:
        for sock in self._sockets:
            undelayed(sock)
        self._forward.start()
        self._back.start()
        try:
            ended_by = await self._done
        except asyncio.CancelledError:
            self.kill()
            raise
        return RelayResult(self._forward.bytes, self._back.bytes, ended_by)

    def end_of_file(self, direction: "_Direction") -> None:
        if self._first is None:
            self._first = EndedBy.CLIENT if direction is self._forward else EndedBy.SERVER
        if self._forward.ended and self._back.ended:
            self._finish(self._first, close)

    def lost(self, sock: socket.socket) -> None:
        by = EndedBy.CLIENT_RESET if sock is self._sockets[0] else EndedBy.SERVER_RESET
        self._finish(by, reset)

    def kill(self) -> None:
        self._finish(EndedBy.KILLED, reset)

    def _finish(self, ended_by: EndedBy, leave: Callable[[socket.socket], None]) -> None:
        for sock in self._sockets:
            leave(sock)
        if not self._done.done():
            self._done.set_result(ended_by)


class _Direction:
    """Bytes from one socket to the other."""

    __slots__ = ("_loop", "_relay", "_rest", "_sink", "_source", "bytes", "ended")

    def __init__(self, relay: _Relay, source: socket.socket, sink: socket.socket) -> None:
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._sink = sink
        self._rest = b""
        self.bytes = 0
        self.ended = False

    def start(self) -> None:
        self._loop.add_reader(self._source.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            count = self._source.recv_into(_buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._relay.lost(self._source)
            return
        if not count:
            self._end_of_file()
            return
        sent = self._send(_buffer[:count])
        if 0 <= sent < count:
            self._rest = bytes(_buffer[sent:count])
            self._loop.remove_reader(self._source.fileno())
            self._loop.add_writer(self._sink.fileno(), self._writable)

    def _writable(self) -> None:
        sent = self._send(self._rest)
        if sent < 0:
            return
        self._rest = self._rest[sent:]
        if not self._rest:
            self._loop.remove_writer(self._sink.fileno())
            self.start()

    def _send(self, data: memoryview | bytes) -> int:
        """How many bytes the sink took; -1 when it is lost."""
        try:
            sent = self._sink.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._relay.lost(self._sink)
            return -1
        self.bytes += sent
        return sent

    def _end_of_file(self) -> None:
        self.ended = True
        self._loop.remove_reader(self._source.fileno())
        try:
            self._sink.shutdown(socket.SHUT_WR)
        except OSError:  # it was reset, and nobody has read that yet
            self._relay.lost(self._sink)
            return
        self._relay.end_of_file(self)
