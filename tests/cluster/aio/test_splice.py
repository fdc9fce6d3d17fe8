"""Pipes are lent, bounded, and never lent again with bytes of another connection in them."""

import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.aio import splice
from cluster.aio.splice import PIPE_BYTES_MIN, Pipe, Pipes, splices

pytestmark = pytest.mark.skipif(not splices(), reason="this system does not splice")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pool = Pipes(lent_max=2, kept_max=1)
    yield pool
    pool.close()


def lent(pipes: Pipes) -> Pipe:
    pipe = pipes.lend()
    assert pipe is not None
    return pipe


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_bytes_go_in_and_out(pipes: Pipes, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    pipe = lent(pipes)
    near.send(b"hello")
    assert pipe.fill(far.fileno()) == pipe.holds == 5
    assert pipe.drain(far.fileno()) == 5
    assert pipe.holds == 0
    assert near.recv(10) == b"hello"
    with pytest.raises(BlockingIOError):
        pipe.fill(far.fileno())
    near.close()
    assert pipe.fill(far.fileno()) == 0, "the end of file"
    pipes.give_back(pipe)


def test_an_empty_pipe_is_lent_again(pipes: Pipes) -> None:
    pipe = lent(pipes)
    pipes.give_back(pipe)
    assert lent(pipes) is pipe
    pipes.give_back(pipe)


def test_a_pipe_with_bytes_in_it_is_closed_and_never_lent_again(
    pipes: Pipes, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    before = descriptors()
    pipe = lent(pipes)
    near.send(b"secret")
    pipe.fill(far.fileno())
    pipes.give_back(pipe)
    assert descriptors() == before
    other = lent(pipes)
    assert other is not pipe
    near.send(b"mine")
    other.fill(far.fileno())
    other.drain(far.fileno())
    assert near.recv(20) == b"mine"
    pipes.give_back(other)


def test_no_more_than_the_bound_are_lent_and_kept(pipes: Pipes) -> None:
    before = descriptors()
    first, second = lent(pipes), lent(pipes)
    assert pipes.lend() is None
    pipes.give_back(first)
    pipes.give_back(second)
    assert pipes.lent == 0
    assert descriptors() == before + 2, "one is kept"
    pipes.close()
    assert descriptors() == before


def test_a_user_with_much_in_pipes_gets_a_smaller_one(
    pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.fcntl

    def refuses(fd: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETPIPE_SZ:
            raise PermissionError("pipe-user-pages-soft")
        return real(fd, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refuses)
    pipe = lent(pipes)
    assert pipe.capacity == PIPE_BYTES_MIN, "what Linux makes if it is asked for nothing"
    pipes.give_back(pipe)


def test_a_pipe_too_small_to_pay_is_not_lent(pipes: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    monkeypatch.setattr(splice, "PIPE_BYTES", 4096)
    assert pipes.lend() is None
    assert pipes.lent == 0
    assert descriptors() == before


def test_without_descriptors_none_is_lent(pipes: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(flags: int) -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe2", none_left)
    assert pipes.lend() is None
    assert pipes.lent == 0


def test_a_system_that_refuses_to_splice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    assert splices.__wrapped__() is True

    def refused(*_: object, **__: object) -> int:
        raise PermissionError("a sandbox")

    monkeypatch.setattr(os, "splice", refused)
    assert splices.__wrapped__() is False
    monkeypatch.delattr(os, "splice")
    assert splices.__wrapped__() is False
    assert descriptors() == before
