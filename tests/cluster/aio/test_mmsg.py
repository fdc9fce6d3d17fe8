"""The two calls for many datagrams are used where they do what they should, and only there."""

import socket
import sys
from collections.abc import Iterator

import pytest

from cluster.aio import mmsg
from cluster.aio.batch import Batch
from cluster.aio.mmsg import MmsgBatch, mmsg_works, open_batch


@pytest.fixture(autouse=True)
def tried_anew() -> Iterator[None]:
    mmsg_works.cache_clear()
    yield
    mmsg_works.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has both calls")
def test_linux_has_the_calls() -> None:
    assert type(open_batch(socket.AF_INET)) is MmsgBatch


def test_a_c_library_without_them_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise AttributeError("undefined symbol: recvmmsg")

    monkeypatch.setattr(mmsg, "_calls", missing)
    assert type(open_batch(socket.AF_INET)) is Batch


def test_calls_that_mean_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a structure is laid out otherwise: something is said to be sent, nothing comes."""
    monkeypatch.setattr(mmsg, "_calls", lambda: (lambda *_: 2, lambda *_: 2))
    assert type(open_batch(socket.AF_INET)) is Batch


def test_a_batch_has_the_room_that_was_asked_for() -> None:
    batch = open_batch(socket.AF_INET, capacity=7, datagram_bytes_max=100)
    assert (batch.capacity, batch.datagram_bytes_max) == (7, 100)
