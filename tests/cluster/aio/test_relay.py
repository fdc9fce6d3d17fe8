"""A relay is not seen: bytes, half-closes and resets pass in both directions."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from cluster.aio.relay import EndedBy, RelayResult, Relays, relay
from cluster.aio.streams import listen, reset, send_all
from cluster.errors import PoolExhausted
from cluster.wire.addresses import SocketAddress

Pair = tuple[socket.socket, socket.socket]
MEGABYTE = 1 << 20
BUFFER_BYTES = 1 << 18  # smaller than one packet of loopback would be slow for its own reasons


def connected(buffer_bytes: int | None = None) -> Pair:
    with listen(SocketAddress("127.0.0.1", 0)) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    for sock in (near, far):
        sock.setblocking(False)
        if buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    return near, far


class Joined:
    """client - a = relay = b - server."""

    def __init__(self, relays: Relays | None = None, name: str = "") -> None:
        self.client, self.a = connected()
        self.b, self.server = connected()
        work = (
            relays.join(self.a, self.b, name=name) if relays is not None else relay(self.a, self.b)
        )
        self.done: asyncio.Task[RelayResult] = asyncio.ensure_future(work)

    def close(self) -> None:
        for sock in (self.client, self.a, self.b, self.server):
            sock.close()


@pytest.fixture
async def join() -> AsyncIterator[Callable[..., Joined]]:
    made: list[Joined] = []

    def make(relays: Relays | None = None, name: str = "") -> Joined:
        made.append(Joined(relays, name))
        return made[-1]

    yield make
    for each in made:
        each.done.cancel()
        await asyncio.wait([each.done])
        each.close()


async def receive(sock: socket.socket, count: int = 65536) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, count), 10)


async def drain(sock: socket.socket) -> bytes:
    data = bytearray()
    while chunk := await receive(sock):
        data += chunk
    return bytes(data)


async def ended(joined: Joined) -> RelayResult:
    result = await asyncio.wait_for(joined.done, 10)
    assert joined.a.fileno() == joined.b.fileno() == -1
    return result


async def test_bytes_pass_both_ways_and_are_counted(join: Callable[..., Joined]) -> None:
    joined = join()
    await send_all(joined.client, b"request")
    assert await receive(joined.server) == b"request"
    await send_all(joined.server, b"the response")
    assert await receive(joined.client) == b"the response"
    joined.client.close()
    assert await receive(joined.server) == b""
    joined.server.close()
    assert await ended(joined) == RelayResult(7, 12, EndedBy.CLIENT)


async def test_a_half_close_of_the_client_leaves_the_answer_its_way(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    await send_all(joined.client, b"question")
    joined.client.shutdown(socket.SHUT_WR)
    assert await drain(joined.server) == b"question"
    await send_all(joined.server, b"answer" * 50000)
    joined.server.close()
    assert await drain(joined.client) == b"answer" * 50000
    assert (await ended(joined)).ended_by is EndedBy.CLIENT


async def test_a_half_close_of_the_server_leaves_the_client_its_way(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    joined.server.shutdown(socket.SHUT_WR)
    assert await receive(joined.client) == b""
    await send_all(joined.client, b"still talking")
    joined.client.close()
    assert await drain(joined.server) == b"still talking"
    assert (await ended(joined)).ended_by is EndedBy.SERVER


async def test_a_reset_of_the_client_is_a_reset_for_the_server(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    await asyncio.sleep(0)
    reset(joined.client)
    with pytest.raises(ConnectionResetError):
        await receive(joined.server)
    assert (await ended(joined)).ended_by is EndedBy.CLIENT_RESET


async def test_a_reset_of_the_server_is_a_reset_for_the_client(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    await asyncio.sleep(0)
    reset(joined.server)
    with pytest.raises(ConnectionResetError):
        await receive(joined.client)
    assert (await ended(joined)).ended_by is EndedBy.SERVER_RESET


async def test_a_reset_after_a_half_close_is_passed_on_with_the_next_bytes(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    joined.client.shutdown(socket.SHUT_WR)
    assert await receive(joined.server) == b""
    reset(joined.client)
    await send_all(joined.server, b"anybody?")
    assert (await ended(joined)).ended_by is EndedBy.CLIENT_RESET
    with pytest.raises(BrokenPipeError):  # what Linux says where the end of file was read before
        await send_all(joined.server, b"nobody")


async def test_a_server_that_leaves_unread_bytes_behind_resets_the_client(
    join: Callable[..., Joined],
) -> None:
    joined = join()
    await send_all(joined.client, b"unwanted")
    await asyncio.wait_for(_arrived(joined.server), 10)
    joined.server.close()
    with pytest.raises(ConnectionResetError):
        await receive(joined.client)
    await ended(joined)


async def _arrived(sock: socket.socket) -> None:
    ready = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(sock.fileno(), lambda: ready.done() or _done(ready))
    await ready
    asyncio.get_running_loop().remove_reader(sock.fileno())


def _done(future: asyncio.Future[None]) -> None:
    future.set_result(None)


async def test_a_slow_reader_slows_the_writer_and_nothing_is_lost() -> None:
    client, a = connected(buffer_bytes=BUFFER_BYTES)
    b, server = connected(buffer_bytes=BUFFER_BYTES)
    done = asyncio.ensure_future(relay(a, b))
    data = hashlib.shake_128(b"bulk").digest(16 * MEGABYTE)
    taken = 0

    async def write() -> None:
        nonlocal taken
        view = memoryview(data)
        loop = asyncio.get_running_loop()
        while taken < len(data):
            await loop.sock_sendall(client, view[taken : taken + 65536])
            taken += 65536
        client.shutdown(socket.SHUT_WR)

    writing = asyncio.ensure_future(write())
    try:
        before = -1
        while before != taken:  # until a whole pause passes in which nothing more is taken
            before = taken
            await asyncio.sleep(0.05)
        assert taken < 8 * MEGABYTE, "whoever writes is stopped while nobody reads"
        got = bytearray()
        while chunk := await receive(server):
            got += chunk
        await asyncio.wait_for(writing, 10)
        assert bytes(got) == data
        server.close()
        result = await asyncio.wait_for(done, 10)
        assert result == RelayResult(len(data), 0, EndedBy.CLIENT)
    finally:
        for sock in (client, a, b, server):
            sock.close()


async def test_bulk_flows_both_ways_at_once(join: Callable[..., Joined]) -> None:
    joined = join()
    up, down = (hashlib.shake_128(name).digest(3 * MEGABYTE) for name in (b"up", b"down"))

    async def talk(sock: socket.socket, data: bytes) -> bytes:
        async def write() -> None:
            await send_all(sock, data)
            sock.shutdown(socket.SHUT_WR)

        _, got = await asyncio.gather(write(), drain(sock))
        return got

    got_down, got_up = await asyncio.gather(talk(joined.client, up), talk(joined.server, down))
    assert got_up == up
    assert got_down == down
    result = await ended(joined)
    assert (result.bytes_forward, result.bytes_back) == (len(up), len(down))


async def test_a_cancelled_relay_resets_both_ends(join: Callable[..., Joined]) -> None:
    joined = join()
    await asyncio.sleep(0)
    joined.done.cancel()
    for sock in (joined.client, joined.server):
        with pytest.raises(ConnectionResetError):
            await receive(sock)
    assert joined.a.fileno() == joined.b.fileno() == -1


async def test_two_hundred_relays_carry_at_once(join: Callable[..., Joined]) -> None:
    relays = Relays()
    many = [join(relays, str(number)) for number in range(200)]

    async def visit(number: int, joined: Joined) -> None:
        message = b"%d:" % number * 1000
        await send_all(joined.client, message)
        joined.client.shutdown(socket.SHUT_WR)
        heard = await drain(joined.server)
        await send_all(joined.server, heard)
        joined.server.close()
        assert await drain(joined.client) == message
        joined.client.close()
        result = await ended(joined)
        assert result.bytes_forward == result.bytes_back == len(message)

    await asyncio.gather(*(visit(number, joined) for number, joined in enumerate(many)))
    assert len(relays) == 0


async def test_relays_are_known_by_name_and_killed_by_name(join: Callable[..., Joined]) -> None:
    relays = Relays()
    first, second = join(relays, "first"), join(relays, "second")
    await asyncio.sleep(0)
    assert relays.names() == ["first", "second"]
    assert relays.kill(lambda name: name == "first") == 1
    with pytest.raises(ConnectionResetError):
        await receive(first.client)
    assert (await ended(first)).ended_by is EndedBy.KILLED
    await send_all(second.client, b"unharmed")
    assert await receive(second.server) == b"unharmed"
    relays.close()
    assert (await ended(second)).ended_by is EndedBy.KILLED
    assert len(relays) == 0


async def test_one_relay_too_many_is_reset_and_says_why(join: Callable[..., Joined]) -> None:
    relays = Relays(relays_max=1)
    join(relays, "first")
    await asyncio.sleep(0)
    second = join(relays, "second")
    with pytest.raises(PoolExhausted, match=r"1 connections are relayed already: second was reset"):
        await second.done
    with pytest.raises(ConnectionResetError):
        await receive(second.client)
    relays.close()


async def test_a_reset_while_bytes_are_waiting_ends_the_relay() -> None:
    client, a = connected()
    b, server = connected(buffer_bytes=BUFFER_BYTES)
    done = asyncio.ensure_future(relay(a, b))
    flood = asyncio.ensure_future(send_all(client, bytes(8 * MEGABYTE)))
    await _arrived(server)
    reset(server)
    try:
        assert (await asyncio.wait_for(done, 10)).ended_by is EndedBy.SERVER_RESET
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            await asyncio.wait_for(flood, 10)
    finally:
        client.close()
