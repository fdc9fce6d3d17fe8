"""Sockets handed to other processes of this machine: one SEQPACKET connection to each of them.

    give  ->  queue  ->  one message for what is gathered, one descriptor a flow  ->  the peer
              waits while the peer's queue is full (EAGAIN) or too many descriptors are in flight
              (ETOOMANYREFS); beyond QUEUE_MAX the peer is congested, and whoever gives should stop

A descriptor is closed here once it is sent: a copy that stayed would keep its connection open when
the pod closes. A peer that dies gives back what was not sent; what it had not read is closed by the
kernel. One that takes nothing for STUCK_SECONDS gives it back too, and gets no more until it reads
again; its connection stays, for the end of that would say that this process has died.
Nothing is answered: the peer that ends up with a socket does what its client shall see. What comes
back is news of flows that ended.
"""

import asyncio
import errno
import logging
import os
import secrets
import socket
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.aio.streams import close, outside
from cluster.errors import WireError
from cluster.wire.handover import (
    FLOWS_MAX,
    MESSAGE_BYTES_MAX,
    Ended,
    Handed,
    decode,
    encode_died,
    encode_flows,
    encode_hello,
)

log = logging.getLogger(__name__)

QUEUE_MAX = 1024
QUEUES_FULL = 4  # times as many are refused, whoever does not stop
NEWS_MAX = 1024  # messages for one peer that does not read
SEND_BUFFER_BYTES = 1 << 20  # as much of it as the system allows
STUCK_SECONDS = 5.0
ABSENT_SECONDS = 0.5  # a process that takes no sockets, on another machine, is not asked each time
ABSENT_MAX = 1024
IN_FLIGHT_PAUSE_SECONDS = 0.01  # no event tells that descriptors in flight have become fewer

Undelivered = Callable[[str, list[tuple[socket.socket, Handed]]], None]


def place(run_dir: Path, name: str) -> Path:
    """Where a process takes sockets: there, or it takes none."""
    return run_dir / f"{name}.flows"


def new_instance(name: str) -> str:
    """The name of this life of a process."""
    return f"{name}#{secrets.token_hex(4)}"


class Handoff:
    """The ways from this process to others; `undelivered` gets back what one of them did not take.

    `ended` hears of flows that ended; `relieved` that a peer is not congested any more.
    """

    def __init__(
        self,
        run_dir: Path,
        instance: str,
        *,
        undelivered: Undelivered,
        ended: Callable[[Ended], None],
        relieved: Callable[[], None] = lambda: None,
        queue_max: int = QUEUE_MAX,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self.instance = instance
        self.undelivered = undelivered
        self.ended = ended
        self.relieved = relieved
        self.queue_max = queue_max
        self.stuck_seconds = stuck_seconds
        self.given = 0
        self._run_dir = run_dir
        self._ways: dict[str, _Way] = {}
        self._absent: dict[str, float] = {}  # when to look again, by name
        self._gathering = False
        self._leaving = False

    def reachable(self, name: str) -> bool:
        """Whether a process takes a socket now; the first question to one opens the way to it."""
        way = self._ways.get(name) or self._open_again(name)
        if way is None or way.stuck:
            return False
        return len(way.queue) < QUEUES_FULL * self.queue_max

    def give(self, name: str, sock: socket.socket, handed: Handed) -> bool:
        """Hand a socket to a process; False, and it stays the caller's, if it takes none now."""
        if not self.reachable(name):
            return False
        way = self._ways[name]
        self.given += 1
        way.give(sock, handed)
        if not self._gathering:
            way.flush()
        return True

    def gather(self) -> None:
        """Let what is given from now on wait for `flush`, to leave together."""
        self._gathering = True

    def flush(self) -> None:
        """Send what was gathered, with what comes in the same moment: when the loop has looked once
        more for what has come, for a message costs more than a look."""
        self._gathering = False
        if not self._leaving and any(way.queue for way in self._ways.values()):
            self._leaving = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._leaving = False
        for way in list(self._ways.values()):
            if way.queue:
                way.flush()

    def _open_again(self, name: str) -> "_Way | None":
        """Look for a process, unless it has just been looked for in vain."""
        now = asyncio.get_running_loop().time()
        if now < self._absent.get(name, now):
            return None
        way = self._open(name)
        if way is None:
            if len(self._absent) >= ABSENT_MAX:
                self._absent.clear()
            self._absent[name] = now + ABSENT_SECONDS
        else:
            self._absent.pop(name, None)
        return way

    def _open(self, name: str) -> "_Way | None":
        try:
            sock = _connected(place(self._run_dir, name), encode_hello(self.instance))
        except OSError:  # it lives on another machine, or not at all
            return None
        way = self._ways[name] = _Way(self, name, sock)
        return way

    def congested(self, name: str) -> bool:
        """Whether a process has more waiting for it than it should."""
        way = self._ways.get(name)
        return way is not None and way.congested

    @property
    def any_congested(self) -> bool:
        """Whether any process has."""
        return any(way.congested for way in self._ways.values())

    def tell_died(self, instances: Sequence[str]) -> None:
        """Tell everybody whom flows went on to that processes on their way are gone."""
        for way in list(self._ways.values()):  # one may be found to have ended too
            way.tell(encode_died(instances))

    @property
    def waiting(self) -> int:
        """How many sockets have not been taken yet."""
        return sum(len(way.queue) for way in self._ways.values())

    def close(self) -> None:
        """Leave; what was not sent is given back."""
        for way in list(self._ways.values()):
            way.lost("this process stops")

    def forget(self, name: str) -> None:
        """A way has come to its end; the next flow looks for the process anew."""
        self._ways.pop(name, None)


def _connected(path: Path, hello: bytes) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        outside(sock.connect, str(path))
        sock.send(hello)
    except BaseException:
        sock.close()
        raise
    return sock


class _Way:
    """One connection to one process."""

    def __init__(self, owner: Handoff, name: str, sock: socket.socket) -> None:
        self.queue: deque[tuple[socket.socket, Handed]] = deque()
        self.congested = False
        self.stuck = False  # it has taken nothing for long
        self._owner = owner
        self._name = name
        self._sock = sock
        self._news: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._waiting = False
        self._patience: asyncio.TimerHandle | None = None  # since something was taken last
        self._retry: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock.fileno(), self._readable)

    def give(self, sock: socket.socket, handed: Handed) -> None:
        """Queue a socket; it leaves with `flush`."""
        self.queue.append((sock, handed))
        if self._waiting and len(self.queue) >= self._owner.queue_max:
            self.congested = True

    def tell(self, message: bytes) -> None:
        """Queue a message without descriptors, after the flows that are queued already."""
        if len(self._news) >= NEWS_MAX:
            self.lost("it hears no news")
            return
        self._news.append(message)
        self.flush()

    def flush(self) -> None:
        """Send what is queued, as far as the peer takes it."""
        while self.queue and not self._waiting:
            self._send_flows(FLOWS_MAX)
        while self._news and not self.queue and not self._waiting:
            if self._sent(self._news[0], ()):
                self._news.popleft()
        if not self._waiting:
            self.stuck = False
            self._relieve()

    def _send_flows(self, count: int) -> None:
        batch = [self.queue[each] for each in range(min(count, len(self.queue)))]
        message = encode_flows([handed for _, handed in batch])
        if len(message) > MESSAGE_BYTES_MAX and count > 1:
            self._send_flows(len(batch) // 2)
            return
        if self._sent(message, [sock.fileno() for sock, _ in batch]):
            for sock, _ in batch:
                self.queue.popleft()
                sock.close()

    def _sent(self, message: bytes, descriptors: Sequence[int]) -> bool:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))]
        try:
            self._sock.sendmsg([message], rights if descriptors else ())
        except (BlockingIOError, InterruptedError):
            self._wait()
            self._loop.add_writer(self._sock.fileno(), self._resume)
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:
                self._wait()
                self._retry = self._loop.call_later(IN_FLIGHT_PAUSE_SECONDS, self._resume)
            else:
                self.lost(os.strerror(error.errno or 0))
        else:
            self._be_patient()
            return True
        return False

    def _wait(self) -> None:
        self._waiting = True
        if self._patience is None:
            seconds = self._owner.stuck_seconds
            self._patience = self._loop.call_later(seconds, self._lose_patience)

    def _resume(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        self._waiting = False
        self.flush()

    def _be_patient(self) -> None:
        """Something was taken."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self.stuck = True
        self._patience = None
        log.warning("hand-over stuck to=%s undelivered=%d", self._name, len(self.queue))
        self._give_back()
        self._relieve()

    def _give_back(self) -> None:
        left = list(self.queue)
        self.queue.clear()
        if left:
            self._owner.undelivered(self._name, left)

    def _relieve(self) -> None:
        if self.congested:
            self.congested = False
            self._owner.relieved()

    def _readable(self) -> None:
        try:
            data = self._sock.recv(MESSAGE_BYTES_MAX)
            if not data:
                self.lost("it is gone")
                return
            message = decode(data)
            if not isinstance(message, Ended):
                raise WireError(f"{type(message).__name__} came backwards")
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.lost(error.strerror or str(error))
            return
        except WireError as error:
            self.lost(str(error))
            return
        self._owner.ended(message)

    def lost(self, reason: str) -> None:
        """The connection is over; its queue goes back to whoever gave it."""
        if self._sock.fileno() < 0:
            return
        self._be_patient()
        if self._retry is not None:
            self._retry.cancel()
        self._waiting = True  # nothing is sent on it any more
        close(self._sock)
        self._owner.forget(self._name)
        self._news.clear()
        waiting = len(self.queue)
        log.info("hand-over ended to=%s reason=%s undelivered=%d", self._name, reason, waiting)
        self._give_back()
        self._relieve()
