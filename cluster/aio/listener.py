"""A TCP listener that accepts in batches and hands raw sockets on.

When descriptors run out it pauses for a moment instead of spinning; `pause` leaves connections in
the kernel's queue, which is how whoever is full says so.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from cluster.aio.streams import BACKLOG, address_of, close, listen
from cluster.wire.addresses import SocketAddress

log = logging.getLogger(__name__)

ACCEPT_BATCH = 64
EXHAUSTED_PAUSE_SECONDS = 0.1
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

OnSocket = Callable[[socket.socket, SocketAddress], None]


class Listener:
    """Accepts connections; each goes to `on_socket` with its peer's address, non-blocking."""

    def __init__(
        self, address: SocketAddress, on_socket: OnSocket, *, backlog: int = BACKLOG
    ) -> None:
        """Bind and listen; OSError if the address may not be had. Nothing is accepted yet."""
        self._on_socket = on_socket
        self._sock = listen(address, backlog)
        self.address = address_of(self._sock)
        self._accepting = False
        self._retry: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept from now on; again is fine."""
        if self._sock.fileno() >= 0 and not self._accepting:
            self._accepting = True
            asyncio.get_running_loop().add_reader(self._sock.fileno(), self._accept)

    def pause(self) -> None:
        """Leave new connections in the kernel's queue until `start`."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._accepting:
            self._accepting = False
            asyncio.get_running_loop().remove_reader(self._sock.fileno())

    def close(self) -> None:
        """Stop listening; what was accepted lives on, what was not is reset by the kernel."""
        self.pause()
        close(self._sock)

    def _accept(self) -> None:
        for _ in range(ACCEPT_BATCH):
            if not self._accepting:
                return
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # the client left while it was queued
                continue
            except OSError as error:
                self._cannot_accept(error)
                return
            sock.setblocking(False)
            self._on_socket(sock, SocketAddress(peer[0], peer[1]))

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
