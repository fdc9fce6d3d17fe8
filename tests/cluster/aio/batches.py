"""Sockets for tests of batches: both kinds of batch are held to the same."""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator

from cluster.aio.batch import Batch
from cluster.aio.mmsg import RUN_BYTES_MAX, MmsgBatch, MmsgOutgoing
from cluster.aio.outgoing import Outgoing
from cluster.aio.socket_names import pack_name
from cluster.wire.addresses import SocketAddress

KINDS: tuple[type[Batch], ...] = (Batch, MmsgBatch)
WAYS_OUT: dict[str, Callable[[], Outgoing]] = {
    "loop": Outgoing,
    "mmsg": lambda: MmsgOutgoing(0),
    "segments": lambda: MmsgOutgoing(RUN_BYTES_MAX),
}
HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@contextlib.contextmanager
def bound(family: socket.AddressFamily, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        socks = [
            stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(count)
        ]
        for sock in socks:
            sock.setblocking(False)
            sock.bind((HOSTS[family], 0))
        yield socks


def name_of(sock: socket.socket) -> bytes:
    return pack_name(SocketAddress(*sock.getsockname()[:2]))


def arrived(batch: Batch, sock: socket.socket) -> list[tuple[bytes, bytes]]:
    """What one `receive` gives, once something is there."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    assert poll.poll(10_000), "no datagram came"
    batch.receive(sock)
    return list(batch.datagrams())
