"""Two connections joined: bytes, half-close, back-pressure, resets."""

import asyncio
import contextlib
import socket

import pytest

from node_agent.kubelet.relay import joined


class Former(asyncio.Protocol):
    """Who held the transport before."""

    def __init__(self):
        self.lost = None

    def connection_lost(self, error):
        self.lost = (error,)


@pytest.fixture
async def ends():
    """near client <-> relay <-> far server, all on loopback; the relay's task; the former owner."""
    loop = asyncio.get_running_loop()
    former = Former()
    accepted = loop.create_future()

    def made():
        return former

    former.connection_made = accepted.set_result
    front = await loop.create_server(made, "127.0.0.1", 0)
    far_listener = socket.create_server(("127.0.0.1", 0))
    far_listener.setblocking(False)
    near = await asyncio.open_connection(*front.sockets[0].getsockname())
    sock = socket.socket()
    sock.setblocking(False)
    await loop.sock_connect(sock, far_listener.getsockname())
    far_sock, _ = await loop.sock_accept(far_listener)
    far = await asyncio.open_connection(sock=far_sock)
    relay = asyncio.create_task(joined(await accepted, sock, greeting=b"hello\n"))
    assert await near[0].readline() == b"hello\n"
    yield near, far, relay, former
    for _, writer in (near, far):
        writer.transport.abort()
    relay.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await relay
    front.close()
    far_listener.close()


async def test_bytes_pass_both_ways(ends):
    (near_reader, near_writer), (far_reader, far_writer), _, _ = ends
    near_writer.write(b"ping")
    assert await far_reader.readexactly(4) == b"ping"
    far_writer.write(b"pong")
    assert await near_reader.readexactly(4) == b"pong"


async def test_one_way_may_end_while_the_other_goes_on(ends):
    (near_reader, near_writer), (far_reader, far_writer), relay, former = ends
    near_writer.write(b"question")
    near_writer.write_eof()
    assert await far_reader.read() == b"question"
    far_writer.write(b"answer")
    far_writer.write_eof()
    assert await near_reader.read() == b"answer"
    await relay
    assert former.lost == (None,)


async def test_the_far_side_may_end_first(ends):
    (near_reader, near_writer), (far_reader, far_writer), relay, _ = ends
    far_writer.write_eof()
    assert await near_reader.read() == b""
    near_writer.write(b"still here")
    near_writer.write_eof()
    assert await far_reader.read() == b"still here"
    await relay


async def test_a_reset_is_passed_on_as_a_reset(ends):
    (near_reader, _), (_, far_writer), relay, _ = ends
    sock = far_writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    far_writer.transport.abort()
    with pytest.raises(ConnectionResetError):
        await near_reader.read()
    await relay


async def test_a_slow_reader_stops_the_writer_and_nothing_is_lost(ends):
    (near_reader, near_writer), (_, far_writer), relay, _ = ends
    data = bytes(range(256)) * 4 * 4096  # 4 MiB: more than all buffers on the way
    far_writer.write(data)
    far_writer.write_eof()
    assert far_writer.transport.get_write_buffer_size() > 0
    near_writer.write_eof()
    assert await near_reader.read() == data
    await relay


async def test_a_relay_that_is_cancelled_closes_both_ends(ends):
    (near_reader, _), (far_reader, _), relay, _ = ends
    relay.cancel()
    with contextlib.suppress(ConnectionResetError):
        assert await near_reader.read() == b""
    with contextlib.suppress(ConnectionResetError):
        assert await far_reader.read() == b""
