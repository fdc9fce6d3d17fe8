"""A datagram alone is what a batch would have given; a look for many comes in between."""

import socket
import sys

import pytest

from cluster.aio.lone_datagrams import LOOKS_FOR_ONE, Expectation, receive_one, send_one
from cluster.aio.mmsg import coalesce, open_batch, segments_work
from cluster.aio.mmsg_calls import SEGMENT
from tests.cluster.aio.batches import bound, name_of


@pytest.mark.parametrize("coalesced", [False, True])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_datagram_comes_under_the_name_that_a_batch_gives(
    family: socket.AddressFamily, coalesced: bool
) -> None:
    with bound(family, 2) as (sender, receiver):
        batch = open_batch(family, coalesced=coalesced and coalesce(receiver))
        for data in (b"hello", b""):
            for _ in range(2):
                send_one(sender, data, name_of(receiver))
            alone = receive_one(receiver, coalesced=coalesced)
            assert batch.receive(receiver) == 1
            assert alone == batch.by_sender() == {name_of(sender): [data]}
        assert receive_one(receiver, coalesced=coalesced) == {}


def test_a_run_that_comes_alone_is_the_datagrams_that_it_is() -> None:
    if not segments_work():
        pytest.skip("this kernel cuts no runs")
    with bound(socket.AF_INET, 2) as (sender, receiver):
        assert coalesce(receiver)
        words = [b"one", b"two", b"6"]
        said = [(socket.IPPROTO_UDP, SEGMENT, (3).to_bytes(2, sys.byteorder))]
        sender.sendmsg([b"".join(words)], said, 0, receiver.getsockname())
        assert receive_one(receiver, coalesced=True) == {name_of(sender): words}


def test_what_icmp_says_is_nothing_that_came() -> None:
    with bound(socket.AF_INET, 2) as (sock, peer):
        sock.connect(peer.getsockname())
        peer.close()
        sock.send(b"anybody?")
        assert receive_one(sock, coalesced=False) == {}


def test_a_socket_that_is_closed_is_an_error() -> None:
    with bound(socket.AF_INET, 1) as (sock,):
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            receive_one(sock, coalesced=False)


def test_one_is_expected_after_one_and_many_are_looked_for_again_and_again() -> None:
    expectation = Expectation()
    assert not expectation.is_one()
    for _ in range(2):
        expectation.came(1)
        assert [expectation.is_one() for _ in range(LOOKS_FOR_ONE + 1)] == [
            *[True] * LOOKS_FOR_ONE,
            False,
        ]
    for count in (0, 2, 64):
        expectation.came(count)
        assert not expectation.is_one()
