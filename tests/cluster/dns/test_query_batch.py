"""Queries that come together and their answers, on real sockets."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.aio.mmsg import mmsg_works
from cluster.dns import query_batch
from cluster.dns.query_batch import QueryBatch
from cluster.wire.addresses import SocketAddress

pytestmark = pytest.mark.skipif(not mmsg_works(), reason="this machine has no such calls")


class Answer:
    """What the table gives."""

    def __init__(self, rest: bytes) -> None:
        self.rest = rest


class Ends:
    """A server's socket and its clients."""

    def __init__(self, ip: str, family: int) -> None:
        self.server = socket.socket(family, socket.SOCK_DGRAM)
        self.server.setblocking(False)
        self.server.bind((ip, 0))
        self.clients = []
        for _ in range(3):
            client = socket.socket(family, socket.SOCK_DGRAM)
            client.settimeout(10)
            client.connect(self.server.getsockname())
            self.clients.append(client)

    def address(self, number: int) -> SocketAddress:
        return SocketAddress(*self.clients[number].getsockname()[:2])

    def close(self) -> None:
        for sock in (self.server, *self.clients):
            sock.close()


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def ends(request: Any) -> Iterator[Ends]:
    made = Ends(*request.param)
    yield made
    made.close()


def answered(batch: QueryBatch, known: dict[bytes, bytes]) -> list[Any]:
    table = {key: Answer(rest) for key, rest in known.items()}
    return batch.answer(table.get)  # type: ignore[arg-type]


def test_each_query_gets_its_answer_under_its_own_id(ends: Ends) -> None:
    """D-100."""
    batch = QueryBatch(ends.server.family)
    for turn in range(3):
        for number, client in enumerate(ends.clients):
            client.send(bytes((turn, number)) + b"question" * (3 - number))
        assert batch.receive(ends.server) == 3
        known = {b"question" * n: b"answer" * (9 - 4 * n) or b"-" for n in (1, 2, 3)}
        found = answered(batch, known)
        assert batch.others == [] and len(found) == 3
        peer = batch.peers()
        assert [peer(n) for n in range(3)] == [ends.address(n) for n in range(3)]
        assert batch.send(ends.server) == 0
        for number, client in enumerate(ends.clients):
            expected = known[b"question" * (3 - number)]
            assert client.recv(4096) == bytes((turn, number)) + expected


def test_what_is_not_known_is_left_to_the_caller(ends: Ends) -> None:
    batch = QueryBatch(ends.server.family)
    long = b"x" * query_batch.SLOT_BYTES
    sent = [(0, b"1?what"), (1, b"2?long"), (2, b"3?know"), (0, b""), (1, b"4"), (2, b"5?know")]
    for number, data in sent:
        ends.clients[number].send(data)
    assert batch.receive(ends.server) == 6
    found = answered(batch, {b"know": b"known", b"long": long})
    assert len(found) == 2 and batch.others == [0, 1, 3, 4]
    assert [batch.query(n) for n in batch.others] == [b"1?what", b"2?long", b"", b"4"]
    assert [batch.peer(n) for n in batch.others] == [ends.address(n) for n in (0, 1, 0, 1)]
    peer = batch.peers()
    assert [peer(0), peer(1)] == [ends.address(2)] * 2
    assert batch.send(ends.server) == 0
    assert [ends.clients[2].recv(100) for _ in range(2)] == [b"3?known", b"5?known"]
    ends.clients[0].send(b"6?know")
    assert batch.receive(ends.server) == 1
    answered(batch, {b"know": b"known"})
    assert batch.others == [] and batch.send(ends.server) == 0
    assert ends.clients[0].recv(100) == b"6?known"


def test_a_batch_is_bounded_and_a_long_query_is_cut_off(ends: Ends) -> None:
    batch = QueryBatch(ends.server.family)
    for _ in range(query_batch.BATCH_QUERIES + 1):
        ends.clients[0].send(b"??more")
    ends.clients[1].send(b"??" + b"x" * 4000)
    assert batch.receive(ends.server) == query_batch.BATCH_QUERIES
    assert batch.receive(ends.server) == 2
    answered(batch, {})
    assert len(batch.query(1)) == query_batch.SLOT_BYTES
    with pytest.raises(BlockingIOError):
        batch.receive(ends.server)


@pytest.mark.parametrize("takes_singly", [True, False])
def test_what_the_kernel_does_not_take_is_sent_singly_or_counted(
    ends: Ends, takes_singly: bool
) -> None:
    batch = QueryBatch(ends.server.family)
    for client in (ends.clients[0], *ends.clients):
        client.send(b"??know")
    assert batch.receive(ends.server) == 4
    answered(batch, {b"know": b"known"})
    refusing: Any = Refusing(ends.server, takes_singly)
    lost = 2 if batch._cuts else 1
    assert batch.send(refusing) == (0 if takes_singly else lost)
    for client in ends.clients[0 if takes_singly else 1 :]:
        assert client.recv(100) == b"??known"


class Refusing:
    """A socket that is none for the first call."""

    def __init__(self, sock: socket.socket, takes_singly: bool) -> None:
        self._sock = sock
        self._calls = 0
        self._takes_singly = takes_singly

    def fileno(self) -> int:
        self._calls += 1
        return -1 if self._calls == 1 else self._sock.fileno()

    def sendto(self, data: bytes, address: Any) -> int:
        if not self._takes_singly:
            raise BlockingIOError
        return self._sock.sendto(data, address)


def test_answers_to_one_address_arrive_as_they_are_whatever_their_lengths(ends: Ends) -> None:
    """D-100: cut by the kernel or not."""
    batch = QueryBatch(ends.server.family)
    rests = {number: bytes([number]) * (1 + number * 37 % 9 * 100) for number in range(40)}
    for number in rests:
        ends.clients[number % 3 // 2].send(bytes((0, number, number)))
    for cuts in (batch._cuts, False):
        batch._cuts = cuts
        assert batch.receive(ends.server) == 40, "all are there already"
        answered(batch, {bytes([number]): rest for number, rest in rests.items()})
        assert batch.send(ends.server) == 0
        got = [ends.clients[0].recv(4096) for number in rests if number % 3 < 2]
        got += [ends.clients[1].recv(4096) for number in rests if number % 3 == 2]
        assert sorted(got) == sorted(bytes((0, number)) + rests[number] for number in rests)
        for number in rests:
            ends.clients[number % 3 // 2].send(bytes((0, number, number)))
