"""A UDP endpoint on a raw non-blocking socket: bounded queue, drops counted, batches of reads.

What comes in waits in the kernel's queue, what cannot go out at once in ours; UDP may lose both,
and here it says how often.
"""

import asyncio
import errno
import logging
import socket
from collections import deque
from collections.abc import Callable

from cluster.aio.streams import address_of, close, family_of, outside
from cluster.wire.addresses import SocketAddress

log = logging.getLogger(__name__)

QUEUE_DATAGRAMS_MAX = 1024
READ_BATCH = 64
DATAGRAM_BYTES_MAX = 65535
KERNEL_BUFFER_BYTES = 4 * 1024 * 1024  # the kernel gives what it allows

OnDatagram = Callable[[bytes, SocketAddress], None]


class DatagramEndpoint:
    """Sends and receives datagrams at one address."""

    def __init__(
        self,
        address: SocketAddress,
        on_datagram: OnDatagram,
        *,
        queue_datagrams_max: int = QUEUE_DATAGRAMS_MAX,
    ) -> None:
        """Bind; OSError if the address may not be had. `start` begins to receive."""
        self._on_datagram = on_datagram
        self._queue: deque[tuple[bytes, SocketAddress]] = deque()
        self._queue_datagrams_max = queue_datagrams_max
        self._sock = _bound(address)
        self.address = address_of(self._sock)
        self.received = 0
        self.sent = 0
        self.dropped = 0  # not sent: the queue was full, or the kernel refused

    def start(self) -> None:
        """Receive from now on."""
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)

    def send(self, data: bytes, address: SocketAddress) -> bool:
        """Send now or soon; False when it was dropped."""
        if self._sock.fileno() < 0:
            return self._drop(data, address, "the endpoint is closed")
        if not self._queue and self._try(data, address):
            return True
        if len(self._queue) >= self._queue_datagrams_max:
            return self._drop(data, address, f"{len(self._queue)} datagrams wait already")
        if not self._queue:
            asyncio.get_running_loop().add_writer(self._sock.fileno(), self._writable)
        self._queue.append((data, address))
        return True

    def close(self) -> None:
        """Stop; what waits is dropped."""
        self.dropped += len(self._queue)
        self._queue.clear()
        close(self._sock)

    def _try(self, data: bytes, address: SocketAddress) -> bool:
        """Whether the datagram is off our hands."""
        try:
            outside(self._sock.sendto, data, address)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._drop(data, address, error.strerror or str(error))
            return True
        self.sent += 1
        return True

    def _drop(self, data: bytes, address: SocketAddress, reason: str) -> bool:
        self.dropped += 1
        log.debug("datagram dropped to=%s bytes=%d reason=%s", address, len(data), reason)
        return False

    def _writable(self) -> None:
        while self._queue and self._try(*self._queue[0]):
            self._queue.popleft()
        if not self._queue:
            asyncio.get_running_loop().remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        for _ in range(READ_BATCH):
            if self._sock.fileno() < 0:
                return
            try:
                data, peer = self._sock.recvfrom(DATAGRAM_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno != errno.ECONNREFUSED:  # an ICMP answer to something we sent
                    raise
                continue
            self.received += 1
            self._on_datagram(data, SocketAddress(peer[0], peer[1]))


def _bound(address: SocketAddress) -> socket.socket:
    sock = socket.socket(family_of(address.ip), socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, KERNEL_BUFFER_BYTES)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock
