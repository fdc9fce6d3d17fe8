"""nc's connections: standard input to the peer, the peer to standard output, half-close too.

Programs on asyncio give a connection up at the end of its input, whatever they still had to say. So
the end of standard input is told once the peer has begun to answer, or after a second of silence;
at once with -N or -q.
"""

import asyncio
from contextlib import suppress
from typing import Any

from node_agent.workloads.tools.process import Input, Output

READ_BYTES = 65536
DATAGRAMS_HELD_MAX = 64
ANSWER_SECONDS = 1.0  # how long the beginning of an answer holds the half-close back


class Idle:
    """Ends a connection that is silent for longer than -w allows."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: asyncio.Timeout | None = None

    def __call__(self, timer: asyncio.Timeout) -> None:
        self._timer = timer
        self.heard()

    def heard(self) -> None:
        """Something went or came."""
        if self._seconds and self._timer is not None:
            now = asyncio.get_running_loop().time()
            self._timer.reschedule(now + self._seconds)


async def relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    stdin: Input,
    stdout: Output,
    *,
    seconds: float = 0.0,
    linger: float = -1.0,
    half_close: bool = False,
) -> None:
    """Until the peer has closed, or nothing came for `seconds`, or `linger` after the input."""
    idle = Idle(seconds)
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as timer:
            idle(timer)
            answered = asyncio.Event()
            if half_close:
                answered.set()
            sending = asyncio.ensure_future(_send(stdin, writer, idle, answered))
            receiving = asyncio.ensure_future(_receive(reader, stdout, idle, answered))
            try:
                await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done():
                    sending.result()
                    await asyncio.wait((receiving,), timeout=None if linger < 0 else linger)
                if receiving.done():
                    receiving.result()
            finally:
                for task in (sending, receiving):
                    task.cancel()
                await asyncio.wait((sending, receiving))
                writer.close()


async def _send(
    stdin: Input, writer: asyncio.StreamWriter, idle: Idle, answered: asyncio.Event
) -> None:
    with suppress(ConnectionError):
        while data := await stdin.read():
            writer.write(data)
            await writer.drain()
            idle.heard()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await answered.wait()
        if writer.can_write_eof():
            writer.write_eof()


async def _receive(
    reader: asyncio.StreamReader, stdout: Output, idle: Idle, answered: asyncio.Event
) -> None:
    while True:
        try:
            data = await reader.read(READ_BYTES)
        except ConnectionError:
            return
        if not data:
            return
        idle.heard()
        await stdout.write(data)
        answered.set()


class Datagrams(asyncio.DatagramProtocol):
    """What comes to a UDP socket, bounded: more than that is dropped, as a kernel does."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue(DATAGRAMS_HELD_MAX)
        self.refused = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        with suppress(asyncio.QueueFull):
            self.received.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.refused.set()


async def exchange_datagrams(
    transport: asyncio.DatagramTransport,
    datagrams: Datagrams,
    stdin: Input,
    stdout: Output,
    *,
    seconds: float,
    connected: bool,
) -> bool:
    """Each read is a datagram, and each datagram is written; whether the peer did not refuse."""
    idle = Idle(seconds)
    peer: list[Any] = []

    async def receive() -> None:
        while True:
            data, address = await datagrams.received.get()
            peer[:] = [address]
            idle.heard()
            await stdout.write(data)

    async def send() -> None:
        while data := await stdin.read():
            if connected or peer:
                transport.sendto(data, None if connected else peer[0])
            idle.heard()
        await asyncio.get_running_loop().create_future()

    tasks = [asyncio.ensure_future(each) for each in (send(), receive(), datagrams.refused.wait())]
    try:
        async with asyncio.timeout(None) as timer:
            idle(timer)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    except TimeoutError:
        return True
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        transport.close()
    return not datagrams.refused.is_set()
