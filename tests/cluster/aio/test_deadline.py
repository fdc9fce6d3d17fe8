"""Waits end when the socket is ready, or when the time of all of them together is up."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from cluster.aio.deadline import Deadline, Expired

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


async def test_a_socket_with_bytes_is_readable(pair: Pair) -> None:
    near, far = pair
    waiting = asyncio.ensure_future(Deadline(10).until_readable(near))
    await asyncio.sleep(0)
    assert not waiting.done()
    far.send(b"now")
    await waiting
    assert near.recv(3) == b"now"


async def test_a_socket_with_room_is_writable(pair: Pair) -> None:
    near, _ = pair
    await Deadline(10).until_writable(near)


async def test_nothing_is_waited_for_beyond_the_end(pair: Pair) -> None:
    near, far = pair
    deadline = Deadline(0.01)
    with pytest.raises(Expired):
        await deadline.until_readable(near)
    with pytest.raises(Expired):
        await deadline.until_readable(near)
    far.send(b"late")
    await asyncio.sleep(0)
    assert not asyncio.get_running_loop().remove_reader(near.fileno()), "nobody watches it still"


async def test_a_cancelled_wait_watches_no_longer(pair: Pair) -> None:
    near, _ = pair
    waiting = asyncio.ensure_future(Deadline(10).until_readable(near))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not asyncio.get_running_loop().remove_reader(near.fileno())


async def test_a_socket_closed_meanwhile_is_left_alone(pair: Pair) -> None:
    near, _ = pair
    loop = asyncio.get_running_loop()
    waiting = asyncio.ensure_future(Deadline(10).until_readable(near))
    await asyncio.sleep(0)
    loop.remove_reader(near.fileno())
    near.close()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
