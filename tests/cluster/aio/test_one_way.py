"""One way by itself: whose end and whose loss it reports, and what it keeps."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from cluster.aio.one_way import BUFFER_BYTES, OneWay
from cluster.aio.splice import Pipes, splices
from cluster.aio.streams import reset, send_all, unwatch


class Owner:
    """Notes what is reported."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[OneWay] = loop.create_future()
        self.gone: asyncio.Future[socket.socket] = loop.create_future()

    def end_of_file(self, way: OneWay) -> None:
        self.ended.set_result(way)

    def lost(self, sock: socket.socket) -> None:
        unwatch(sock)
        self.gone.set_result(sock)


Ends = tuple[socket.socket, socket.socket, socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """writer, source, sink, reader"""
    four = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as door:
            near = socket.create_connection(door.getsockname())
            far, _ = door.accept()
        four += [near, far]
    for sock in four:
        sock.setblocking(False)
    yield four[0], four[1], four[2], four[3]
    for sock in four:
        sock.close()


async def read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, count), 10)
    return data


async def test_the_end_of_the_source_is_reported_behind_its_bytes(ends: Ends) -> None:
    writer, source, sink, reader = ends
    owner = Owner()
    way = OneWay(owner, None, source, sink)
    way.start()
    await send_all(writer, b"the last word")
    writer.close()
    assert await asyncio.wait_for(owner.ended, 10) is way
    assert way.bytes == 13
    assert await read(reader, 13) == b"the last word"


async def test_the_lost_socket_is_named(ends: Ends) -> None:
    writer, source, sink, reader = ends
    first, second = Owner(), Owner()
    OneWay(first, None, source, sink).start()
    reset(writer)
    assert await asyncio.wait_for(first.gone, 10) is source
    unwatch(source)
    back = OneWay(second, None, sink, source)
    back.start()
    await send_all(reader, b"to whom?")
    assert await asyncio.wait_for(second.gone, 10) is source
    unwatch(sink)


@pytest.mark.skipif(not splices(), reason="this system does not splice")
async def test_only_many_bytes_borrow_a_pipe_and_only_while_they_move(ends: Ends) -> None:
    writer, source, sink, reader = ends
    pipes = Pipes()
    borrowed: list[int] = []
    lend = pipes.lend

    def noting() -> object:
        borrowed.append(pipes.lent)
        return lend()

    pipes.lend = noting  # type: ignore[method-assign, assignment]
    way = OneWay(Owner(), pipes, source, sink)
    way.start()
    await send_all(writer, b"few")
    assert await read(reader, 3) == b"few"
    assert not borrowed
    many = bytes(range(256)) * (BUFFER_BYTES // 64)
    writing = asyncio.ensure_future(send_all(writer, many))
    assert await read(reader, len(many)) == many
    await writing
    assert set(borrowed) == {0}
    assert pipes.lent == 0
    unwatch(source)
    way.stop()
    pipes.close()
