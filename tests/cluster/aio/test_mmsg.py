"""The two calls for many datagrams are used where they do what they should, and only there."""

import socket
import sys
from collections.abc import Iterator

import pytest

from cluster.aio import mmsg, mmsg_calls
from cluster.aio.batch import Batch
from cluster.aio.mmsg import (
    MmsgBatch,
    MmsgOutgoing,
    coalesce,
    mmsg_works,
    open_batch,
    open_outgoing,
    segments_work,
)
from cluster.aio.outgoing import Outgoing
from tests.cluster.aio.batches import arrived, bound, name_of


@pytest.fixture(autouse=True)
def tried_anew() -> Iterator[None]:
    for each in (mmsg_works, segments_work):
        each.cache_clear()
    yield
    for each in (mmsg_works, segments_work):
        each.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has both calls")
def test_linux_has_the_calls() -> None:
    assert type(open_batch(socket.AF_INET)) is MmsgBatch
    assert type(open_outgoing()) is MmsgOutgoing


def test_a_c_library_without_them_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise AttributeError("undefined symbol: recvmmsg")

    monkeypatch.setattr(mmsg_calls, "_calls", missing)
    assert type(open_batch(socket.AF_INET)) is Batch
    assert type(open_outgoing()) is Outgoing
    assert not segments_work()


def test_calls_that_mean_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a structure is laid out otherwise: something is said to be sent, nothing comes."""
    monkeypatch.setattr(mmsg_calls, "_calls", lambda: (lambda *_: 2, lambda *_: 2))
    assert type(open_batch(socket.AF_INET)) is Batch


def test_a_kernel_that_cuts_no_runs_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows no such option: nothing is coalesced, each datagram is a message of its own."""
    monkeypatch.setattr(mmsg, "COALESCE", 9999)
    assert not segments_work()
    outgoing = open_outgoing()
    with bound(socket.AF_INET, 1) as (sock,):
        batch = open_batch(sock.family, capacity=4, coalesced=coalesce(sock))
        outgoing.add(b"", (b"one", b"two"), name_of(sock))
        assert [run.count for run in outgoing._runs] == [1, 1]
        assert outgoing.flush(sock).sent == 2
        assert [data for data, _ in arrived(batch, sock)] == [b"one", b"two"]


def test_a_run_is_given_as_the_datagrams_that_it_is() -> None:
    if not segments_work():
        pytest.skip("this kernel cuts no runs")
    outgoing = open_outgoing()
    with bound(socket.AF_INET, 3) as (receiver, one, two):
        batch = open_batch(receiver.family, capacity=4, coalesced=coalesce(receiver))
        for sender, words in ((one, (b"a", b"b", b"c")), (two, (b"whole",)), (one, (b"d", b"e"))):
            outgoing.add(b"", words, name_of(receiver))
            outgoing.flush(sender)
        assert batch.receive(receiver) == 3
        assert batch.by_sender() == {
            name_of(one): [b"a", b"b", b"c", b"d", b"e"],
            name_of(two): [b"whole"],
        }


def test_a_batch_has_the_room_that_was_asked_for() -> None:
    batch = open_batch(socket.AF_INET, capacity=7, datagram_bytes_max=100)
    assert (batch.capacity, batch.datagram_bytes_max) == (7, 100)
