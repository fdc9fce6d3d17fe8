"""One way by itself: whose end and whose loss it reports, and what it keeps."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from cluster.aio.one_way import BUFFER_BYTES, End, OneWay
from cluster.aio.splice import Pipes, splices
from cluster.aio.streams import reset, send_all
from cluster.aio.watching import Watch


class Owner:
    """Notes what is reported."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[OneWay] = loop.create_future()
        self.gone: asyncio.Future[socket.socket] = loop.create_future()

    def end_of_file(self, way: OneWay) -> None:
        self.ended.set_result(way)

    def lost(self, sock: socket.socket) -> None:
        self.gone.set_result(sock)


class Ends:
    """writer - source = way = sink - reader"""

    def __init__(self) -> None:
        self.writer, source = connected()
        sink, self.reader = connected()
        self.source = End(source, Watch(source.fileno()))
        self.sink = End(sink, Watch(sink.fileno()))

    def close(self) -> None:
        for end in (self.source, self.sink):
            end.watch.stop()
            end.sock.close()
        self.writer.close()
        self.reader.close()


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    near.setblocking(False)
    far.setblocking(False)
    return near, far


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    made.close()


async def read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, count), 10)
    return data


async def test_the_end_of_the_source_is_reported_behind_its_bytes(ends: Ends) -> None:
    owner = Owner()
    way = OneWay(owner, None, ends.source, ends.sink)
    way.start()
    await send_all(ends.writer, b"the last word")
    ends.writer.close()
    assert await asyncio.wait_for(owner.ended, 10) is way
    assert way.bytes == 13
    assert await read(ends.reader, 13) == b"the last word"


async def test_the_lost_socket_is_named(ends: Ends) -> None:
    first, second = Owner(), Owner()
    OneWay(first, None, ends.source, ends.sink).start()
    reset(ends.writer)
    assert await asyncio.wait_for(first.gone, 10) is ends.source.sock
    ends.source.watch.stop()
    OneWay(second, None, ends.sink, ends.source).start()
    await send_all(ends.reader, b"to whom?")
    assert await asyncio.wait_for(second.gone, 10) is ends.source.sock


@pytest.mark.skipif(not splices(), reason="this system does not splice")
async def test_only_many_bytes_borrow_a_pipe_and_only_while_they_move(ends: Ends) -> None:
    pipes = Pipes()
    borrowed: list[int] = []
    lend = pipes.lend

    def noting() -> object:
        borrowed.append(pipes.lent)
        return lend()

    pipes.lend = noting  # type: ignore[method-assign, assignment]
    way = OneWay(Owner(), pipes, ends.source, ends.sink)
    way.start()
    await send_all(ends.writer, b"few")
    assert await read(ends.reader, 3) == b"few"
    assert not borrowed
    many = bytes(range(256)) * (BUFFER_BYTES // 64)
    writing = asyncio.ensure_future(send_all(ends.writer, many))
    assert await read(ends.reader, len(many)) == many
    await writing
    assert set(borrowed) == {0}
    assert pipes.lent == 0
    way.stop()
    pipes.close()
