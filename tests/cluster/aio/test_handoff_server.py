"""Who may hand sockets over: one user's processes, so many, by a path of 0600."""

import asyncio
import errno
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.aio import handoff_server
from cluster.aio.handoff_server import HandoffServer
from cluster.wire.handover import encode_hello


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kh-") as directory:
        yield Path(directory) / "node-1.flows"


def server_at(path: Path) -> HandoffServer:
    made = HandoffServer(path, taken=lambda *_: None, lost=lambda _: None)
    made.start()
    return made


async def dial(path: Path, name: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.setblocking(False)
    sock.connect(str(path))
    sock.send(encode_hello(name))
    return sock


def mode_of(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


async def until(holds: object) -> None:
    turns = 0
    while not holds():  # type: ignore[operator]
        await asyncio.sleep(0)
        turns += 1
        assert turns < 100_000


async def test_peers_are_known_by_their_instance_while_they_live(path: Path) -> None:
    server = server_at(path)
    assert mode_of(path) == 0o600
    sock = await dial(path, "gateway#1")
    await until(lambda: server.peers == ["gateway#1"])
    sock.close()
    await until(lambda: server.peers == [])
    server.close()
    server.close()
    assert mode_of(path) is None


async def test_a_peer_that_greets_again_is_met_again(path: Path) -> None:
    met: list[str] = []
    server = HandoffServer(path, taken=lambda *_: None, lost=lambda _: None, met=met.append)
    server.start()
    with await dial(path, "gateway#1"):
        await until(lambda: met == ["gateway#1"])
    with await dial(path, "gateway#1"):
        await until(lambda: met == ["gateway#1", "gateway#1"])
    server.close()


async def test_who_cannot_be_accepted_waits_until_descriptors_are_free(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once per pause, not once per turn of the loop."""
    server = server_at(path)
    sock, real = await dial(path, "gateway#1"), server._sock

    class Full:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    monkeypatch.setattr(server, "_sock", Full())
    await until(lambda: not server.reading)
    monkeypatch.setattr(server, "_sock", real)
    assert len(caplog.records) == 1
    await until(lambda: server.peers == ["gateway#1"])
    sock.close()
    server.close()


async def test_another_user_is_turned_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoff_server.os, "geteuid", lambda: 4242)
    server = server_at(path)
    with await dial(path, "gateway#1") as sock:
        await until(lambda: server.turned_away)
        with pytest.raises(ConnectionResetError):  # its greeting was never read
            await asyncio.get_running_loop().sock_recv(sock, 1)
    server.close()


async def test_there_are_so_many_peers_and_no_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handoff_server, "PEERS_MAX", 1)
    server = server_at(path)
    with await dial(path, "first#1"), await dial(path, "second#1"):
        await until(lambda: server.turned_away and server.peers)
    server.close()


def test_what_is_no_socket_is_not_replaced(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        HandoffServer(path, taken=lambda *_: None, lost=lambda _: None)
    assert path.read_text() == "mine"


async def test_a_server_that_pauses_takes_new_peers_in_later(path: Path) -> None:
    server = server_at(path)
    server.pause()
    with await dial(path, "gateway#1"):
        await until(lambda: server._peers)
        assert server.peers == []
        server.resume()
        await until(lambda: server.peers == ["gateway#1"])
    server.close()
