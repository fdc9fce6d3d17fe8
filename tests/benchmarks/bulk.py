"""Bulk transfers, every byte counted at both ends: to the pods' sink, from their source.

python -m tests.benchmarks.bulk up|down IP PORT CONNECTIONS SECONDS     prints what came of it
"""

import json
import selectors
import socket
import sys
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from tests.benchmarks.pods import BLOCK, TOTAL

CONNECTIONS_MAX = 16
SECONDS_MAX = 10.0
ANSWER_SECONDS = 10.0
STOP = b"."


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it."""

    size: int  # bytes
    seconds: float
    lost: int  # connections that were reset, or whose ends do not agree on how much it was


class _Transfer(ABC):
    """One connection."""

    event: int

    def __init__(self, sock: socket.socket) -> None:
        self.size = 0
        self._sock = sock

    @abstractmethod
    def act(self) -> None:
        """Move what can be moved at once."""

    @abstractmethod
    def is_whole(self) -> bool:
        """End it, waiting for the other end; whether that agrees."""


class _Upload(_Transfer):
    event = selectors.EVENT_WRITE
    _block = memoryview(bytes(BLOCK))

    def act(self) -> None:
        self.size += self._sock.send(self._block)

    def is_whole(self) -> bool:
        self._sock.shutdown(socket.SHUT_WR)
        said = b""
        while data := self._sock.recv(BLOCK):
            said += data
        return said == TOTAL.pack(self.size)


class _Download(_Transfer):
    event = selectors.EVENT_READ
    _into = memoryview(bytearray(BLOCK))

    def act(self) -> None:
        self.size += self._sock.recv_into(self._into)

    def is_whole(self) -> bool:
        self._sock.send(STOP)
        said = b""
        while got := self._sock.recv_into(self._into):
            self.size += got
            said = (said + self._into[:got].tobytes())[-TOTAL.size :]
        self.size -= TOTAL.size
        return said == TOTAL.pack(self.size)


WAYS: dict[str, type[_Transfer]] = {"up": _Upload, "down": _Download}


def move(way: str, address: tuple[str, int], connections: int, seconds: float) -> Moved:
    """Move bytes for so long, and then until both ends agree on how many they were."""
    if not address[0].startswith("127."):
        raise ValueError(f"{address[0]} is not of this machine")
    if connections > CONNECTIONS_MAX or seconds > SECONDS_MAX:
        raise ValueError(f"{connections} connections for {seconds} s: too many")
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        transfers = []
        for _ in range(connections):
            sock = stack.enter_context(socket.create_connection(address, ANSWER_SECONDS))
            transfers.append(WAYS[way](sock))
            sock.setblocking(False)
            selector.register(sock, WAYS[way].event, transfers[-1])
        began = time.perf_counter()
        lost = _pump(selector, began + seconds)
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.settimeout(ANSWER_SECONDS)
            lost += not _whole(key.data)
        took = time.perf_counter() - began
    return Moved(sum(each.size for each in transfers), took, lost)


def _pump(selector: selectors.BaseSelector, ends: float) -> int:
    """Move until the time is up; how many connections were lost."""
    lost = 0
    while time.perf_counter() < ends and selector.get_map():
        for key, _ in selector.select(1):
            try:
                key.data.act()
            except BlockingIOError:
                continue
            except OSError:
                selector.unregister(key.fileobj)
                lost += 1
    return lost


def _whole(transfer: _Transfer) -> bool:
    try:
        return transfer.is_whole()
    except OSError:
        return False


if __name__ == "__main__":
    way, ip, port, connections, seconds = sys.argv[1:]
    print(json.dumps(asdict(move(way, (ip, int(port)), int(connections), float(seconds)))))
