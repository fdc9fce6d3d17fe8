"""A UDP endpoint sends, receives, and counts what it loses."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from cluster.aio.datagrams import DatagramEndpoint
from cluster.wire.addresses import SocketAddress

LOOPBACK = SocketAddress("127.0.0.1", 0)


class Mailbox:
    """An endpoint and what it received."""

    def __init__(self, **options: int) -> None:
        self.received: asyncio.Queue[tuple[bytes, SocketAddress]] = asyncio.Queue()
        self.endpoint = DatagramEndpoint(
            LOOPBACK, lambda data, peer: self.received.put_nowait((data, peer)), **options
        )
        self.endpoint.start()

    async def next(self) -> tuple[bytes, SocketAddress]:
        return await asyncio.wait_for(self.received.get(), 10)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Mailbox]]:
    made: list[Mailbox] = []

    def make(**options: int) -> Mailbox:
        made.append(Mailbox(**options))
        return made[-1]

    yield make
    for each in made:
        each.endpoint.close()


class Clogged:
    """A socket whose kernel queue is full until it is told otherwise."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.full = True

    def sendto(self, data: bytes, address: SocketAddress) -> int:
        if self.full:
            raise BlockingIOError
        return self._real.sendto(data, address)

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()


async def test_a_datagram_arrives_with_its_senders_address(
    opened: Callable[..., Mailbox],
) -> None:
    near, far = opened(), opened()
    assert near.endpoint.send(b"hello", far.endpoint.address)
    assert await far.next() == (b"hello", near.endpoint.address)
    far.endpoint.send(b"", near.endpoint.address)
    assert await near.next() == (b"", far.endpoint.address)
    assert (near.endpoint.sent, near.endpoint.received, near.endpoint.dropped) == (1, 1, 0)


async def test_a_burst_is_received_whole(opened: Callable[..., Mailbox]) -> None:
    near, far = opened(), opened()
    for number in range(200):
        near.endpoint.send(b"%d" % number, far.endpoint.address)
    assert [(await far.next())[0] for _ in range(200)] == [b"%d" % n for n in range(200)]


async def test_what_cannot_leave_at_once_waits_in_order(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = opened(), opened()
    clogged = Clogged(near.endpoint._sock)
    monkeypatch.setattr(near.endpoint, "_sock", clogged)
    for word in (b"one", b"two"):
        assert near.endpoint.send(word, far.endpoint.address)
    assert near.endpoint.sent == 0
    clogged.full = False
    assert near.endpoint.send(b"three", far.endpoint.address)
    assert [(await far.next())[0] for _ in range(3)] == [b"one", b"two", b"three"]


async def test_a_full_queue_drops_the_newest_and_counts_it(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = opened(queue_datagrams_max=2), opened()
    monkeypatch.setattr(near.endpoint, "_sock", Clogged(near.endpoint._sock))
    kept = [near.endpoint.send(b"%d" % number, far.endpoint.address) for number in range(4)]
    assert kept == [True, True, False, False]
    assert near.endpoint.dropped == 2
    near.endpoint.close()
    assert near.endpoint.dropped == 4


async def test_what_the_kernel_refuses_is_dropped_and_counted(
    opened: Callable[..., Mailbox],
) -> None:
    near, far = opened(), opened()
    near.endpoint.send(bytes(65508), far.endpoint.address)
    assert near.endpoint.dropped == 1
    near.endpoint.send(b"still here", far.endpoint.address)
    assert (await far.next())[0] == b"still here"


async def test_nobody_listening_does_no_harm(opened: Callable[..., Mailbox]) -> None:
    near, far, gone = opened(), opened(), opened()
    gone.endpoint.close()
    near.endpoint.send(b"anybody?", gone.endpoint.address)
    near.endpoint.send(b"hello", far.endpoint.address)
    assert (await far.next())[0] == b"hello"


async def test_a_closed_endpoint_sends_nothing(opened: Callable[..., Mailbox]) -> None:
    near, far = opened(), opened()
    near.endpoint.close()
    assert not near.endpoint.send(b"too late", far.endpoint.address)
    assert near.endpoint.dropped == 1


async def test_an_endpoint_may_close_while_it_receives() -> None:
    closed = asyncio.Event()

    def once(_: bytes, __: SocketAddress) -> None:
        endpoint.close()
        closed.set()

    endpoint = DatagramEndpoint(LOOPBACK, once)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(b"x", endpoint.address)
    endpoint.start()
    await asyncio.wait_for(closed.wait(), 10)
    assert endpoint.received == 1
