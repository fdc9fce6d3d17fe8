"""What the two kinds of callers are told, byte by byte, and what is noted of a client."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from cluster.aio.relay import EndedBy
from cluster.aio.streams import reset
from cluster.trace.record import ClientSaw
from cluster.wire.preamble import Answer, AnswerOutcome, Reader, decode_verdict
from node_agent.cni.callers import Caller, Client, PeerProcess
from node_agent.cni.rulings import Rulings

KEY = bytes(range(32))


class Noted:
    """What is noted of what clients saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ClientSaw]] = []

    def saw(self, flow_id: str, client_saw: ClientSaw, *, opener: bool) -> None:
        assert opener
        self.seen.append((flow_id, client_saw))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection: the far end, and the accepted one."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        far = socket.create_connection(door.getsockname())
        near, _ = door.accept()
    with far, near:
        far.setblocking(False)
        near.setblocking(False)
        yield far, near


def client_of(sock: socket.socket) -> tuple[Client, Noted]:
    noted = Noted()
    return Client(sock, "00c0ffee00c0ffee", cast(Rulings, noted)), noted


async def received(sock: socket.socket, size: int = 65536) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, size), 10)


async def test_an_accepted_client_is_told_nothing(ends: Any) -> None:
    far, near = ends
    client, noted = client_of(near)
    await client.accepted(Answer(outcome=AnswerOutcome.ACCEPTED))
    near.send(b"the program's first word")
    assert await received(far) == b"the program's first word"
    assert noted.seen == [("00c0ffee00c0ffee", ClientSaw.CONNECTED)]


@pytest.mark.parametrize("by", list(EndedBy))
def test_a_client_of_a_relay_is_reset_if_the_server_or_the_relay_was(
    ends: Any, by: EndedBy
) -> None:
    client, noted = client_of(ends[1])
    client.ended(by)
    reset_by_us = by in (EndedBy.SERVER_RESET, EndedBy.KILLED)
    assert [saw for _, saw in noted.seen] == ([ClientSaw.RESET] if reset_by_us else [])


async def test_a_refused_client_is_reset_and_that_is_what_it_saw(ends: Any) -> None:
    """O-20."""
    far, near = ends
    client, noted = client_of(near)
    await client.refused(Answer(outcome=AnswerOutcome.REFUSED))
    with pytest.raises(ConnectionResetError):
        await received(far)
    assert noted.seen == [("00c0ffee00c0ffee", ClientSaw.RESET)]


async def test_a_dropped_client_hears_nothing_and_may_leave(ends: Any) -> None:
    """O-20: what it saw is known before its patience ends."""
    far, near = ends
    client, noted = client_of(near)
    dropping = asyncio.create_task(client.dropped(Answer(outcome=AnswerOutcome.DROPPED)))
    await asyncio.sleep(0)
    assert noted.seen == [("00c0ffee00c0ffee", ClientSaw.TIMEOUT)]
    with pytest.raises(BlockingIOError):
        far.recv(1)
    assert not dropping.done()
    reset(far)
    await asyncio.wait_for(dropping, 10)


@pytest.mark.parametrize("outcome", [AnswerOutcome.ACCEPTED, AnswerOutcome.REFUSED,
                                     AnswerOutcome.DROPPED, AnswerOutcome.UNREACHABLE])  # fmt: skip
async def test_another_process_is_answered_and_keeps_the_socket_if_accepted(
    ends: Any, outcome: AnswerOutcome
) -> None:
    far, near = ends
    said = Answer(outcome=outcome, code="POLICY_DENIED", reason="as the test says", hops=3)
    peer: Caller = PeerProcess(near, KEY)
    match outcome:
        case AnswerOutcome.ACCEPTED:
            await peer.accepted(said)
        case AnswerOutcome.REFUSED:
            await peer.refused(said)
        case _:
            await peer.dropped(said)
    reader = Reader()
    while reader.wanted:
        reader.feed(await received(far, reader.wanted))
    assert decode_verdict(reader.header, reader.body, KEY) == said
    if outcome is AnswerOutcome.ACCEPTED:
        near.send(b"bytes of the program")
        assert await received(far) == b"bytes of the program"
    else:
        assert await received(far) == b""
