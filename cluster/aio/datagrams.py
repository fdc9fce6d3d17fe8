"""A UDP endpoint on a raw non-blocking socket: batches in, batches out, all bounded, drops counted.

What comes in waits in the kernel's queue and is taken by the batch; what is sent leaves by the
turn (`cluster.aio.turn`). What cannot go out at once waits in our queue. UDP may lose both, and
here it says how often.
"""

import asyncio
import errno
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence

from cluster.aio.batch import BySender
from cluster.aio.lone_datagrams import Expectation, receive_one, send_one
from cluster.aio.mmsg import coalesce
from cluster.aio.outgoing import Outgoing, Sent
from cluster.aio.socket_names import pack_name, read_name
from cluster.aio.streams import address_of, close, family_of, outside
from cluster.aio.turn import Turn, turn_of_loop
from cluster.wire.addresses import SocketAddress

log = logging.getLogger(__name__)

QUEUE_DATAGRAMS_MAX = 1024
KERNEL_BUFFER_BYTES = 4 * 1024 * 1024  # the kernel gives what it allows
SO_MEMINFO = 55  # memory of a socket; at the end, how many datagrams it had no room for
_MEMINFO = struct.Struct("9I")

OnDatagram = Callable[[bytes, SocketAddress], None]
OnBatch = Callable[[BySender], None]


class DatagramEndpoint:
    """Sends and receives datagrams at one address.

    `on_batch` gets what came together, by the names of who sent it; `on_datagram` one after the
    other. `coalesced`: who sends to this address does so in runs, as other endpoints do.
    """

    def __init__(
        self,
        address: SocketAddress,
        on_datagram: OnDatagram | None = None,
        *,
        on_batch: OnBatch | None = None,
        coalesced: bool = False,
        queue_datagrams_max: int = QUEUE_DATAGRAMS_MAX,
    ) -> None:
        """Bind; OSError if the address may not be had. `start` begins to receive."""
        self._on_batch = on_batch or self._one_by_one
        self._on_datagram = on_datagram
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._queue_datagrams_max = queue_datagrams_max
        self._sock = bound(address)
        self._family = int(self._sock.family)
        self._coalesced = coalesced and coalesce(self._sock)
        self._expectation = Expectation()
        self._lone: tuple[bytes, bytes] | None = None  # all that is gathered so far: data, name
        self._outgoing: Outgoing | None = None
        self._turn: Turn | None = None
        self.address = address_of(self._sock)
        self.received = 0
        self.sent = 0
        self._overflowed = 0
        self.dropped = 0  # not sent: the queue was full, or the kernel refused

    def start(self) -> None:
        """Receive from now on."""
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)

    def close(self) -> None:
        """Stop; what was gathered leaves, what waits for the kernel is dropped."""
        if self._sock.fileno() >= 0:
            self.flush()
        self.dropped += len(self._queue)
        self._queue.clear()
        self._overflowed = self.overflowed
        close(self._sock)

    @property
    def overflowed(self) -> int:
        """How many datagrams came that the kernel's queue had no room for."""
        if self._sock.fileno() < 0:
            return self._overflowed
        try:
            facts = self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
        except OSError:  # only Linux tells
            return 0
        return int(_MEMINFO.unpack(facts)[-1])

    @property
    def lost(self) -> int:
        """How many datagrams did not get through, in or out."""
        return self.dropped + self.overflowed

    # -- going out

    def send(self, data: bytes, address: SocketAddress) -> bool:
        """Send now or soon; False when it was dropped at once."""
        return self.send_all(b"", (data,), pack_name(address)) == 1

    def send_all(self, head: bytes, payloads: Sequence[bytes], name: bytes) -> int:
        """Send datagrams with the same head to a name, now or soon: how many were not dropped."""
        turn = self._turn or self._look_for_turn()
        taken = self._gather(turn, head, payloads, name)
        if not turn.holding:
            before = self.dropped
            outside(self.flush)
            turn.hold()
            taken -= self.dropped - before
        return taken

    def _look_for_turn(self) -> Turn:
        self._turn = turn_of_loop()
        return self._turn

    def _gather(self, turn: Turn, head: bytes, payloads: Sequence[bytes], name: bytes) -> int:
        """Take datagrams along with what this turn sends: how many were not dropped."""
        if self._queue or self._sock.fileno() < 0:
            return self._wait([(head + each, name) for each in payloads])
        if self._outgoing is None:
            if self._lone is None and len(payloads) == 1:
                self._lone = head + payloads[0], name
                turn.gathered(self)
                return 1
            self._outgoing = turn.lend(self)
        if self._lone is not None:
            (data, to), self._lone = self._lone, None
            self._add(self._outgoing, b"", (data,), to)
        return self._add(self._outgoing, head, payloads, name)

    def _add(self, outgoing: Outgoing, head: bytes, payloads: Sequence[bytes], name: bytes) -> int:
        taken = at = 0
        while at < len(payloads):
            added = outgoing.add(head, payloads[at:] if at else payloads, name)
            taken, at = taken + added, at + added
            if at == len(payloads) or added:
                continue
            if len(outgoing):  # there is no room left
                self._sent(outgoing.flush(self._sock))
                if self._queue:
                    return taken + self._wait([(head + each, name) for each in payloads[at:]])
            else:  # it alone is too long
                self._drop(1, name, os.strerror(errno.EMSGSIZE))
                at += 1
        return taken

    def flush(self) -> None:
        """Send what was gathered."""
        lone, outgoing = self._lone, self._outgoing
        if lone is not None:
            self._lone = None
            self._send_lone(*lone)
        elif outgoing is not None and self._turn is not None:
            self._outgoing = None
            self._sent(outgoing.flush(self._sock))
            self._turn.give_back(outgoing)

    def _send_lone(self, data: bytes, name: bytes) -> None:
        try:
            send_one(self._sock, data, name)
        except (BlockingIOError, InterruptedError):
            self._wait([(data, name)])
        except OSError as error:
            self._drop(1, name, error.strerror or str(error))
        else:
            self.sent += 1

    def _sent(self, outcome: Sent) -> None:
        self.sent += outcome.sent
        if outcome.dropped:
            self._drop(outcome.dropped, b"", outcome.reason)
        if outcome.left:
            self._wait(outcome.left)

    def _wait(self, datagrams: Sequence[tuple[bytes, bytes]]) -> int:
        """Let them wait until the kernel takes more: how many found room."""
        if self._sock.fileno() < 0:
            return self._drop(len(datagrams), datagrams[0][1], "the endpoint is closed")
        if not self._queue:
            loop = asyncio.get_running_loop()
            outside(loop.add_writer, self._sock.fileno(), self._writable)
        room = max(0, self._queue_datagrams_max - len(self._queue))
        self._queue.extend(datagrams[:room])
        if len(datagrams) > room:
            reason = f"{len(self._queue)} datagrams wait already"
            self._drop(len(datagrams) - room, datagrams[-1][1], reason)
        return min(room, len(datagrams))

    def _drop(self, count: int, name: bytes, reason: str) -> int:
        self.dropped += count
        if log.isEnabledFor(logging.DEBUG):
            address = read_name(name) if name else "?"
            log.debug("datagrams dropped to=%s count=%d reason=%s", address, count, reason)
        return 0

    def _writable(self) -> None:
        asyncio.get_running_loop().remove_writer(self._sock.fileno())
        waiting, self._queue = self._queue, deque()
        turn = self._turn or self._look_for_turn()
        for data, name in waiting:
            self._gather(turn, b"", (data,), name)
        self.flush()

    # -- coming in

    def _readable(self) -> None:
        turn = self._turn or self._look_for_turn()
        came = self._received(turn) if self._sock.fileno() >= 0 else None
        if not came:
            return
        outermost = turn.begin()
        try:
            self._on_batch(came)
        finally:
            if outermost:
                turn.end()

    def _received(self, turn: Turn) -> BySender:
        if self._expectation.is_one():
            came = receive_one(self._sock, coalesced=self._coalesced)
        else:
            batch = turn.batch_for(self._family, coalesced=self._coalesced)
            self._expectation.came(batch.receive(self._sock))
            came = batch.by_sender()
        self.received += sum(map(len, came.values()))
        return came

    def _one_by_one(self, came: BySender) -> None:
        assert self._on_datagram is not None, "whoever receives says how"
        for name, payloads in came.items():
            for data in payloads:
                if self._sock.fileno() >= 0:
                    self._on_datagram(data, read_name(name))


def bound(address: SocketAddress) -> socket.socket:
    """A UDP socket at an address, non-blocking, with large buffers of the kernel's."""
    sock = socket.socket(family_of(address.ip), socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, KERNEL_BUFFER_BYTES)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock
