"""Flows between processes: each end reads its message and nothing behind it."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from cluster.aio.streams import address_of, close, listen, reset, send_all
from cluster.aio.tunnel import TunnelServer, alive, answer, ask, dial, reach
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind
from cluster.wire.preamble import Answer, AnswerOutcome, encode_context, encode_verdict

KEY = bytes(range(32))
LOOPBACK = SocketAddress("127.0.0.1", 0)
FLOW = Flow(Protocol.TCP, SocketAddress("203.0.113.7", 40000), SocketAddress("127.65.0.1", 80))
ACCEPTED = Answer(outcome=AnswerOutcome.ACCEPTED, hops=5, endpoint={"pod": "cart"})
REFUSED = Answer(outcome=AnswerOutcome.REFUSED, code="PORT_CLOSED", reason="nothing listens")


def context(number: int = 1) -> FlowContext:
    return FlowContext(
        flow_id=f"{number:016x}",
        flow=FLOW,
        original=FLOW,
        origin=Origin(OriginKind.OUTSIDE, "203.0.113.7"),
        entry=Entry.FRONT,
        sender="gateway",
    )


class Peer:
    """A process at the other end of the tunnel; answers each flow as it is told to."""

    def __init__(self, verdict: Answer = ACCEPTED, **options: float) -> None:
        self.verdict = verdict
        self.flows: asyncio.Queue[tuple[socket.socket, FlowContext]] = asyncio.Queue()
        self.server = TunnelServer(LOOPBACK, KEY, self._on_flow, **options)  # type: ignore[arg-type]
        self.socks: list[socket.socket] = []
        self.server.start()

    async def _on_flow(self, sock: socket.socket, flow: FlowContext) -> None:
        self.socks.append(sock)
        await answer(sock, self.verdict, KEY)
        await self.flows.put((sock, flow))

    async def next(self) -> tuple[socket.socket, FlowContext]:
        return await asyncio.wait_for(self.flows.get(), 10)

    async def dial(self, number: int = 1, **options: object) -> tuple[socket.socket, Answer]:
        dialed = await dial(
            self.server.address,
            context(number),
            KEY,
            timeout_seconds=10,
            **options,  # type: ignore[arg-type]
        )
        self.socks.append(dialed[0])
        return dialed

    def client(self) -> socket.socket:
        """A connection that has said nothing yet."""
        sock = socket.create_connection(self.server.address)
        sock.setblocking(False)
        self.socks.append(sock)
        return sock

    async def close(self) -> None:
        await self.server.close()
        for sock in self.socks:
            close(sock)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def make(verdict: Answer = ACCEPTED, **options: float) -> Peer:
        peers.append(Peer(verdict, **options))
        return peers[-1]

    yield make
    for peer in peers:
        await peer.close()


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(10):
        for _ in iter(holds, True):
            await asyncio.sleep(0)


async def receive(sock: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 65536), 10)


async def test_a_flow_arrives_with_its_context_and_then_belongs_to_the_programs(
    opened: Callable[..., Peer],
) -> None:
    peer = opened()
    near, said = await peer.dial()
    far, arrived = await peer.next()
    assert arrived == context()
    assert said == ACCEPTED
    await send_all(near, b"GET / HTTP/1.1")
    assert await receive(far) == b"GET / HTTP/1.1"
    await send_all(far, b"HTTP/1.1 200")
    assert await receive(near) == b"HTTP/1.1 200"
    for sock in (near, far):
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_bytes_that_follow_the_preamble_at_once_are_the_programs(
    opened: Callable[..., Peer],
) -> None:
    peer = opened()
    client = peer.client()
    await send_all(client, encode_context(context(), KEY) + b"early bytes")
    far, _ = await peer.next()
    assert await receive(far) == b"early bytes"


async def test_bytes_that_follow_the_answer_at_once_are_the_programs() -> None:
    async with talker(encode_verdict(ACCEPTED, KEY) + b"220 smtp ready") as address:
        sock, said = await dial(address, context(), KEY, timeout_seconds=10)
        assert said == ACCEPTED
        assert await receive(sock) == b"220 smtp ready"
        close(sock)


async def test_a_preamble_that_comes_byte_by_byte_is_a_preamble(
    opened: Callable[..., Peer],
) -> None:
    peer = opened()
    client = peer.client()
    for byte in encode_context(context(), KEY):
        await send_all(client, bytes([byte]))
        await asyncio.sleep(0)
    _, arrived = await peer.next()
    assert arrived == context()


async def test_a_refused_flow_leaves_no_socket(opened: Callable[..., Peer]) -> None:
    peer = opened(REFUSED)
    sock, said = await peer.dial()
    assert said == REFUSED
    assert sock.fileno() == -1


async def test_a_callers_own_socket_is_used_and_stays_the_callers(
    opened: Callable[..., Peer],
) -> None:
    peer = opened(REFUSED)
    with socket.socket() as own:
        own.setblocking(False)
        sock, _ = await peer.dial(sock=own)
        assert sock is own
        assert own.fileno() >= 0


async def test_nobody_there_is_refused() -> None:
    with listen(LOOPBACK) as door:
        address = address_of(door)
    with pytest.raises(ConnectionRefusedError, match=str(address)):
        await dial(address, context(), KEY, timeout_seconds=10)


async def test_nobody_answering_is_a_timeout_with_the_address_in_it() -> None:
    with listen(LOOPBACK) as door:
        with pytest.raises(TimeoutError) as failed:
            await dial(address_of(door), context(), KEY, timeout_seconds=0.02)
        assert failed.value.errno == errno.ETIMEDOUT
        assert f"{address_of(door)} gave no answer in 0.02 s" in str(failed.value)


class talker:
    """Somebody who says something to each connection, once it has sent a preamble."""

    def __init__(self, words: bytes, then: Callable[[socket.socket], None] | None = None) -> None:
        self._words = words
        self._then = then

    async def __aenter__(self) -> SocketAddress:
        self._door = listen(LOOPBACK)
        self._task = asyncio.ensure_future(self._talk())
        return address_of(self._door)

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        self._sock, _ = await loop.sock_accept(self._door)
        await loop.sock_recv(self._sock, 65536)
        await send_all(self._sock, self._words)
        if self._then is not None:
            self._then(self._sock)

    async def __aexit__(self, *_: object) -> None:
        await self._task
        close(self._sock)
        close(self._door)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "begins with b'HT'"),
        (encode_verdict(ACCEPTED, bytes(32)), "MAC of a verdict is wrong"),
        (encode_context(context(), KEY), "MAC of a verdict is wrong"),
    ],
)
async def test_an_answer_that_is_none_is_a_connection_error(words: bytes, complaint: str) -> None:
    async with talker(words) as address:
        with pytest.raises(ConnectionAbortedError, match=complaint):
            await dial(address, context(), KEY, timeout_seconds=10)


@pytest.mark.parametrize(("leave", "said"), [(close, "closed after 10 bytes"), (reset, "reset")])
async def test_a_process_that_dies_while_it_answers_is_a_connection_reset(
    leave: Callable[[socket.socket], None], said: str
) -> None:
    async with talker(encode_verdict(ACCEPTED, KEY)[:10], leave) as address:
        with pytest.raises(ConnectionResetError, match=said):
            await dial(address, context(), KEY, timeout_seconds=10)


async def test_a_cancelled_dial_closes_its_socket(opened: Callable[..., Peer]) -> None:
    with listen(LOOPBACK) as door:
        dialing = asyncio.ensure_future(dial(address_of(door), context(), KEY, timeout_seconds=10))
        far, _ = await asyncio.get_running_loop().sock_accept(door)
        with far:
            await receive(far)
            dialing.cancel()
            assert await receive(far) == b""


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\n", "begins with b'GE'"),
        (b"KH\xff\xff" + bytes(32), "body of 65535 bytes"),
        (encode_context(context(), bytes(32)), "another cluster's"),
        (encode_verdict(ACCEPTED, KEY), "MAC of a context is wrong"),
    ],
)
async def test_garbage_closes_its_own_connection_with_a_reason_and_no_other(
    opened: Callable[..., Peer], caplog: pytest.LogCaptureFixture, garbage: bytes, reason: str
) -> None:
    peer = opened()
    good, bad = peer.client(), peer.client()
    preamble = encode_context(context(), KEY)
    await send_all(good, preamble[:20])
    with caplog.at_level(logging.WARNING):
        await send_all(bad, garbage)
        with suppress(ConnectionResetError):  # where bytes were left unread
            assert await receive(bad) == b""
    assert reason in caplog.text
    await send_all(good, preamble[20:])
    _, arrived = await peer.next()
    assert arrived == context()


async def test_a_truncated_preamble_is_told_in_the_log(
    opened: Callable[..., Peer], caplog: pytest.LogCaptureFixture
) -> None:
    peer = opened()
    client = peer.client()
    await send_all(client, encode_context(context(), KEY)[:50])
    client.shutdown(socket.SHUT_WR)
    with caplog.at_level(logging.WARNING):
        assert await receive(client) == b""
    assert "closed after 50 bytes of its preamble" in caplog.text
    assert peer.server.half_open == 0


async def test_a_slow_preamble_is_closed_when_its_time_is_up(
    opened: Callable[..., Peer], caplog: pytest.LogCaptureFixture
) -> None:
    peer = opened(preamble_seconds=0.05)
    client = peer.client()
    await send_all(client, b"KH\x00")
    with caplog.at_level(logging.WARNING):
        assert await receive(client) == b""
    assert "3 bytes of a preamble in 0.05 s" in caplog.text


async def test_half_open_connections_are_bounded(opened: Callable[..., Peer]) -> None:
    peer = opened(half_open_max=2, preamble_seconds=30)
    silent = [peer.client(), peer.client()]
    dialing = asyncio.ensure_future(peer.dial())
    await until(lambda: peer.server.half_open == 2)
    assert not dialing.done()
    close(silent[0])
    _, said = await asyncio.wait_for(dialing, 10)
    assert said == ACCEPTED
    assert peer.server.half_open == 1


async def test_two_hundred_flows_arrive_at_once(opened: Callable[..., Peer]) -> None:
    peer = opened()
    dialed = await asyncio.gather(*(peer.dial(number) for number in range(200)))
    arrived = {(await peer.next())[1].flow_id for _ in range(200)}
    assert arrived == {f"{number:016x}" for number in range(200)}
    assert all(said == ACCEPTED for _, said in dialed)


@pytest.mark.parametrize("error", [ConnectionResetError("the pod is gone"), ValueError("a bug")])
async def test_a_flow_whose_handling_fails_is_reset_and_the_server_lives_on(
    opened: Callable[..., Peer], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def fail(_: socket.socket, __: FlowContext) -> None:
        raise error

    server = TunnelServer(LOOPBACK, KEY, fail)
    server.start()
    for _ in range(2):
        with caplog.at_level(logging.INFO), pytest.raises(ConnectionResetError):
            await dial(server.address, context(), KEY, timeout_seconds=10)
    assert str(error) in caplog.text
    await server.close()


async def test_a_server_that_closes_ends_what_it_has_not_handed_over(
    opened: Callable[..., Peer],
) -> None:
    started = asyncio.Event()

    async def never(_: socket.socket, __: FlowContext) -> None:
        started.set()
        await asyncio.Event().wait()

    server = TunnelServer(LOOPBACK, KEY, never)
    server.start()
    dialing = asyncio.ensure_future(dial(server.address, context(), KEY, timeout_seconds=10))
    await started.wait()
    half_open = socket.create_connection(server.address)
    half_open.setblocking(False)
    await until(lambda: server.half_open == 1)
    assert server.carrying == 1
    await server.close()
    with pytest.raises(ConnectionResetError):
        await dialing
    assert await receive(half_open) == b""
    half_open.close()
    with pytest.raises(ConnectionRefusedError):
        await dial(server.address, context(), KEY, timeout_seconds=10)


async def test_a_dial_may_be_made_in_two_halves(opened: Callable[..., Peer]) -> None:
    peer = opened(REFUSED)
    sock = await reach(peer.server.address, timeout_seconds=10)
    assert await ask(sock, peer.server.address, context(), KEY, timeout_seconds=10) == REFUSED
    assert sock.fileno() >= 0
    close(sock)


async def test_a_server_that_works_is_alive_and_logs_no_complaint(
    opened: Callable[..., Peer], caplog: pytest.LogCaptureFixture
) -> None:
    peer = opened()
    with caplog.at_level(logging.INFO):
        await alive(peer.server.address, timeout_seconds=10)
    assert caplog.text == ""
    assert peer.server.half_open == 0


async def test_a_listening_socket_of_a_process_that_hangs_is_not_alive() -> None:
    with listen(LOOPBACK) as door, pytest.raises(TimeoutError):
        await alive(address_of(door), timeout_seconds=0.02)
    with pytest.raises(ConnectionRefusedError):
        await alive(address_of_closed(), timeout_seconds=10)


def address_of_closed() -> SocketAddress:
    with listen(LOOPBACK) as door:
        return address_of(door)
