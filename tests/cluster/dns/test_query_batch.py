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


def test_an_answer_that_cannot_be_sent_stops_no_other(ends: Ends) -> None:
    batch = QueryBatch(ends.server.family)
    for client in ends.clients:
        client.send(b"??know")
    assert batch.receive(ends.server) == 3
    answered(batch, {b"know": b"known"})
    broken = Refusing(ends.server)
    assert batch.send(broken) == 1  # type: ignore[arg-type]
    assert [each.recv(100) for each in ends.clients[1:]] == [b"??known"] * 2


class Refusing:
    """A socket that is none for the first call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._calls = 0

    def fileno(self) -> int:
        self._calls += 1
        return -1 if self._calls == 1 else self._sock.fileno()
