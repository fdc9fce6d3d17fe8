"""Queries that come together and their answers, in the same memory.

    slot    id | flags, question ...         as received
            id | rest of the answer          as sent, to the name it came from

Two system calls and, for each query, one lookup and one copy. What the table does not know, and
answers that are longer than a slot, are left to whoever asked for the batch.
Spec: recvmmsg(2), sendmmsg(2).
"""

import mmap
import socket
from collections.abc import Callable

from cluster.aio.mmsg_calls import Messages
from cluster.aio.socket_names import NAME_BYTES, read_name
from cluster.dns.prepared import ID_BYTES, Prepared
from cluster.wire.addresses import SocketAddress

BATCH_QUERIES = 64
# Whole lines of a cache, and no power of two: slots that far apart would push each other out.
SLOT_BYTES = 2112  # a query that is longer is cut off there, and so malformed

Hit = Callable[[bytes], Prepared | None]


class QueryBatch:
    """Room for queries to sockets of one family."""

    def __init__(self, family: int) -> None:
        self._name_bytes = NAME_BYTES[socket.AddressFamily(family)]
        self._slots = mmap.mmap(-1, BATCH_QUERIES * SLOT_BYTES, flags=mmap.MAP_PRIVATE)
        self._names = bytearray(BATCH_QUERIES * self._name_bytes)
        self._messages = _Messages(BATCH_QUERIES, self._slots, self._names, self._name_bytes)
        for index in range(BATCH_QUERIES):
            self._messages.bytes_at(index, index * SLOT_BYTES, SLOT_BYTES)
        self._sizes: list[int] = []
        self._lengths: list[int] = []  # of the answers; 0 where the batch has none
        self.others: list[int] = []  # the slots whose queries the batch does not answer

    def receive(self, sock: socket.socket) -> int:
        """Take what waits: how many queries; OSError as `recvfrom` does."""
        self._messages.lengths([SLOT_BYTES] * len(self._lengths))
        self._lengths = []
        self._sizes = self._messages.receive(sock, BATCH_QUERIES)
        return len(self._sizes)

    def answer(self, hit: Hit) -> list[Prepared]:
        """Let each query become its answer, if there is one for its bytes behind the id."""
        slots, found = self._slots, list[Prepared]()
        lengths, self.others = list[int](), list[int]()
        at = ID_BYTES
        for size in self._sizes:
            prepared = hit(slots[at : at + size - ID_BYTES]) if size > ID_BYTES else None
            if prepared is not None and (length := len(prepared.rest)) <= SLOT_BYTES - ID_BYTES:
                slots[at : at + length] = prepared.rest
                lengths.append(ID_BYTES + length)
                found.append(prepared)
            else:
                self.others.append(len(lengths))
                lengths.append(0)
            at += SLOT_BYTES
        self._lengths = lengths
        self._messages.lengths(lengths)
        return found

    def send(self, sock: socket.socket) -> int:
        """Send the answers: how many the kernel did not take."""
        first = dropped = 0
        for end in (*self.others, len(self._lengths)):
            while first < end:
                try:
                    first += self._messages.send(sock, first, end)
                except OSError:
                    first, dropped = first + 1, dropped + 1
            first = end + 1
        return dropped

    def query(self, index: int) -> bytes:
        """What came in a slot that has no answer."""
        at = index * SLOT_BYTES
        return self._slots[at : at + self._sizes[index]]

    def peer(self, index: int) -> SocketAddress:
        """Who sent what came in a slot."""
        at = index * self._name_bytes
        return read_name(bytes(self._names[at : at + self._name_bytes]))

    def peers(self) -> Callable[[int], SocketAddress]:
        """Who sent the queries that were answered, by their number; for later too."""
        width = self._name_bytes
        names = bytes(self._names[: len(self._sizes) * width])
        answered = range(len(self._sizes))
        if self.others:
            answered = [index for index in answered if self._lengths[index]]  # type: ignore[assignment]

        def peer(number: int) -> SocketAddress:
            at = answered[number] * width
            return read_name(names[at : at + width])

        return peer


class _Messages(Messages):
    """With the lengths of many messages said at once."""

    def lengths(self, lengths: list[int]) -> None:
        """How many bytes each of the first messages has."""
        longs, at = self._iovec_longs, 1
        for length in lengths:
            longs[at] = length
            at += 2
