"""Answers that leave together: those to one address as a run, which the kernel cuts.

    run     answer, answer, ... of one length, and one that is shorter | to whom they all go

A run goes the long way through the kernel once for all of its answers. They need not lie together:
a message is a list of places. The order of datagrams means nothing, so they are sorted.
Spec: sendmmsg(2), udp(7) UDP_SEGMENT.
"""

import ctypes
import socket
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cluster.aio.mmsg import RUN_BYTES_MAX, RUN_DATAGRAMS_MAX
from cluster.aio.mmsg_calls import Messages


class Run(NamedTuple):
    """Slots whose answers leave as one message."""

    slots: Sequence[int]
    size: int  # of each but the last


def runs_of(slots: list[int], lengths: Sequence[int]) -> list[Run]:
    """How answers to one address are sent: few runs, of the longest first."""
    if len(slots) == 1:
        return [Run(slots, 0)]
    slots.sort(key=lengths.__getitem__, reverse=True)
    size = lengths[slots[0]]
    if lengths[slots[-2]] == size and len(slots) <= _most(size):
        return [Run(slots, size)]  # as it is nearly always
    return list(_cut(slots, lengths))


def _cut(slots: list[int], lengths: Sequence[int]) -> Iterator[Run]:
    first, count = 0, len(slots)
    while first < count:
        size = lengths[slots[first]]
        end, most = first + 1, min(count, first + _most(size))
        while end < most and lengths[slots[end]] == size:
            end += 1
        if end < most:
            end += 1  # a shorter one may be the last
        yield Run(slots[first:end], size)
        first = end


def _most(size: int) -> int:
    return min(RUN_DATAGRAMS_MAX, RUN_BYTES_MAX // size)


class RunMessages(Messages):
    """Messages that are lists of slots."""

    def __init__(
        self, count: int, slots: object, names: bytearray, name_bytes: int, slot_bytes: int
    ) -> None:
        super().__init__(count, slots, names, name_bytes)
        # All that is written for an answer or a run is found by its number.
        name = ctypes.addressof(ctypes.c_char.from_buffer(names))
        self._name_at = [name + index * name_bytes for index in range(count)]
        self._slot_at = [self._base + index * slot_bytes for index in range(count)]
        self._place_at = [ctypes.addressof(each) for each in self._iovecs]
        self._messages = [header.message for header in self._headers]

    def send_runs(
        self, sock: socket.socket, runs: Sequence[Run], lengths: Sequence[int]
    ) -> list[Run]:
        """Send them all: those that the kernel did not take."""
        places, slot_at, place = self._iovec_longs, self._slot_at, 0
        for number, (slots, size) in enumerate(runs):
            message, count = self._messages[number], len(slots)
            message.name = self._name_at[slots[0]]
            message.iovecs = self._place_at[place >> 1]
            message.iovecs_count = count
            self.segmented(number, size if count > 1 else 0)
            for slot in slots:
                places[place] = slot_at[slot]
                places[place + 1] = lengths[slot]
                place += 2
        return self._send_all(sock, runs)

    def _send_all(self, sock: socket.socket, runs: Sequence[Run]) -> list[Run]:
        sent, refused = 0, []
        while sent < len(runs):
            try:
                sent += self.send(sock, sent, len(runs))
            except OSError:
                refused.append(runs[sent])
                sent += 1
        return refused
