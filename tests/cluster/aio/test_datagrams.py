"""A UDP endpoint sends, receives, and counts what it loses."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.aio import datagrams, mmsg
from cluster.aio.batch import BySender
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.mmsg import MmsgOutgoing
from cluster.aio.outgoing import ARENA_BYTES, Outgoing, Sent
from cluster.aio.socket_names import pack_name, read_name
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


@pytest.fixture(autouse=True, params=["mmsg", "loop"])
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one system call for many datagrams, and without."""
    if request.param == "loop":
        monkeypatch.setattr(mmsg, "mmsg_works", lambda: False)
        monkeypatch.setattr(mmsg, "segments_work", lambda: False)


class Clog:
    """The kernel takes nothing until it is told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True
        for kind in (Outgoing, MmsgOutgoing):
            monkeypatch.setattr(kind, "_transmit", self._through(kind._transmit))
        monkeypatch.setattr(datagrams, "send_one", self._through(datagrams.send_one))

    def _through(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def transmit(*arguments: Any) -> Any:
            if self.full:
                raise BlockingIOError
            return real(*arguments)

        return transmit


async def test_a_datagram_arrives_with_its_senders_address(
    opened: Callable[..., Mailbox],
) -> None:
    near, far = opened(), opened()
    assert near.endpoint.send(b"hello", far.endpoint.address)
    assert await far.next() == (b"hello", near.endpoint.address)
    far.endpoint.send(b"", near.endpoint.address)
    assert await near.next() == (b"", far.endpoint.address)
    assert (near.endpoint.sent, near.endpoint.received, near.endpoint.dropped) == (1, 1, 0)


async def test_datagrams_one_after_the_other_and_bursts_come_in_order(
    opened: Callable[..., Mailbox],
) -> None:
    """Single ones are asked for singly; those that come together after them are not lost."""
    near, far = opened(), opened()
    number = 0
    for together in (1, 1, 1, 1, 1, 3, 1, 1, 90, 1, 2, 1, 1, 1, 1, 1, 70):
        words = [b"%d" % each for each in range(number, number + together)]
        for word in words:
            near.endpoint.send(word, far.endpoint.address)
        assert [(await far.next())[0] for _ in words] == words
        number += together
    assert far.endpoint.received == near.endpoint.sent == number


async def test_a_burst_is_received_whole(opened: Callable[..., Mailbox]) -> None:
    near, far = opened(), opened()
    for number in range(200):
        near.endpoint.send(b"%d" % number, far.endpoint.address)
    assert [(await far.next())[0] for _ in range(200)] == [b"%d" % n for n in range(200)]


async def test_what_cannot_leave_at_once_waits_in_order(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = opened(), opened()
    clog = Clog(monkeypatch)
    for word in (b"one", b"two"):
        assert near.endpoint.send(word, far.endpoint.address)
    assert near.endpoint.sent == 0
    clog.full = False
    assert near.endpoint.send(b"three", far.endpoint.address)
    assert [(await far.next())[0] for _ in range(3)] == [b"one", b"two", b"three"]
    assert near.endpoint.sent == 3


async def test_a_full_queue_drops_the_newest_and_counts_it(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = opened(queue_datagrams_max=2), opened()
    Clog(monkeypatch)
    kept = [near.endpoint.send(b"%d" % number, far.endpoint.address) for number in range(4)]
    assert kept == [True, True, False, False]
    assert near.endpoint.dropped == 2
    near.endpoint.close()
    assert near.endpoint.dropped == 4


async def test_a_run_that_finds_no_room_is_kept_as_far_as_there_is(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = opened(queue_datagrams_max=3), opened()
    clog = Clog(monkeypatch)
    words = [b"1", b"2", b"3", b"4", b"5"]
    assert near.endpoint.send_all(b"", words, pack_name(far.endpoint.address)) == 3
    clog.full = False
    assert [(await far.next())[0] for _ in range(3)] == words[:3]
    assert (near.endpoint.sent, near.endpoint.dropped) == (3, 2)


async def test_what_is_sent_while_a_batch_is_worked_on_leaves_together(
    opened: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that is sent alone waits for the end of the turn."""
    flushed: list[int] = []
    real, real_one = Outgoing.flush, datagrams.send_one

    def counted(self: Outgoing, sock: socket.socket) -> Sent:
        flushed.append(len(self))
        return real(self, sock)

    def counted_one(sock: socket.socket, data: bytes, name: bytes) -> None:
        flushed.append(1)
        real_one(sock, data, name)

    monkeypatch.setattr(Outgoing, "flush", counted)
    monkeypatch.setattr(datagrams, "send_one", counted_one)
    client = opened()
    server = DatagramEndpoint(LOOPBACK, lambda data, peer: server.send(data.upper(), peer))
    client.endpoint.send(b"a", server.address)
    assert flushed == [1]
    for word in (b"b", b"c", b"d"):
        client.endpoint.send(word, server.address)
    assert flushed == [1]
    await asyncio.sleep(0)  # the turn ends
    assert flushed == [1, 3]
    server.start()
    assert [(await client.next())[0] for _ in range(4)] == [b"A", b"B", b"C", b"D"]
    assert flushed == [1, 3, 4]
    server.close()


async def test_runs_come_as_the_datagrams_that_they_are_by_their_senders() -> None:
    came: asyncio.Queue[BySender] = asyncio.Queue()
    receiver = DatagramEndpoint(LOOPBACK, on_batch=came.put_nowait, coalesced=True)
    senders = [DatagramEndpoint(LOOPBACK) for _ in range(2)]
    expected: dict[SocketAddress, list[bytes]] = {}
    for number, sender in enumerate(senders):
        payloads = [b"%d %d" % (number, each % 30) for each in range(200)]
        assert sender.send_all(b"head ", payloads, pack_name(receiver.address)) == 200
        expected[sender.address] = [b"head " + each for each in payloads]
    receiver.start()
    got: dict[SocketAddress, list[bytes]] = {}
    while got != expected:
        for name, some in (await asyncio.wait_for(came.get(), 10)).items():
            got.setdefault(read_name(name), []).extend(some)
    assert receiver.received == 400
    for each in (receiver, *senders):
        each.close()


async def test_a_datagram_that_no_memory_holds_is_dropped_and_those_around_it_leave(
    opened: Callable[..., Mailbox],
) -> None:
    near, far = opened(), opened()
    words = (b"one", bytes(ARENA_BYTES + 1), b"three")
    assert near.endpoint.send_all(b"", words, pack_name(far.endpoint.address)) == 2
    assert [(await far.next())[0] for _ in range(2)] == [b"one", b"three"]
    assert near.endpoint.dropped == 1


async def test_a_handler_that_fails_does_not_keep_what_was_sent_before() -> None:
    """The loop is told of the failure; what was gathered leaves all the same."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def fail(data: bytes, peer: SocketAddress) -> None:
        server.send(data, peer)
        raise RuntimeError("no")

    server, client = DatagramEndpoint(LOOPBACK, fail), Mailbox()
    server.start()
    client.endpoint.send(b"x", server.address)
    assert (await client.next())[0] == b"x"
    assert str(told[0]["exception"]) == "no"
    for each in (server, client.endpoint):
        each.close()


async def test_what_the_kernel_refuses_is_dropped_and_counted(
    opened: Callable[..., Mailbox],
) -> None:
    near, far = opened(), opened()
    near.endpoint.send(bytes(65508), far.endpoint.address)
    assert near.endpoint.dropped == 1
    near.endpoint.send(b"still here", far.endpoint.address)
    assert (await far.next())[0] == b"still here"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
async def test_what_the_kernels_queue_has_no_room_for_is_counted(
    opened: Callable[..., Mailbox],
) -> None:
    near = opened()
    far = DatagramEndpoint(LOOPBACK, lambda *_: None)
    far._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for number in range(200):
        near.endpoint.send(b"%d" % number, far.address)
        near.endpoint.flush()
    overflowed = far.overflowed
    assert 0 < overflowed < 200 and far.lost == overflowed + far.dropped
    far.close()
    assert far.lost == overflowed


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
    came: list[bytes] = []

    def once(data: bytes, _: SocketAddress) -> None:
        came.append(data)
        endpoint.close()
        closed.set()

    endpoint = DatagramEndpoint(LOOPBACK, once)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(b"x", endpoint.address)
    endpoint.start()
    await asyncio.wait_for(closed.wait(), 10)
    assert came == [b"x"]
