"""A datagram that comes or goes alone: by the calls that cost the least for one.

What the batch's calls save for many they cost for one, half as much again as all the rest. So who
is told of single datagrams one after the other asks for single ones, and looks now and then whether
there are more.
"""

import socket
import sys

from cluster.aio.batch import DATAGRAM_BYTES_MAX, TOLD_BY_ICMP, BySender
from cluster.aio.socket_names import pack_peer, read_name

LOOKS_FOR_ONE = 3  # before the next look for many
_CONTROL_BYTES = 64


class Expectation:
    """Whether one datagram is to be expected next, by how many came last."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 0

    def is_one(self) -> bool:
        """Ask before each look."""
        self._left -= 1
        return self._left >= 0

    def came(self, count: int) -> None:
        """Of a look for many."""
        self._left = LOOKS_FOR_ONE if count == 1 else 0


def receive_one(sock: socket.socket, *, coalesced: bool) -> BySender:
    """What waits first, if anything does; a run is given as the datagrams that it is."""
    size = 0
    try:
        if coalesced:
            data, said, _, peer = sock.recvmsg(DATAGRAM_BYTES_MAX, _CONTROL_BYTES)
            if said:
                size = int.from_bytes(said[0][2], sys.byteorder)
        else:
            data, peer = sock.recvfrom(DATAGRAM_BYTES_MAX)
    except (BlockingIOError, InterruptedError):
        return {}
    except OSError as error:
        if error.errno not in TOLD_BY_ICMP:
            raise
        return {}
    if size:
        return {pack_peer(peer): [data[at : at + size] for at in range(0, len(data), size)]}
    return {pack_peer(peer): [data]}


def send_one(sock: socket.socket, data: bytes, name: bytes) -> None:
    """OSError as `sendto` does."""
    sock.sendto(data, read_name(name))
