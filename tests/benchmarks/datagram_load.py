"""Sends datagrams one way, so many in flight; or one at a time, there and back.

python -m tests.benchmarks.datagram_load FROM_PORT IP PORT BYTES WINDOW SECONDS     prints what came

All datagrams are the same bytes, and as many as the window has room for leave by one system call,
each on its own: so the sender costs little, and is the same for everybody. In flight is what the
sink has not yet said to have counted; if it says nothing for a while, what is missing is lost.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

from cluster.aio.mmsg_calls import NAME_BYTES_MAX, Messages
from cluster.aio.socket_names import pack_name
from cluster.wire.addresses import SocketAddress
from tests.benchmarks.datagram_sink import ACKNOWLEDGED, COUNT, COUNTED, ECHOED, TOTAL

QUIET_MILLISECONDS = 300
ASKED_MAX = 10
WARM = 256
SECONDS_MAX = 10.0
KERNEL_BUFFER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it."""

    delivered: int
    seconds: float
    lost: int


class Window:
    """One sender, and what its sink has said."""

    def __init__(
        self, address: tuple[str, int], size: int, window: int, *, from_port: int = 0
    ) -> None:
        if window < ACKNOWLEDGED * 2 or not address[0].startswith("127."):
            raise ValueError(f"a window of {window} to {address} is not measured")
        self._sock = _connected(address, from_port)
        self._window, self._size = window, size
        self._messages = _same(COUNTED.ljust(size, b"."), window, address)
        self._poll = select.poll()
        self._poll.register(self._sock, select.POLLIN)
        self.lost = 0
        self.counted = self.sent = self._before()

    def _before(self) -> int:
        """What the sink has counted of this address in an earlier run."""
        for _ in range(ASKED_MAX):
            self._sock.send(TOTAL)
            if self._poll.poll(QUIET_MILLISECONDS):
                found: int = COUNT.unpack(self._sock.recv(COUNT.size))[0]
                return found
        raise RuntimeError("the sink does not answer")

    def run(self, seconds: float) -> Sent:
        """Send for so long, then see what arrived."""
        self._turn(time.perf_counter(), WARM)
        self.settle()
        began, before = time.perf_counter(), self.counted
        self._turn(began + min(seconds, SECONDS_MAX), 0)
        self.settle()
        took = time.perf_counter() - began
        return Sent(self.counted - before, took, self.lost)

    def _turn(self, ends: float, least: int) -> None:
        until = self.sent + least
        while time.perf_counter() < ends or self.sent < until:
            room = self._window - (self.sent - self.counted - self.lost)
            if room >= ACKNOWLEDGED:
                self.sent += self._messages.send(self._sock, 0, room)
            elif not self._heard():
                self.settle()

    def _heard(self) -> bool:
        """Whether the sink said something, before it was quiet for too long."""
        if not self._poll.poll(QUIET_MILLISECONDS):
            return False
        while True:
            try:
                (total,) = COUNT.unpack(self._sock.recv(COUNT.size))
            except BlockingIOError:
                return True
            self.counted = max(self.counted, total)

    def settle(self) -> None:
        """Ask until nothing more comes; what is missing then is lost."""
        for _ in range(ASKED_MAX):
            self._sock.send(TOTAL)
            before = self.counted
            if self._heard() and self.counted in (before, self.sent - self.lost):
                break
        self.lost = self.sent - self.counted

    def close(self) -> None:
        """Let go."""
        self._sock.close()


def round_trips(address: tuple[str, int], size: int, count: int) -> list[float]:
    """How long each took, one after the other, seconds; one that is lost takes for ever."""
    data, took = ECHOED.ljust(size, b"."), []
    with _connected(address) as sock:
        sock.settimeout(QUIET_MILLISECONDS / 1000)
        for _ in range(count):
            began = time.perf_counter()
            sock.send(data)
            try:
                answer = sock.recv(size + 1)
            except TimeoutError:
                answer = b""
            took.append(time.perf_counter() - began if answer == data else float("inf"))
    return took


def half_and_99(took: Sequence[float]) -> tuple[float, float]:
    """Of those that came back."""
    back = [each for each in took if each != float("inf")]
    return median(back), quantiles(back, n=100)[98]


def _connected(address: tuple[str, int], from_port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", from_port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
    sock.connect(address)
    sock.setblocking(False)
    return sock


def _same(data: bytes, count: int, address: tuple[str, int]) -> Messages:
    """So many messages of the same bytes."""
    name = pack_name(SocketAddress(*address))
    names = bytearray(name.ljust(NAME_BYTES_MAX, b"\0") * count)
    messages = Messages(count, bytearray(data), names, NAME_BYTES_MAX)
    for index in range(count):
        messages.bytes_at(index, 0, len(data))
        messages.name_length(index, len(name))
    return messages


def main() -> int:
    """The command."""
    from_port, ip, port, size, window, seconds = sys.argv[1:]
    address = ip, int(port)
    sender = Window(address, int(size), int(window), from_port=int(from_port))
    print(json.dumps(asdict(sender.run(float(seconds)))))
    sender.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
