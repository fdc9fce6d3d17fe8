"""A SPDY session with a client in the test: streams, ends, bounds, and a client at fault."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from control.apiserver.streams import spdy_session
from control.apiserver.streams.spdy_frames import (
    GOAWAY_PROTOCOL_ERROR,
    INVALID_STREAM,
    REFUSED_STREAM,
    Data,
    FrameReader,
    FrameWriter,
    GoAway,
    Ping,
    RstStream,
    SynReply,
    SynStream,
)
from control.apiserver.streams.spdy_session import QUEUE_BYTES_MAX, Session


class Peer:
    """The client's side, and the bytes between."""

    def __init__(self):
        self._writer, self._reader = FrameWriter(), FrameReader()
        self._inbound: asyncio.Queue[bytes] = asyncio.Queue()
        self._outbound: asyncio.Queue[object] = asyncio.Queue()
        self.unread = self._inbound

    def send(self, *frames):
        for frame in frames:
            self._inbound.put_nowait(self._writer.write(frame))

    def send_bytes(self, data):
        self._inbound.put_nowait(data)

    async def next(self):
        async with asyncio.timeout(5):
            return await self._outbound.get()

    # what the session sees

    async def read(self):
        return await self._inbound.get()

    async def write(self, data):
        for frame in self._reader.feed(data):
            self._outbound.put_nowait(frame)


@pytest.fixture
async def served():
    peer = Peer()
    session = Session(peer)
    running = asyncio.create_task(session.run())
    yield peer, session, running
    running.cancel()
    await asyncio.wait([running])


async def opened(peer, session, number=1, **headers):
    peer.send(SynStream(number, headers))
    assert await peer.next() == SynReply(number)
    return await session.accept()


async def test_a_stream_carries_bytes_both_ways_and_each_side_ends_its_own(served):
    peer, session, _ = served
    stream = await opened(peer, session, streamtype="data", port="80")
    assert stream.headers == {"streamtype": "data", "port": "80"}
    peer.send(Data(1, b"in"), Data(1, b"last", fin=True))
    assert [await stream.read() for _ in range(3)] == [b"in", b"last", b""]
    await stream.write(b"out")
    assert await peer.next() == Data(1, b"out")
    await stream.end()
    assert await peer.next() == Data(1, b"", fin=True)
    assert not session.knows(1)
    with pytest.raises(BrokenPipeError):
        await stream.write(b"late")


async def test_long_output_goes_in_frames_of_a_bounded_size(served):
    peer, session, _ = served
    stream = await opened(peer, session)
    await stream.write(bytes(2 * spdy_session.WRITE_BYTES_MAX + 1))
    sizes = [len((await peer.next()).data) for _ in range(3)]
    assert sizes == [spdy_session.WRITE_BYTES_MAX, spdy_session.WRITE_BYTES_MAX, 1]


async def test_a_reset_ends_a_stream_for_who_reads_and_who_writes(served):
    peer, session, _ = served
    stream = await opened(peer, session)
    peer.send(RstStream(1, 5))
    assert await stream.read() == b""
    assert stream.lost
    with pytest.raises(BrokenPipeError):
        await stream.write(b"x")


async def test_a_half_closed_stream_is_not_lost(served):
    peer, session, _ = served
    stream = await opened(peer, session)
    peer.send(Data(1, b"", fin=True))
    assert await stream.read() == b""
    assert not stream.lost


async def test_a_ping_is_echoed_and_the_echo_of_ours_is_not(served):
    peer, _, _ = served
    peer.send(Ping(2), Ping(7))
    assert await peer.next() == Ping(7)


async def test_nothing_is_read_while_a_stream_holds_too_much(served):
    peer, session, _ = served
    stream = await opened(peer, session)
    peer.send(Data(1, bytes(QUEUE_BYTES_MAX + 1)), Data(1, b"more"), Ping(9))
    for _ in range(20):
        await asyncio.sleep(0)
    assert peer.unread.qsize() == 2  # what follows waits
    assert len(await stream.read()) == QUEUE_BYTES_MAX + 1
    assert await stream.read() == b"more"
    assert await peer.next() == Ping(9)


async def test_what_nobody_reads_any_more_is_dropped_and_holds_nothing_back(served):
    peer, session, _ = served
    stream = await opened(peer, session)
    stream.discard()
    peer.send(*[Data(1, bytes(QUEUE_BYTES_MAX))] * 4, Ping(9))
    assert await peer.next() == Ping(9)


async def test_only_so_many_streams_are_open_at_once(served, monkeypatch):
    monkeypatch.setattr(spdy_session, "STREAMS_MAX", 2)
    peer, session, _ = served
    first, _ = await opened(peer, session, 1), await opened(peer, session, 3)
    peer.send(SynStream(5))
    assert await peer.next() == RstStream(5, REFUSED_STREAM)
    peer.send(RstStream(1, 5))
    assert await first.read() == b""
    await opened(peer, session, 7)


async def test_data_for_a_stream_that_never_was_is_refused(served):
    peer, _, _ = served
    peer.send(Data(9, b"x"))
    assert await peer.next() == RstStream(9, INVALID_STREAM)


@pytest.mark.parametrize("numbers", [(2,), (3, 1), (1, 1)])
async def test_stream_numbers_that_do_not_rise_end_the_session(served, numbers):
    peer, session, running = served
    peer.send(*map(SynStream, numbers))
    while not isinstance(frame := await peer.next(), GoAway):
        assert isinstance(frame, SynReply)
    assert frame.status == GOAWAY_PROTOCOL_ERROR
    with pytest.raises(WireError):
        await running
    while await session.accept() is not None:
        pass


async def test_bytes_that_are_no_spdy_end_the_session_and_its_streams(served):
    peer, session, running = served
    stream = await opened(peer, session)
    peer.send_bytes(b"\xff" * 64)
    assert (await peer.next()).status == GOAWAY_PROTOCOL_ERROR
    with pytest.raises(WireError):
        await running
    assert await stream.read() == b""
    assert stream.lost


async def test_the_clients_going_ends_all_streams(served):
    peer, session, running = served
    stream = await opened(peer, session)
    peer.send_bytes(b"")
    await running
    assert await stream.read() == b""
    assert stream.lost
    assert await session.accept() is None
    assert await session.accept() is None


frames = st.one_of(
    st.builds(SynStream, st.integers(0, 9), st.just({"port": "80"}), st.booleans()),
    st.builds(SynReply, st.integers(0, 9)),
    st.builds(Data, st.integers(0, 9), st.binary(max_size=20), st.booleans()),
    st.builds(RstStream, st.integers(0, 9), st.integers(0, 20)),
    st.builds(Ping, st.integers(0, 9)),
    st.builds(GoAway, st.integers(0, 9)),
)


@given(st.lists(frames, max_size=20), st.binary(max_size=20))
def test_any_order_of_frames_ends_well_or_in_a_wire_error(sent, rubbish):
    """Whatever a client sends: no other error, and no stream outlives the session."""

    async def serve():
        peer = Peer()
        session = Session(peer)
        peer.send(*sent)
        peer.send_bytes(rubbish)
        peer.send_bytes(b"")
        with contextlib.suppress(WireError):
            await session.run()
        while (stream := await session.accept()) is not None:
            while await stream.read():
                pass
            assert not session.knows(stream.number)

    asyncio.run(serve())
