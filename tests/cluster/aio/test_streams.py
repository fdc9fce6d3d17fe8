"""Small acts on raw sockets: what the other end sees of them."""

import asyncio
import contextvars
import errno
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.aio import streams
from cluster.aio.streams import (
    address_of,
    close,
    connect,
    held,
    hold,
    listen,
    outside,
    reset,
    send_all,
    until_readable,
)
from cluster.wire.addresses import SocketAddress

LOOPBACK = SocketAddress("127.0.0.1", 0)

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected TCP sockets, non-blocking."""
    with listen(LOOPBACK) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    near.setblocking(False)
    far.setblocking(False)
    yield near, far
    near.close()
    far.close()


async def receive(sock: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(sock, 65536)


async def test_a_close_is_an_end_of_file(pair: Pair) -> None:
    near, far = pair
    close(near)
    close(near)
    assert await receive(far) == b""


async def test_a_reset_is_a_reset(pair: Pair) -> None:
    near, far = pair
    reset(near)
    reset(near)
    with pytest.raises(ConnectionResetError):
        await receive(far)


async def test_a_socket_closed_while_watched_leaves_its_number_to_the_next(pair: Pair) -> None:
    near, _ = pair
    loop = asyncio.get_running_loop()
    loop.add_reader(near.fileno(), lambda: None)
    number = near.fileno()
    close(near)
    next_near, next_far = socket.socketpair()
    with next_near, next_far:
        assert number in (next_near.fileno(), next_far.fileno())
        receiver, sender = (
            (next_near, next_far) if next_near.fileno() == number else (next_far, next_near)
        )
        receiver.setblocking(False)
        sender.send(b"!")
        await asyncio.wait_for(until_readable(receiver), 5)
        assert receiver.recv(10) == b"!"


async def test_what_a_listener_accepts_is_not_delayed() -> None:
    with listen(LOOPBACK) as door:
        assert not door.getblocking()
        with socket.create_connection(door.getsockname()):
            accepted, _ = door.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_port_in_use_cannot_be_listened_on() -> None:
    with listen(LOOPBACK) as door, pytest.raises(OSError) as failed:
        listen(address_of(door))
    assert failed.value.errno == errno.EADDRINUSE


async def test_connecting_to_nobody_is_refused_with_the_address_named() -> None:
    with listen(LOOPBACK) as door:
        address = address_of(door)
    with socket.socket() as sock:
        sock.setblocking(False)
        with pytest.raises(ConnectionRefusedError, match=f"{address}: Connection refused"):
            await connect(sock, address)


async def test_a_connection_is_made_on_loopback_and_beyond(pair: Pair) -> None:
    with listen(LOOPBACK) as door, socket.socket() as sock:
        sock.setblocking(False)
        await connect(sock, address_of(door))
        assert sock.getpeername() == door.getsockname()


async def test_a_connect_that_takes_its_time_is_waited_for() -> None:
    with (
        listen(LOOPBACK, backlog=0) as door,
        socket.create_connection(door.getsockname()),
        socket.socket() as sock,
    ):
        sock.setblocking(False)
        connecting = asyncio.ensure_future(connect(sock, address_of(door)))
        await asyncio.sleep(0)  # the queue is full, so nobody answers yet
        assert not connecting.done()
        door.listen(8)
        await asyncio.wait_for(connecting, 10)  # the kernel asks again after a second
        assert sock.getpeername() == door.getsockname()


async def test_everything_is_sent_though_the_other_end_reads_slowly(pair: Pair) -> None:
    near, far = pair
    data = bytes(range(256)) * 40000
    sending = asyncio.ensure_future(send_all(near, data))
    await asyncio.sleep(0)
    assert not sending.done()
    got = bytearray()
    while len(got) < len(data):
        got += await receive(far)
    await sending
    assert got == data


async def test_calls_for_the_process_itself_see_no_context_of_the_caller() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("pod", default="none")
    variable.set("cart")
    assert outside(variable.get) == "none"
    assert variable.get() == "cart"


async def test_who_is_held_hears_nothing_and_then_a_reset(pair: Pair) -> None:
    near, far = pair
    await send_all(far, b"is anybody there?")
    holding = asyncio.ensure_future(hold(near, 0.05))
    with pytest.raises(ConnectionResetError):
        await receive(far)
    await holding
    assert near.fileno() == -1
    assert held() == 0


async def test_silence_outlasts_a_half_close(pair: Pair) -> None:
    near, far = pair
    holding = asyncio.ensure_future(hold(near, 0.05))
    far.shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionResetError):
        await receive(far)
    await holding


async def test_silence_ends_when_the_other_end_resets(pair: Pair) -> None:
    near, far = pair
    holding = asyncio.ensure_future(hold(near, 3600))
    await asyncio.sleep(0)
    reset(far)
    await asyncio.wait_for(holding, 5)
    assert near.fileno() == -1


async def test_only_so_many_are_held_the_oldest_goes_first(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HELD_MAX", 1)
    near, far = pair
    oldest = asyncio.ensure_future(hold(near, 3600))
    await asyncio.sleep(0)
    other, end = socket.socketpair()
    with end:
        newest = asyncio.ensure_future(hold(other, 3600))
        with pytest.raises(ConnectionResetError):
            await receive(far)
        await asyncio.wait_for(oldest, 5)
        assert held() == 1
        newest.cancel()
        with pytest.raises(asyncio.CancelledError):
            await newest
    assert other.fileno() == -1
    assert held() == 0


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc names the congestion control")


def congestion(sock: socket.socket) -> bytes:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Says what the machine's usual congestion control is."""
    path = tmp_path / "usual"
    monkeypatch.setattr(streams, "USUAL_CONGESTION", path)
    streams.unpaced.cache_clear()
    yield path.write_text
    streams.unpaced.cache_clear()


@LINUX
async def test_nobody_is_paced_on_loopback(usual: Callable[[str], None]) -> None:
    usual("bbr\n")
    with listen(LOOPBACK) as door, socket.socket() as near:
        near.setblocking(False)
        await connect(near, address_of(door))
        far, _ = door.accept()
        with far:
            assert congestion(near) == congestion(far) == b"reno"


@LINUX
def test_what_does_not_pace_is_left_as_it_is(usual: Callable[[str], None]) -> None:
    usual("cubic\n")
    with socket.socket() as plain, listen(LOOPBACK) as door:
        assert congestion(door) == congestion(plain)


@LINUX
def test_other_machines_are_sent_to_as_the_system_would(usual: Callable[[str], None]) -> None:
    usual("bbr\n")
    with socket.socket() as plain, listen(SocketAddress("0.0.0.0", 0)) as door:
        assert congestion(door) == congestion(plain)


@LINUX
def test_a_system_that_lets_nobody_choose_is_left_alone(
    usual: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual("bbr\n")
    monkeypatch.setattr(socket, "TCP_CONGESTION", 9999)
    assert streams.unpaced() is None


def test_without_proc_nothing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "USUAL_CONGESTION", tmp_path / "none")
    streams.unpaced.cache_clear()
    assert streams.unpaced() is None
    streams.unpaced.cache_clear()


@pytest.mark.parametrize(("ip", "version"), [("127.0.0.1", 4), ("::1", 6)])
def test_a_socket_by_its_descriptor_knows_what_it_is(ip: str, version: int) -> None:
    family = streams.family_of(ip)
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with (
        socket.create_server((ip, 0), family=family) as door,
        socket.create_connection(door.getsockname()[:2]) as far,
        streams.stream(door.accept()[0].detach(), version) as near,
    ):
        assert (near.family, near.type) == (family, socket.SOCK_STREAM)
        far.send(b"word")
        assert near.recv(10) == b"word"
