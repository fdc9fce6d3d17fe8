"""Batches of datagrams by one system call: recvmmsg and sendmmsg, where the machine has them.

Linux does, other systems and C libraries may not: what is used is tried once, and where it does not
work the plain `Batch` and `Outgoing` do the same with a call for each datagram. The same holds for
runs of datagrams that the kernel cuts itself (UDP_SEGMENT) and gives as they were (UDP_GRO).
"""

import errno
import socket
from functools import cache

from cluster.aio.batch import BATCH_DATAGRAMS, DATAGRAM_BYTES_MAX, Batch, BySender
from cluster.aio.mmsg_calls import COALESCE, NAME_BYTES_MAX, Messages
from cluster.aio.outgoing import RUNS_MAX, Outgoing, Run
from cluster.aio.socket_names import pack_name
from cluster.wire.addresses import SocketAddress

RUN_DATAGRAMS_MAX = 64  # what every kernel cuts that cuts at all
RUN_BYTES_MAX = 65000
_NOT_CUT = (errno.EINVAL, errno.EMSGSIZE, errno.EIO, errno.EOPNOTSUPP)


class MmsgBatch(Batch):
    """A batch that one call fills and one call empties.

    `coalesced`: of a socket that `coalesce` was called for.
    """

    def __init__(
        self,
        family: int,
        *,
        capacity: int = BATCH_DATAGRAMS,
        datagram_bytes_max: int = DATAGRAM_BYTES_MAX,
        coalesced: bool = False,
    ) -> None:
        super().__init__(family, capacity=capacity, datagram_bytes_max=datagram_bytes_max)
        self._messages = Messages(capacity, self._slots, self._names, self._name_bytes)
        self._coalesced = coalesced
        self._shortened = True  # the messages' lengths are not those of slots
        self._expected = capacity  # how many messages were told what they are, and must be asked

    def _fill(self, sock: socket.socket) -> None:
        messages = self._messages
        if self._shortened:
            for index in range(self.capacity):
                messages.bytes_at(index, index * self._stride, self._stride)
            self._shortened = False
        if self._coalesced:
            messages.expect_segments(self._expected)
            self._expected = 0
        self.sizes = messages.receive(sock, self.capacity)
        self._expected = len(self.sizes)

    def by_sender(self) -> BySender:
        if not self._coalesced:
            return super().by_sender()
        came: BySender = {}
        segments = self._messages.segments(len(self.sizes))
        for index, segment in enumerate(segments):
            data, payloads = self.payload(index), came.setdefault(self.name(index), [])
            if segment:
                payloads += [data[at : at + segment] for at in range(0, len(data), segment)]
            else:
                payloads.append(data)
        return came

    def send(self, sock: socket.socket, first: int, end: int) -> int:
        return self._messages.send(sock, first, end)

    def _length(self, index: int, length: int) -> None:
        self._messages.length(index, length)
        self._shortened = True


class MmsgOutgoing(Outgoing):
    """Runs of datagrams, many sent by one call, each cut by the kernel where it can."""

    def __init__(self, cut_bytes_max: int) -> None:
        """`cut_bytes_max`: how long the datagrams may be that the kernel cuts a run into."""
        super().__init__()
        self._names = bytearray(RUNS_MAX * NAME_BYTES_MAX)
        self._messages = Messages(RUNS_MAX, self._arena, self._names, NAME_BYTES_MAX)
        self._cut_bytes_max = cut_bytes_max

    def _most(self, size: int) -> int:
        if not 0 < size <= self._cut_bytes_max:
            return 1
        return min(RUN_DATAGRAMS_MAX, RUN_BYTES_MAX // size)

    def _transmit(self, sock: socket.socket, runs: list[Run], first: int) -> int:
        """Many runs by one call."""
        messages, names = self._messages, self._names
        filled = runs[first : first + RUNS_MAX]
        for index, run in enumerate(filled):
            at, length = index * NAME_BYTES_MAX, len(run.name)
            names[at : at + length] = run.name
            messages.name_length(index, length)
            messages.bytes_at(index, run.start, run.end - run.start)
            messages.segmented(index, run.size if run.end - run.start > run.size else 0)
        return messages.send(sock, 0, len(filled))

    def _refused(self, runs: list[Run], at: int, error: OSError) -> bool:
        """Datagrams longer than the way carries whole cannot be cut by the kernel."""
        run = runs[at]
        if run.end - run.start <= run.size or error.errno not in _NOT_CUT:
            return False
        self._cut_bytes_max = min(self._cut_bytes_max, run.size - 1)
        starts = range(run.start, run.end, run.size)
        runs[at : at + 1] = [Run(each, each + run.size, run.size, run.name) for each in starts]
        return True


def open_batch(
    family: int,
    *,
    capacity: int = BATCH_DATAGRAMS,
    datagram_bytes_max: int = DATAGRAM_BYTES_MAX,
    coalesced: bool = False,
) -> Batch:
    """The fastest batch that works here; `coalesced`: of sockets that `coalesce` was true for."""
    if not mmsg_works():
        return Batch(family, capacity=capacity, datagram_bytes_max=datagram_bytes_max)
    return MmsgBatch(
        family,
        capacity=capacity,
        datagram_bytes_max=datagram_bytes_max,
        coalesced=coalesced,
    )


def coalesce(sock: socket.socket) -> bool:
    """Let a socket get runs of datagrams whole, if that works here."""
    if segments_work():
        sock.setsockopt(socket.IPPROTO_UDP, COALESCE, 1)
    return segments_work()


def open_outgoing() -> Outgoing:
    """The fastest way out that works here."""
    if not mmsg_works():
        return Outgoing()
    return MmsgOutgoing(RUN_BYTES_MAX if segments_work() else 0)


@cache
def mmsg_works() -> bool:
    """Whether the two calls are there and mean what this package thinks: two datagrams are sent."""
    return _tried(coalesced=False)


@cache
def segments_work() -> bool:
    """Whether the kernel cuts a run into datagrams, and gives a run whole to who wants it so."""
    return mmsg_works() and _tried(coalesced=True)


def _tried(*, coalesced: bool) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            return _carries(sock, coalesced)
    except (OSError, AttributeError):  # the kernel, or the C library, has no such thing
        return False


def _carries(sock: socket.socket, coalesced: bool) -> bool:
    name = pack_name(SocketAddress(*sock.getsockname()))
    if coalesced:
        sock.setsockopt(socket.IPPROTO_UDP, COALESCE, 1)
    batch = MmsgBatch(sock.family, capacity=2, coalesced=coalesced)
    outgoing = MmsgOutgoing(RUN_BYTES_MAX if coalesced else 0)
    outgoing.add(b"probe", (b"0", b"1"), name)
    if outgoing.flush(sock).sent != 2 or batch.receive(sock) != 2 - coalesced:
        return False
    return batch.by_sender() == {name: [b"probe0", b"probe1"]}
