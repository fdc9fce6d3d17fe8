"""A relay is not seen: bytes, half-closes and resets pass in both directions."""

import asyncio
import hashlib
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.aio import relay
from cluster.aio.relay import EndedBy, RelayResult, Relays
from cluster.aio.splice import Pipes, splices
from cluster.aio.streams import listen, reset, send_all, until_readable, until_writable
from cluster.errors import PoolExhausted
from cluster.wire.addresses import SocketAddress

Pair = tuple[socket.socket, socket.socket]
MEGABYTE = 1 << 20
BUFFER_BYTES = 1 << 18  # smaller than one packet of loopback would be slow for its own reasons
TECHNIQUES = {"copy": False, **({"splice": True} if splices() else {})}


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


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Joined:
    """client - a = relay = b - server."""

    def __init__(self, relays: Relays, name: str = "", buffer_bytes: int | None = None) -> None:
        self.client, self.a = connected(buffer_bytes)
        self.b, self.server = connected(buffer_bytes)
        self.done: asyncio.Task[RelayResult] = asyncio.ensure_future(
            relays.join(self.a, self.b, name=name)
        )

    def close(self) -> None:
        for sock in (self.client, self.a, self.b, self.server):
            sock.close()


@pytest.fixture(params=list(TECHNIQUES.values()), ids=list(TECHNIQUES))
def splicing(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def relays(splicing: bool) -> Iterator[Relays]:
    made = Relays(splicing=splicing)
    yield made
    made.close()


@pytest.fixture
async def join(relays: Relays) -> AsyncIterator[Callable[..., Joined]]:
    made: list[Joined] = []

    def make(
        name: str = "", *, among: Relays | None = None, buffer_bytes: int | None = None
    ) -> Joined:
        made.append(Joined(relays if among is None else among, name, buffer_bytes))
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
    await asyncio.wait_for(until_readable(joined.server), 10)
    joined.server.close()
    with pytest.raises(ConnectionResetError):
        await receive(joined.client)
    await ended(joined)


async def stuffed(sock: socket.socket, data: bytes) -> int:
    """How many bytes can be written until a whole pause passes in which none is taken."""
    view, taken = memoryview(data), 0
    while True:
        try:
            while taken < len(view):
                taken += sock.send(view[taken : taken + 65536])
            return taken
        except BlockingIOError:
            try:
                await asyncio.wait_for(until_writable(sock), 0.05)
            except TimeoutError:
                return taken


async def test_a_slow_reader_slows_the_writer_and_nothing_is_lost(
    join: Callable[..., Joined],
) -> None:
    joined = join(buffer_bytes=BUFFER_BYTES)
    data = hashlib.shake_128(b"bulk").digest(16 * MEGABYTE)
    taken = await stuffed(joined.client, data)
    assert taken < 8 * MEGABYTE, "whoever writes is stopped while nobody reads"

    async def write() -> None:
        await send_all(joined.client, data[taken:])
        joined.client.shutdown(socket.SHUT_WR)

    _, got = await asyncio.gather(write(), drain(joined.server))
    assert got == data
    joined.server.close()
    assert await ended(joined) == RelayResult(len(data), 0, EndedBy.CLIENT)


async def test_bytes_that_a_killed_relay_has_kept_reach_nobody_else(
    relays: Relays, join: Callable[..., Joined]
) -> None:
    victim = join("victim", buffer_bytes=BUFFER_BYTES)
    await stuffed(victim.client, b"secret" * MEGABYTE)
    assert relays.kill(lambda name: name == "victim") == 1
    await ended(victim)
    heir = join("heir", buffer_bytes=BUFFER_BYTES)
    data = b"heritage" * MEGABYTE

    async def write() -> None:
        await send_all(heir.client, data)
        heir.client.shutdown(socket.SHUT_WR)

    _, got = await asyncio.gather(write(), drain(heir.server))
    assert got == data


async def test_others_are_served_while_one_is_stopped_by_its_reader(
    join: Callable[..., Joined],
) -> None:
    slow, other = join(buffer_bytes=BUFFER_BYTES), join()
    await stuffed(slow.client, bytes(8 * MEGABYTE))
    await send_all(slow.server, b"the other way")
    assert await receive(slow.client) == b"the other way"
    await send_all(other.client, b"unharmed")
    assert await receive(other.server) == b"unharmed"


async def test_more_are_stopped_than_there_are_pipes(
    monkeypatch: pytest.MonkeyPatch, splicing: bool, join: Callable[..., Joined]
) -> None:
    monkeypatch.setattr(relay, "Pipes", partial(Pipes, lent_max=1))
    few = Relays(splicing=splicing)
    data = hashlib.shake_128(b"pipes").digest(4 * MEGABYTE)
    many = [join(among=few, buffer_bytes=BUFFER_BYTES) for _ in range(4)]
    taken = [await stuffed(each.client, data) for each in many]
    for joined, count in zip(many, taken, strict=True):
        assert count < len(data)

        async def write(sock: socket.socket = joined.client, count: int = count) -> None:
            await send_all(sock, data[count:])
            sock.shutdown(socket.SHUT_WR)

        _, got = await asyncio.gather(write(), drain(joined.server))
        assert got == data
    few.close()


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


async def test_two_hundred_relays_carry_at_once(
    relays: Relays, join: Callable[..., Joined]
) -> None:
    many = [join(str(number)) for number in range(200)]

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


async def test_both_close_at_once(join: Callable[..., Joined]) -> None:
    joined = join()
    await asyncio.sleep(0)
    joined.client.close()
    joined.server.close()
    result = await ended(joined)
    assert result.ended_by in (EndedBy.CLIENT, EndedBy.SERVER)
    assert (result.bytes_forward, result.bytes_back) == (0, 0)


async def test_both_reset_at_once(join: Callable[..., Joined]) -> None:
    joined = join()
    await asyncio.sleep(0)
    reset(joined.client)
    reset(joined.server)
    result = await ended(joined)
    assert result.ended_by in (EndedBy.CLIENT_RESET, EndedBy.SERVER_RESET)


async def test_relays_are_known_by_name_and_killed_by_name(
    relays: Relays, join: Callable[..., Joined]
) -> None:
    first, second = join("first"), join("second")
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


async def test_one_relay_too_many_is_reset_and_says_why(
    splicing: bool, join: Callable[..., Joined]
) -> None:
    few = Relays(relays_max=1, splicing=splicing)
    join("first", among=few)
    await asyncio.sleep(0)
    second = join("second", among=few)
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    expected = (
        f"1 connections are relayed already, the most with a limit of {limit} open files: second "
        r"was reset. Raise that limit \(ulimit -n\) for up to 16384"
    )
    with pytest.raises(PoolExhausted, match=expected):
        await second.done
    with pytest.raises(ConnectionResetError):
        await receive(second.client)
    few.close()


@pytest.mark.parametrize(
    ("limit", "expected"), [(256, 1), (1024, 384), (65536, 16384), (resource.RLIM_INFINITY, 16384)]
)
def test_the_limit_of_open_files_bounds_the_relays(
    limit: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert relay.affordable() == expected


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists descriptors")
async def test_no_descriptor_is_left_behind(splicing: bool) -> None:
    before = descriptors()
    relays = Relays(splicing=splicing)
    for end in (reset, socket.socket.close):
        for _ in range(3):
            joined = Joined(relays, buffer_bytes=BUFFER_BYTES)
            await stuffed(joined.client, bytes(4 * MEGABYTE))
            end(joined.client)
            end(joined.server)
            await ended(joined)
            joined.close()
    relays.close()
    assert descriptors() == before


async def test_a_reset_while_bytes_are_waiting_ends_the_relay(join: Callable[..., Joined]) -> None:
    joined = join(buffer_bytes=BUFFER_BYTES)
    flood = asyncio.ensure_future(send_all(joined.client, bytes(8 * MEGABYTE)))
    await until_readable(joined.server)
    reset(joined.server)
    assert (await ended(joined)).ended_by is EndedBy.SERVER_RESET
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        await asyncio.wait_for(flood, 10)


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 300_000), max_size=12),
    back=st.lists(st.integers(1, 300_000), max_size=12),
    splicing=st.sampled_from(list(TECHNIQUES.values())),
)
def test_any_pieces_arrive_as_one_stream_each_way(
    sizes: list[int], back: list[int], splicing: bool
) -> None:
    async def talk(sock: socket.socket, pieces: list[bytes]) -> bytes:
        async def write() -> None:
            for piece in pieces:
                await send_all(sock, piece)
            sock.shutdown(socket.SHUT_WR)

        _, got = await asyncio.gather(write(), drain(sock))
        return got

    async def carry() -> None:
        relays = Relays(splicing=splicing)
        joined = Joined(relays)
        up = [hashlib.shake_128(b"up%d" % n).digest(size) for n, size in enumerate(sizes)]
        down = [hashlib.shake_128(b"down%d" % n).digest(size) for n, size in enumerate(back)]
        got = await asyncio.gather(talk(joined.client, up), talk(joined.server, down))
        assert list(got) == [b"".join(down), b"".join(up)]
        joined.client.close()
        joined.server.close()
        result = await ended(joined)
        assert (result.bytes_forward, result.bytes_back) == (sum(sizes), sum(back))
        relays.close()

    uvloop.run(carry())
