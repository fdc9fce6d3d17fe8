"""A listener accepts, pauses, falls silent, and comes back."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from cluster.aio import listener as listener_module
from cluster.aio.listener import Listener
from cluster.aio.streams import connect
from cluster.wire.addresses import SocketAddress

LOOPBACK = SocketAddress("127.0.0.1", 0)


class Door:
    """A listener and what it accepted."""

    def __init__(self, address: SocketAddress = LOOPBACK) -> None:
        self.accepted: asyncio.Queue[tuple[socket.socket, SocketAddress]] = asyncio.Queue()
        self.socks: list[socket.socket] = []
        self.listener = Listener(address, self._on_socket)

    def _on_socket(self, sock: socket.socket, peer: SocketAddress) -> None:
        self.socks.append(sock)
        self.accepted.put_nowait((sock, peer))

    async def next(self) -> tuple[socket.socket, SocketAddress]:
        return await asyncio.wait_for(self.accepted.get(), 10)

    def client(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        self.socks.append(sock)
        return sock


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Door]]:
    doors: list[Door] = []

    def make(address: SocketAddress = LOOPBACK) -> Door:
        doors.append(Door(address))
        return doors[-1]

    yield make
    for door in doors:
        for sock in door.socks:
            sock.close()
        door.listener.close()


async def test_connections_are_handed_on_with_their_peers_address(
    opened: Callable[..., Door],
) -> None:
    door = opened()
    door.listener.start()
    door.listener.start()
    client = door.client()
    await connect(client, door.listener.address)
    sock, peer = await door.next()
    assert peer == client.getsockname()
    assert not sock.getblocking()


async def test_a_burst_is_accepted_whole(opened: Callable[..., Door]) -> None:
    door = opened()
    for _ in range(150):
        await connect(door.client(), door.listener.address)
    door.listener.start()
    for _ in range(150):
        await door.next()


async def test_a_paused_listener_leaves_clients_in_the_queue(opened: Callable[..., Door]) -> None:
    door = opened()
    door.listener.start()
    door.listener.pause()
    await connect(door.client(), door.listener.address)
    assert door.accepted.empty()
    door.listener.start()
    await door.next()


@pytest.mark.parametrize("ip", ["127.0.0.1", "0.0.0.0"])
async def test_a_silent_listener_answers_no_handshake_until_it_starts_again(
    opened: Callable[..., Door], ip: str
) -> None:
    door = opened(SocketAddress(ip, 0))
    door.listener.start()
    assert door.listener.silence()
    client = door.client()
    target = SocketAddress("127.0.0.1", door.listener.address.port)
    connecting = asyncio.ensure_future(connect(client, target))
    await asyncio.sleep(0.05)  # the kernel of a listener that answers needs no such time
    assert not connecting.done()
    door.listener.start()
    await asyncio.wait_for(connecting, 10)  # the client's kernel asks again
    _, peer = await door.next()
    assert peer == client.getsockname()
    assert door.accepted.empty()  # our own filler is nobody's client


async def test_a_listener_may_fall_silent_again(opened: Callable[..., Door]) -> None:
    door = opened()
    for _ in range(3):
        assert door.listener.silence()
    door.listener.start()
    await connect(door.client(), door.listener.address)
    await door.next()


async def test_a_closed_listener_refuses(opened: Callable[..., Door]) -> None:
    door = opened()
    door.listener.start()
    door.listener.silence()
    door.listener.close()
    door.listener.start()
    with pytest.raises(ConnectionRefusedError):
        await connect(door.client(), door.listener.address)


async def test_without_descriptors_it_pauses_says_so_and_tries_again(
    opened: Callable[..., Door],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(listener_module, "EXHAUSTED_PAUSE_SECONDS", 0.01)
    door = opened()
    await connect(door.client(), door.listener.address)
    real = door.listener._sock

    class Exhausted:
        def __init__(self) -> None:
            self.failures = 1

        def fileno(self) -> int:
            return real.fileno()

        def close(self) -> None:
            real.close()

        def _accept(self) -> tuple[int, tuple[str, int]]:
            if self.failures:
                self.failures -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return real._accept()  # type: ignore[attr-defined,no-any-return]

    monkeypatch.setattr(door.listener, "_sock", Exhausted())
    with caplog.at_level(logging.WARNING):
        door.listener.start()
        await door.next()
    assert "ulimit -n" in caplog.text
