"""Datagrams in batches arrive unaltered, in order, whoever makes the calls."""

import errno
import socket
from random import Random

import pytest

from cluster.aio.batch import Batch
from tests.cluster.aio.batches import HOSTS, KINDS, arrived, bound, name_of

FAMILIES = (socket.AF_INET, socket.AF_INET6)


@pytest.fixture(params=FAMILIES, ids=["ipv4", "ipv6"])
def family(request: pytest.FixtureRequest) -> socket.AddressFamily:
    if request.param is socket.AF_INET6:
        try:
            with bound(request.param, 1):
                pass
        except OSError:
            pytest.skip("this machine has no IPv6")
    return socket.AddressFamily(request.param)


@pytest.fixture(params=KINDS, ids=["loop", "mmsg"])
def kind(request: pytest.FixtureRequest) -> type[Batch]:
    chosen: type[Batch] = request.param
    return chosen


def sent(batch: Batch, sock: socket.socket, end: int) -> None:
    first = 0
    while first < end:
        first += batch.send(sock, first, end)


def test_datagrams_arrive_unaltered_in_order_with_their_senders_names(
    kind: type[Batch], family: socket.AddressFamily
) -> None:
    dice = Random(7)
    batch = kind(family, capacity=5)
    with bound(family, 4) as (receiver, *senders):
        for _ in range(12):
            sent: list[tuple[bytes, bytes]] = []
            for _ in range(dice.randint(1, 16)):
                sender, data = dice.choice(senders), dice.randbytes(dice.choice((0, 1, 20, 900)))
                sender.sendto(data, receiver.getsockname())
                sent.append((data, name_of(sender)))
            got: list[tuple[bytes, bytes]] = []
            while len(got) < len(sent):
                got += arrived(batch, receiver)
            assert got == sent
            assert batch.receive(receiver) == 0


def test_what_came_is_given_by_sender_in_order(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET)
    with bound(socket.AF_INET, 3) as (receiver, one, two):
        for sender, data in ((one, b"1"), (two, b"2"), (one, b"3"), (one, b""), (two, b"4")):
            sender.sendto(data, receiver.getsockname())
        arrived(batch, receiver)
        assert batch.by_sender() == {
            name_of(one): [b"1", b"3", b""],
            name_of(two): [b"2", b"4"],
        }


def test_a_batch_takes_no_more_than_it_has_room_for(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET, capacity=3)
    with bound(socket.AF_INET, 2) as (sender, receiver):
        for number in range(4):
            sender.sendto(b"%d" % number, receiver.getsockname())
        assert [data for data, _ in arrived(batch, receiver)] == [b"0", b"1", b"2"]
        assert [data for data, _ in arrived(batch, receiver)] == [b"3"]
        assert (batch.payload(0), batch.name(0)) == (b"3", name_of(sender))


def test_nothing_waiting_is_an_empty_batch(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET)
    with bound(socket.AF_INET, 1) as (sock,):
        assert batch.receive(sock) == 0
        assert list(batch.datagrams()) == []


def test_an_answer_goes_back_behind_the_bytes_that_are_kept(
    kind: type[Batch], family: socket.AddressFamily
) -> None:
    server, client = kind(family, capacity=4), kind(family)
    with bound(family, 3) as (server_sock, *clients):
        for each in clients:
            for query in (b"\x00\x01ask", b"\x00\x02ask me more"):
                each.sendto(query, server_sock.getsockname())
        assert len(arrived(server, server_sock)) == 4
        for index in range(4):
            server.answer(index, 2, b"a longer answer than the question")
        sent(server, server_sock, 4)
        for each in clients:
            assert [data for data, _ in arrived(client, each)] == [
                b"\x00\x01a longer answer than the question",
                b"\x00\x02a longer answer than the question",
            ]


def test_a_batch_that_answered_has_all_its_room_again(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET, capacity=2, datagram_bytes_max=64)
    with bound(socket.AF_INET, 2) as (client, server):
        client.sendto(b"??", server.getsockname())
        arrived(batch, server)
        batch.answer(0, 1, b"!")
        sent(batch, server, 1)
        client.sendto(b"x" * 64, server.getsockname())
        assert arrived(batch, server) == [(b"x" * 64, name_of(client))]


def test_answers_may_be_sent_for_some_only(kind: type[Batch]) -> None:
    batch, client = kind(socket.AF_INET, capacity=3), kind(socket.AF_INET)
    with bound(socket.AF_INET, 2) as (asking, server):
        for number in range(3):
            asking.sendto(b"%d" % number, server.getsockname())
        arrived(batch, server)
        batch.answer(1, 1, b" is it")
        assert batch.send(server, 1, 2) == 1
        assert arrived(client, asking) == [(b"1 is it", name_of(server))]


def test_a_datagram_that_is_too_long_is_dropped_and_counted(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET, capacity=4, datagram_bytes_max=8)
    with bound(socket.AF_INET, 2) as (sender, receiver):
        for data in (b"in front", b"too long!", b"x" * 900, b"behind"):
            sender.sendto(data, receiver.getsockname())
        assert [data for data, _ in arrived(batch, receiver)] == [b"in front", b"behind"]
    assert batch.truncated == 2


def test_an_answer_is_no_longer_than_a_slot(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET, capacity=2, datagram_bytes_max=8)
    with pytest.raises(ValueError, match="9 bytes, a slot has 8"):
        batch.answer(1, 2, b"answers")


def test_the_first_answer_that_cannot_be_sent_says_why_the_others_are_sent(
    kind: type[Batch],
) -> None:
    batch, incoming = kind(socket.AF_INET, capacity=3), kind(socket.AF_INET)
    with bound(socket.AF_INET, 2) as (asking, server):
        for number in range(3):
            asking.sendto(b"%d" % number, server.getsockname())
        arrived(batch, server)
        for index, size in enumerate((2, 65508, 4)):  # UDP over IPv4 carries 65507 bytes
            batch.answer(index, 1, bytes(size - 1))
        assert batch.send(server, 0, 3) == 1
        with pytest.raises(OSError) as refused:
            batch.send(server, 1, 3)
        assert refused.value.errno == errno.EMSGSIZE
        assert batch.send(server, 2, 3) == 1
        got: list[bytes] = []
        while len(got) < 2:
            got += [data for data, _ in arrived(incoming, asking)]
        assert got == [b"0\0", b"2\0\0\0"]


def test_what_icmp_says_of_what_was_sent_is_counted(kind: type[Batch]) -> None:
    """A connected socket hears of it at its next call; what comes is received all the same."""
    batch = kind(socket.AF_INET)
    with bound(socket.AF_INET, 2) as (sock, peer):
        there = peer.getsockname()
        sock.connect(there)
        peer.close()
        sock.send(b"anybody?")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(there)
            again.sendto(b"late", sock.getsockname())
            assert [data for data, _ in arrived(batch, sock)] == [b"late"]
    assert batch.refused == 1


def test_a_socket_that_is_closed_is_an_error(kind: type[Batch]) -> None:
    batch = kind(socket.AF_INET)
    with bound(socket.AF_INET, 1) as (sock,):
        sock.close()
        with pytest.raises(OSError):
            batch.receive(sock)
        with pytest.raises(OSError):
            batch.send(sock, 0, 1)


def test_a_blocking_socket_is_not_waited_for_where_mmsg_is_used() -> None:
    batch = KINDS[1](socket.AF_INET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOSTS[socket.AF_INET], 0))
        assert batch.receive(sock) == 0
