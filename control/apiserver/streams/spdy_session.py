"""A SPDY/3.1 session, server side: streams that the client opens, over any two-way bytes.

    session = Session(pipe); task of `session.run()`; `await session.accept()` -> SpdyStream ...

Back-pressure: what a stream's reader has not taken is at most QUEUE_BYTES_MAX, beyond that nothing
is read from the connection; who writes waits until the connection takes it. STREAMS_MAX are open at
once. Whatever the client does wrong ends the session with GOAWAY and nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Protocol, assert_never

from cluster.errors import WireError
from control.apiserver.streams.spdy_frames import (
    CANCEL,
    GOAWAY_PROTOCOL_ERROR,
    INVALID_STREAM,
    REFUSED_STREAM,
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    GoAway,
    Ping,
    RstStream,
    SynReply,
    SynStream,
)

STREAMS_MAX = 512  # open at once on one connection
QUEUE_BYTES_MAX = 256 * 1024
WRITE_BYTES_MAX = 32 * 1024  # of one data frame that we send


class Pipe(Protocol):
    """The bytes below: a connection, or a WebSocket that carries them."""

    async def read(self) -> bytes:
        """Some bytes; b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slow; ConnectionError when it is gone."""


class SpdyStream:
    """One stream."""

    def __init__(self, session: "Session", number: int, headers: Mapping[str, str]) -> None:
        self.number = number
        self.headers = headers
        self._session = session
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._changed = asyncio.Event()
        self._theirs_ended = self._discarding = False
        self.ended = False  # we have sent all we will
        self.lost = False  # it was reset, or its session is gone

    async def read(self) -> bytes:
        """Some bytes; b"" at the end, however it came."""
        while not self._chunks:
            if self._theirs_ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        data = self._chunks.popleft()
        self._held -= len(data)
        self._changed.set()
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes; BrokenPipeError when the stream is over."""
        for at in range(0, len(data), WRITE_BYTES_MAX):
            if self.ended:
                raise BrokenPipeError(f"SPDY stream {self.number} is over")
            await self._session.send(Data(self.number, data[at : at + WRITE_BYTES_MAX]))

    async def end(self) -> None:
        """Send nothing more."""
        if not self.ended:
            self.ended = True
            await self._session.send(Data(self.number, b"", fin=True))
            self._forget()

    async def reset(self) -> None:
        """Give it up, both ways."""
        self.lose()
        await self._session.send(RstStream(self.number, CANCEL))

    def discard(self) -> None:
        """Nobody reads it any more: what is queued and what comes is dropped."""
        self._discarding = True
        self._chunks.clear()
        self._held = 0
        self._changed.set()

    # What the session does with it

    async def take(self, data: bytes, *, fin: bool) -> None:
        """Bytes arrived; wait while there are too many."""
        if self._theirs_ended:
            return  # they crossed a reset
        if data and not self._discarding:
            self._chunks.append(data)
            self._held += len(data)
        self._theirs_ended = fin
        self._changed.set()
        self._forget()
        while self._held > QUEUE_BYTES_MAX:
            self._changed.clear()
            await self._changed.wait()

    def lose(self) -> None:
        """The stream, or its session, is gone; what was queued may still be read."""
        self.lost = self.lost or not (self.ended and self._theirs_ended)
        self.ended = self._theirs_ended = True
        self._changed.set()
        self._forget()

    def _forget(self) -> None:
        if self.ended and self._theirs_ended:
            self._session.forget(self.number)


class Session:
    """All streams of one connection."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._reader, self._writer = FrameReader(), FrameWriter()
        self._streams: dict[int, SpdyStream] = {}
        self._accepted: asyncio.Queue[SpdyStream | None] = asyncio.Queue()  # by STREAMS_MAX
        self._last = 0
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Serve until the client is gone or at fault."""
        try:
            while data := await self._pipe.read():
                for frame in self._reader.feed(data):
                    await self._handle(frame)
        except WireError:
            await self.send(GoAway(self._last, GOAWAY_PROTOCOL_ERROR))
            raise
        finally:
            for stream in list(self._streams.values()):
                stream.lose()
            self._accepted.put_nowait(None)

    async def accept(self) -> SpdyStream | None:
        """The next stream that the client opens; None when the session is over."""
        stream = await self._accepted.get()
        if stream is None:
            self._accepted.put_nowait(None)  # for whoever asks again
        return stream

    async def leave(self) -> None:
        """Say that no more is served."""
        await self.send(GoAway(self._last))

    def discard(self) -> None:
        """Nobody reads any stream any more."""
        for stream in self._streams.values():
            stream.discard()

    async def send(self, frame: Frame) -> None:
        """One frame, whole; header blocks go out in the order they are packed in."""
        async with self._turn:
            await self._pipe.write(self._writer.write(frame))

    def knows(self, number: int) -> bool:
        """Whether a stream is open."""
        return number in self._streams

    def forget(self, number: int) -> None:
        """A stream is over."""
        self._streams.pop(number, None)

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case SynStream():
                await self._open(frame)
            case Data(number, data, fin):
                stream = self._streams.get(number)
                if stream is not None:
                    await stream.take(data, fin=fin)
                elif number > self._last or not number % 2:
                    await self.send(RstStream(number, INVALID_STREAM))
            case RstStream(number):
                if number in self._streams:
                    self._streams[number].lose()
            case Ping(number):
                if number % 2:  # theirs; an even one would be the echo of ours
                    await self.send(frame)
            case SynReply() | GoAway():
                pass  # we open no streams, and serve those that are open to their ends
            case unreachable:
                assert_never(unreachable)

    async def _open(self, frame: SynStream) -> None:
        if frame.stream <= self._last or not frame.stream % 2:
            raise WireError(f"stream {frame.stream} after {self._last}: numbers are odd and rise")
        self._last = frame.stream
        if len(self._streams) >= STREAMS_MAX or self._accepted.qsize() >= STREAMS_MAX:
            await self.send(RstStream(frame.stream, REFUSED_STREAM))
            return
        stream = SpdyStream(self, frame.stream, frame.headers)
        self._streams[frame.stream] = stream
        if frame.fin:
            await stream.take(b"", fin=True)
        await self.send(SynReply(frame.stream))
        self._accepted.put_nowait(stream)
