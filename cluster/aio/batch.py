"""Datagrams that come together: room for them, and one call after the other for each.

    slot    0 .......... datagram_bytes_max | one byte to spare: it is used by what is too long
    name    who sent it, as `cluster.aio.socket_names` says

`receive` fills the slots from the first on; `answer` makes what came in a slot its answer, `send`
sends it to who asked. Nothing is allocated for a datagram until somebody asks for its bytes, and
what came is there until the next `receive`. `cluster.aio.mmsg` has the same with one call for all.
"""

import errno
import mmap
import socket
from collections.abc import Iterator

from cluster.aio.socket_names import NAME_BYTES, pack_peer, read_name
from cluster.aio.streams import outside

BySender = dict[bytes, list[bytes]]  # datagrams by the name of who sent them

BATCH_DATAGRAMS = 64
TOLD_BY_ICMP = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EMSGSIZE)
DATAGRAM_BYTES_MAX = 65535


class Batch:
    """Room for `capacity` datagrams of sockets of one family; any machine has what this needs."""

    def __init__(
        self,
        family: int,
        *,
        capacity: int = BATCH_DATAGRAMS,
        datagram_bytes_max: int = DATAGRAM_BYTES_MAX,
    ) -> None:
        self.capacity = capacity
        self.datagram_bytes_max = datagram_bytes_max
        self.sizes: list[int] = []  # of what was received; too long if over the maximum
        self.refused = 0  # how often ICMP said that nobody took what was sent
        self.truncated = 0  # how many datagrams were too long, ever: they are not told of
        self._stride = datagram_bytes_max + 1
        self._name_bytes = NAME_BYTES[socket.AddressFamily(family)]
        # A page is the process's own, and only there once it was used; slices of it are bytes.
        self._slots = mmap.mmap(-1, capacity * self._stride, flags=mmap.MAP_PRIVATE)
        self._names = bytearray(capacity * self._name_bytes)
        self._lengths = [0] * capacity

    # -- coming in

    def receive(self, sock: socket.socket) -> int:
        """Take what waits, as far as there is room: how many came; OSError if the socket is bad.

        What ICMP says of something that was sent is counted and otherwise passed over.
        """
        self.sizes = []
        for _ in range(self.capacity):
            try:
                self._fill(sock)
                break
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno not in TOLD_BY_ICMP:
                    raise
                self.refused += 1
                if self.sizes:
                    break
        return len(self.sizes)

    def _fill(self, sock: socket.socket) -> None:
        """Receive until nothing waits or there is no room; OSError ends it, what came is kept."""
        view = memoryview(self._slots)
        for index in range(self.capacity):
            at = index * self._stride
            size, peer = sock.recvfrom_into(view[at : at + self._stride])
            self.sizes.append(size)
            self._name(index, pack_peer(peer))

    def payload(self, index: int) -> bytes:
        """The bytes of a datagram that came."""
        at = index * self._stride
        return self._slots[at : at + self.sizes[index]]

    def name(self, index: int) -> bytes:
        """Who sent a datagram that came."""
        at = index * self._name_bytes
        return bytes(self._names[at : at + self._name_bytes])

    def datagrams(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything that came, but for what was too long: the bytes, and whose they are."""
        slots, names, width = self._slots, bytes(self._names), self._name_bytes
        at = name_at = 0
        for size in self.sizes:
            if size < self._stride:
                yield slots[at : at + size], names[name_at : name_at + width]
            else:
                self.truncated += 1
            at += self._stride
            name_at += width

    def by_sender(self) -> BySender:
        """Everything that came, but for what was too long, by who sent it, in order."""
        if len(self.sizes) == 1 and self.sizes[0] < self._stride:
            return {self.name(0): [self.payload(0)]}
        came: BySender = {}
        for data, name in self.datagrams():
            if name in came:
                came[name].append(data)
            else:
                came[name] = [data]
        return came

    # -- answering

    def answer(self, index: int, kept: int, rest: bytes) -> None:
        """Let what came in a slot become its answer: the first bytes as they are, then `rest`."""
        at, length = index * self._stride + kept, kept + len(rest)
        if length > self.datagram_bytes_max:
            raise ValueError(f"{length} bytes, a slot has {self.datagram_bytes_max}")
        self._slots[at : at + len(rest)] = rest
        self._length(index, length)

    def send(self, sock: socket.socket, first: int, end: int) -> int:
        """Send slots from `first` on, up to `end`: how many left, at least one.

        OSError says why the first of them did not; the others were not tried then.
        """
        view = memoryview(self._slots)
        for index in range(first, end):
            at = index * self._stride
            try:
                data = view[at : at + self._lengths[index]]
                outside(sock.sendto, data, read_name(self.name(index)))
            except OSError:
                if index == first:
                    raise
                return index - first
        return end - first

    def _length(self, index: int, length: int) -> None:
        self._lengths[index] = length

    def _name(self, index: int, name: bytes) -> None:
        at = index * self._name_bytes
        self._names[at : at + self._name_bytes] = name
