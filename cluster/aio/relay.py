"""Two sockets joined: back-pressure, half-close both ways, resets passed on as resets.

    client --- a --- forward ---> b --- server        each way is a `OneWay`
    client --- a <---- back ----- b --- server

An end of file becomes a half-close of the other side; the relay ends when both have come. A reset
ends it at once: the other side is reset too; of a side that was half-closed before, it is noticed
when something is sent there. A connection without traffic costs no time at all.
"""

import asyncio
import resource
import socket
from collections.abc import Callable
from enum import StrEnum

from cluster.aio.one_way import OneWay
from cluster.aio.splice import LENT_MAX, Pipes, splices
from cluster.aio.streams import reset
from cluster.dataclass import dataclass
from cluster.errors import PoolExhausted

RELAYS_MAX = 16384
OTHER_FILES = 128  # descriptors of listeners, logs and the API


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


def affordable() -> int:
    """How many relays this process has descriptors for, two each."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return RELAYS_MAX
    return max(1, min(RELAYS_MAX, (limit - OTHER_FILES - 2 * LENT_MAX) // 2))


class Relays:
    """The live relays of a process, by name. They end, and free what is behind them, by `close`."""

    def __init__(self, relays_max: int | None = None, *, splicing: bool | None = None) -> None:
        """As many as there are descriptors for; by pipes where the system has them."""
        self._relays_max = affordable() if relays_max is None else relays_max
        self._pipes = Pipes() if (splices() if splicing is None else splicing) else None
        self._live: dict[_Relay, str] = {}

    async def join(self, a: socket.socket, b: socket.socket, *, name: str = "") -> RelayResult:
        """Join the client's socket `a` and the server's `b` until both are closed.

        Both sockets, which are undelayed, are the relay's from here on; cancelling it resets both.
        PoolExhausted, and both reset, when there are too many.
        """
        if len(self._live) >= self._relays_max:
            self._refuse(a, b, name)
        joined = _Relay(self._pipes, a, b)
        self._live[joined] = name
        try:
            joined.start()
            ended_by = await joined.done
        except BaseException:
            joined.kill()
            raise
        finally:
            del self._live[joined]
        return RelayResult(joined.forward.bytes, joined.back.bytes, ended_by)

    def _refuse(self, a: socket.socket, b: socket.socket, name: str) -> None:
        reset(a)
        reset(b)
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        raise PoolExhausted(
            f"{len(self._live)} connections are relayed already, the most with a limit of {limit} "
            f"open files: {name or 'one'} was reset. Raise that limit (ulimit -n) for up to "
            f"{RELAYS_MAX}"
        )

    def kill(self, wanted: Callable[[str], bool]) -> int:
        """Reset the relays whose name is wanted; how many."""
        found = [joined for joined, name in self._live.items() if wanted(name)]
        for joined in found:
            joined.kill()
        return len(found)

    def close(self) -> None:
        """Reset them all."""
        self.kill(lambda _: True)
        if self._pipes is not None:
            self._pipes.close()

    def names(self) -> list[str]:
        """The names of the live relays, oldest first."""
        return list(self._live.values())

    def __len__(self) -> int:
        return len(self._live)


class _Relay:
    """Two ways and their common end."""

    __slots__ = ("_a", "_b", "_first", "back", "done", "forward")

    def __init__(self, pipes: Pipes | None, a: socket.socket, b: socket.socket) -> None:
        self._a = a
        self._b = b
        self._first: EndedBy | None = None
        self.done: asyncio.Future[EndedBy] = asyncio.get_running_loop().create_future()
        self.forward = OneWay(self, pipes, a, b)
        self.back = OneWay(self, pipes, b, a)

    def start(self) -> None:
        self.forward.start()
        self.back.start()

    def end_of_file(self, way: OneWay) -> None:
        """One way has come to its end; of the second, closing tells."""
        if self._first is not None:
            self._finish(self._first, socket.socket.close)  # watched by nobody any more
            return
        forward = way is self.forward
        self._first = EndedBy.CLIENT if forward else EndedBy.SERVER
        sink = self._b if forward else self._a
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:  # it was reset, and nobody has read that yet
            self.lost(sink)

    def lost(self, sock: socket.socket) -> None:
        """A socket was reset."""
        self._finish(EndedBy.CLIENT_RESET if sock is self._a else EndedBy.SERVER_RESET, reset)

    def kill(self) -> None:
        self._finish(EndedBy.KILLED, reset)

    def _finish(self, ended_by: EndedBy, leave: Callable[[socket.socket], None]) -> None:
        self.forward.stop()
        self.back.stop()
        leave(self._a)
        leave(self._b)
        if not self.done.done():
            self.done.set_result(ended_by)
