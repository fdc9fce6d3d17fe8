"""Which container holds which connection."""

import asyncio
import contextvars
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow
from node_agent.cni.connections import SWEEP_FIRST, Connections, holder
from node_agent.cni.pod_context import SIGNALS, SignalTable
from node_agent.cni.transport import PodTransport

FLOW = Flow(Protocol.TCP, SocketAddress("10.244.1.9", 40000), SocketAddress("10.244.1.5", 80))


class Transport:
    """A transport as far as the table looks at it."""

    def __init__(self) -> None:
        self.aborted = False

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def held_by(container: SignalTable | None, add: Any, *arguments: Any) -> None:
    context = contextvars.Context()
    context.run(SIGNALS.set, container)
    context.run(add, *arguments)


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def test_the_holder_is_the_container_whose_code_runs() -> None:
    container = SignalTable()
    assert holder() is None
    seen: list[Any] = []
    held_by(container, lambda: seen.append(holder()))
    assert seen == [container]


def test_the_end_of_a_container_ends_its_own_and_no_other(sock: socket.socket) -> None:
    """P-62."""
    table, first, second = Connections(), SignalTable(), SignalTable()
    mine, theirs, nodes = Transport(), Transport(), Transport()
    held_by(first, table.add, cast(PodTransport, mine))
    held_by(second, table.add, cast(PodTransport, theirs))
    held_by(None, table.add, cast(PodTransport, nodes))
    held_by(first, table.add_socket, sock, FLOW)
    assert len(table) == 4
    table.end(first)
    assert (mine.aborted, theirs.aborted, nodes.aborted) == (True, False, False)
    assert sock.fileno() == -1
    assert len(table) == 2
    table.end_all()
    assert theirs.aborted and nodes.aborted and len(table) == 0


def test_a_plain_sockets_flow_is_known_until_it_is_a_transports(sock: socket.socket) -> None:
    table = Connections()
    assert table.flow_of(sock) is None
    table.add_socket(sock, FLOW)
    assert table.flow_of(sock) == FLOW
    table.forget_socket(sock)
    table.forget_socket(sock)
    assert table.flow_of(sock) is None
    table.end_all()
    assert sock.fileno() >= 0


def test_a_socket_that_its_program_closed_is_no_connection(sock: socket.socket) -> None:
    table = Connections()
    table.add_socket(sock, FLOW)
    sock.close()
    assert len(table) == 0
    table.end_all()


def test_closed_transports_do_not_pile_up() -> None:
    table = Connections()
    lives = Transport()
    table.add(cast(PodTransport, lives))
    for _ in range(100 * SWEEP_FIRST):
        closed = Transport()
        table.add(cast(PodTransport, closed))
        closed.abort()
    assert len(table._transports) <= 2 * SWEEP_FIRST
    assert len(table) == 1


async def test_whoever_waits_for_a_socket_wakes_with_an_end_of_file() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        table = Connections()
        table.add_socket(ours, FLOW)
        waiting = asyncio.create_task(asyncio.get_running_loop().sock_recv(ours, 1))
        await asyncio.sleep(0)
        table.end_all()
        assert await asyncio.wait_for(waiting, 10) == b""
