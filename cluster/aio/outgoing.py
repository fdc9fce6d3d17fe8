"""Datagrams that wait to leave together, in runs: to one address, of one size.

    arena   | run: head payload, head payload, ... | run: head payload | ...

A run is what the kernel takes at once and cuts into datagrams itself, where it can: it goes its
long way once for all of them. Here each datagram is a run and has a call of its own;
`cluster.aio.mmsg` knows better.
"""

import mmap
import socket
from collections.abc import Iterator, Sequence

from cluster.aio.socket_names import read_name
from cluster.aio.streams import outside
from cluster.dataclass import dataclass

ARENA_BYTES = 256 * 1024
RUNS_MAX = 64


@dataclass(slots=True)
class Run:
    """Datagrams of `size` bytes each, one after the other in the arena, to one address."""

    start: int
    end: int
    size: int
    name: bytes

    @property
    def count(self) -> int:
        """How many datagrams it is."""
        return (self.end - self.start) // self.size if self.size else 1


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the datagrams that were gathered."""

    sent: int = 0
    dropped: int = 0  # the kernel refused them
    reason: str = ""
    left: Sequence[tuple[bytes, bytes]] = ()  # it takes no more just now: data, name


class Outgoing:
    """Gathers datagrams; `flush` sends them. Any machine has what this needs."""

    def __init__(self) -> None:
        self._arena = mmap.mmap(-1, ARENA_BYTES, flags=mmap.MAP_PRIVATE)
        self._runs: list[Run] = []
        self._end = 0

    def __len__(self) -> int:
        return sum(run.count for run in self._runs)

    def add(self, head: bytes, payloads: Sequence[bytes], name: bytes) -> int:
        """Take datagrams to a name, each with the same head: how many found room."""
        added = 0
        while added < len(payloads):
            size = len(head) + len(payloads[added])
            room = self._room(size, name)
            if not room:
                break
            chunk = _alike(payloads, added, added + room)
            self._append(head.join((b"", *chunk)))
            added += len(chunk)
        return added

    def _room(self, size: int, name: bytes) -> int:
        """How many datagrams of that size the last run can take; a new one if it has no room."""
        free, runs = ARENA_BYTES - self._end, self._runs
        run = runs[-1] if runs else None
        if run is not None and run.size == size and run.name == name and size:
            more = min(self._most(size) * size - (run.end - run.start), free) // size
            if more > 0:
                return more
        if len(runs) == RUNS_MAX or size > free:
            return 0
        runs.append(Run(self._end, self._end, size, name))
        return min(self._most(size), free // size) if size else 1

    def _most(self, size: int) -> int:
        """How many datagrams of that size make a run at most."""
        return 1

    def _append(self, data: bytes) -> None:
        end = self._end + len(data)
        self._arena[self._end : end] = data
        self._end = self._runs[-1].end = end

    def flush(self, sock: socket.socket) -> Sent:
        """Send all that was gathered, as far as the kernel takes it; nothing is gathered then."""
        runs = self._runs
        self.clear()
        at = sent = dropped = 0
        reason = ""
        while at < len(runs):
            try:
                left = self._transmit(sock, runs, at)
            except (BlockingIOError, InterruptedError):
                waiting = [each for run in runs[at:] for each in self._datagrams(run)]
                return Sent(sent, dropped, reason, waiting)
            except OSError as error:
                if not self._refused(runs, at, error):
                    dropped += runs[at].count
                    reason = error.strerror or str(error)
                    at += 1
            else:
                sent += sum(run.count for run in runs[at : at + left])
                at += left
        return Sent(sent, dropped, reason)

    def clear(self) -> None:
        """Forget what was gathered."""
        self._runs, self._end = [], 0

    def _transmit(self, sock: socket.socket, runs: list[Run], first: int) -> int:
        """Send runs from `first` on: how many left, at least one; OSError: why not that one."""
        run = runs[first]
        outside(sock.sendto, self._arena[run.start : run.end], read_name(run.name))
        return 1

    def _refused(self, runs: list[Run], at: int, error: OSError) -> bool:
        """Whether a run that was refused shall be tried again, in parts."""
        return False

    def _datagrams(self, run: Run) -> Iterator[tuple[bytes, bytes]]:
        for start in range(run.start, max(run.end, run.start + 1), run.size or 1):
            yield self._arena[start : start + run.size], run.name


def _alike(payloads: Sequence[bytes], first: int, end: int) -> Sequence[bytes]:
    """The payloads from `first` on that have the same length."""
    size, at, end = len(payloads[first]), first + 1, min(end, len(payloads))
    while at < end and len(payloads[at]) == size:
        at += 1
    return payloads[first:at]
