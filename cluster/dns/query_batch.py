"""Queries that come together and their answers, in the same memory.

    slot    id | flags, question ...         as received
            id | rest of the answer          as sent, to the name it came from

Two system calls and, for each query, one lookup and one copy; answers to one address leave in runs
(`cluster.dns.answer_runs`). What the table does not know, and
answers that are longer than a slot, are left to whoever asked for the batch.
Spec: recvmmsg(2).
"""

import mmap
import socket
from collections.abc import Callable

from cluster.aio.mmsg import segments_work
from cluster.aio.mmsg_calls import Messages
from cluster.aio.socket_names import NAME_BYTES, read_name
from cluster.dns.answer_runs import Run, RunMessages, runs_of
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
        shared = self._slots, self._names, self._name_bytes
        self._queries = Messages(BATCH_QUERIES, *shared)
        for index in range(BATCH_QUERIES):
            self._queries.bytes_at(index, index * SLOT_BYTES, SLOT_BYTES)
        self._runs = RunMessages(BATCH_QUERIES, *shared, SLOT_BYTES)
        self._cuts = segments_work()
        self._sizes: list[int] = []
        self._lengths: list[int] = []  # of the answers; 0 where the batch has none
        self.others: list[int] = []  # the slots whose queries the batch does not answer

    def receive(self, sock: socket.socket) -> int:
        """Take what waits: how many queries; OSError as `recvfrom` does."""
        self._lengths = []
        self._sizes = self._queries.receive(sock, BATCH_QUERIES)
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
        return found

    def send(self, sock: socket.socket) -> int:
        """Send the answers: how many the kernel did not take."""
        slots: dict[bytes, list[int]] = {}  # with answers, by whose they are
        names, width, at = bytes(self._names), self._name_bytes, 0
        for slot, length in enumerate(self._lengths):
            if length:
                name = names[at : at + width]
                if name in slots:
                    slots[name].append(slot)
                else:
                    slots[name] = [slot]
            at += width
        runs = [run for each in slots.values() for run in self._runs_of(each)]
        refused = self._runs.send_runs(sock, runs, self._lengths)
        return sum(not self._send_one(sock, slot) for run in refused for slot in run.slots)

    def _runs_of(self, slots: list[int]) -> list[Run]:
        if self._cuts:
            return runs_of(slots, self._lengths)
        return [Run((slot,), 0) for slot in slots]

    def _send_one(self, sock: socket.socket, slot: int) -> bool:
        """Whether the kernel takes an answer that it did not take with others."""
        at = slot * SLOT_BYTES
        try:
            sock.sendto(self._slots[at : at + self._lengths[slot]], self.peer(slot))
        except OSError:
            return False
        return True

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
