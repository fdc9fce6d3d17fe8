"""A TCP listener that accepts in batches and hands raw sockets on.

When descriptors run out it pauses for a moment instead of spinning; `pause` leaves connections in
the kernel's queue, which is how whoever is full says so. `silence` makes the kernel itself drop
each SYN: a queue of length zero, filled by a connection of our own.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from cluster.aio.streams import BACKLOG, address_of, close, family_of, listen, outside, stream
from cluster.wire.addresses import SocketAddress

log = logging.getLogger(__name__)

ACCEPT_BATCH = 64
FILLERS_MAX = 256  # one is enough on Linux; other systems round a queue of zero up
EXHAUSTED_PAUSE_SECONDS = 0.1
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

OnSocket = Callable[[socket.socket, SocketAddress], None]
Turn = Callable[[], None]


def nothing() -> None:
    """Nobody wants to know."""


class Listener:
    """Accepts connections; each goes to `on_socket` with its peer's address, non-blocking.

    `before` and `after` are called around those that are accepted together.
    """

    def __init__(
        self,
        address: SocketAddress,
        on_socket: OnSocket,
        *,
        backlog: int = BACKLOG,
        before: Turn = nothing,
        after: Turn = nothing,
    ) -> None:
        """Bind and listen; OSError if the address may not be had. Nothing is accepted yet."""
        self._on_socket = on_socket
        self._before = before
        self._after = after
        self._backlog = backlog
        self._sock = listen(address, backlog)
        self._ip_version = 6 if self._sock.family == socket.AF_INET6 else 4
        self.address = address_of(self._sock)
        self._accepting = False
        self._retry: asyncio.TimerHandle | None = None
        self._fillers: dict[SocketAddress, socket.socket] = {}

    def start(self) -> None:
        """Accept from now on; again is fine."""
        if self._sock.fileno() >= 0 and not self._accepting:
            self._accepting = True
            if self._fillers:
                self._sock.listen(self._backlog)
            asyncio.get_running_loop().add_reader(self._sock.fileno(), self._accept_all)

    def pause(self) -> None:
        """Leave new connections in the kernel's queue until `start`."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._accepting:
            self._accepting = False
            asyncio.get_running_loop().remove_reader(self._sock.fileno())

    def silence(self) -> bool:
        """Answer no handshake until `start`; False where the kernel cannot be brought to that."""
        self.pause()
        self._sock.listen(0)
        target = self.address
        if target.ip in _ANY:
            target = SocketAddress(_ANY[target.ip], target.port)
        return any(self._fill(target) for _ in range(FILLERS_MAX - len(self._fillers)))

    def _fill(self, target: SocketAddress) -> bool:
        """Put one connection of our own into the queue; whether it was full already."""
        filler = socket.socket(family_of(target.ip), socket.SOCK_STREAM)
        filler.setblocking(False)
        outside(filler.connect_ex, target)
        full = outside(filler.connect_ex, target) not in (0, errno.EISCONN)
        if full:
            filler.close()
        else:
            self._fillers[address_of(filler)] = filler
        return full

    def close(self) -> None:
        """Stop listening; what was accepted lives on, what was not is reset by the kernel."""
        self.pause()
        close(self._sock)
        for filler in self._fillers.values():
            filler.close()
        self._fillers.clear()

    def _accept_all(self) -> None:
        self._before()
        try:
            self._accept()
        finally:
            self._after()

    def _accept(self) -> None:
        accept = self._sock._accept  # type: ignore[attr-defined]  # `accept` less its conversions
        for _ in range(ACCEPT_BATCH):
            if not self._accepting:
                return
            try:
                descriptor, peer = accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # the client left while it was queued
                continue
            except OSError as error:
                self._cannot_accept(error)
                return
            sock = stream(descriptor, self._ip_version)
            address = SocketAddress(peer[0], peer[1])
            filler = self._fillers.pop(address, None)
            if filler is not None:
                filler.close()
                sock.close()
                continue
            sock.setblocking(False)
            self._on_socket(sock, address)

    def _cannot_accept(self, error: OSError) -> None:
        if error.errno not in _EXHAUSTED:
            raise error
        log.warning(
            "cannot accept, pausing listener=%s pause_seconds=%s error=%s: "
            "raise the limit of open files (ulimit -n)",
            self.address,
            EXHAUSTED_PAUSE_SECONDS,
            error.strerror,
        )
        self.pause()
        loop = asyncio.get_running_loop()
        self._retry = loop.call_later(EXHAUSTED_PAUSE_SECONDS, self.start)
