"""A bounded HTTP load generator: so many requests over so many connections, each one timed.

One event loop, one process, bytes written and counted by hand, so that it costs little beside an
aiohttp server. Sends to 127.0.0.0/8 only.
"""

import asyncio
import re
import time
from dataclasses import dataclass

REQUESTS_MAX = 100_000
CONNECTIONS_MAX = 64
ANSWER_SECONDS = 10.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    seconds: float
    latencies: tuple[float, ...]  # sorted

    @property
    def per_second(self) -> float:
        """Requests."""
        return len(self.latencies) / self.seconds

    def quantile(self, fraction: float) -> float:
        """A latency that so many stay below."""
        return self.latencies[min(int(fraction * len(self.latencies)), len(self.latencies) - 1)]


async def load(ip: str, port: int, *, requests: int, connections: int, keep_alive: bool) -> Load:
    """Send them; an answer other than 200, or none, is an error."""
    if not ip.startswith("127."):
        raise ValueError(f"{ip} is not of this machine")
    if requests > REQUESTS_MAX or connections > CONNECTIONS_MAX:
        raise ValueError(f"{requests} requests on {connections} connections: too many")
    latencies: list[float] = []
    left = [requests]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(
                _client(ip, port, left, latencies, keep_alive), name=f"client {number}"
            )
    seconds = time.perf_counter() - began
    return Load(seconds, tuple(sorted(latencies)))


async def _client(
    ip: str, port: int, left: list[int], latencies: list[float], keep_alive: bool
) -> None:
    loop = asyncio.get_running_loop()
    end = "keep-alive" if keep_alive else "close"
    request = f"GET / HTTP/1.1\r\nHost: web\r\nConnection: {end}\r\n\r\n".encode()
    client: _Client | None = None
    try:
        while left[0] > 0:
            left[0] -= 1
            began = time.perf_counter()
            if client is None:
                _, client = await loop.create_connection(_Client, ip, port)
            await client.ask(request)
            latencies.append(time.perf_counter() - began)
            if not keep_alive:
                client.close()
                client = None
    finally:
        if client is not None:
            client.close()


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[None] | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    async def ask(self, request: bytes) -> None:
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._data = b""
        self._transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._answered

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, separator, body = self._data.partition(b"\r\n\r\n")
        if not separator or self._answered is None:
            return
        length = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            self._fail(RuntimeError(f"answered {head[:200]!r}"))
        elif len(body) >= int(length[1]) and not self._answered.done():
            self._answered.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionResetError(f"closed before the answer: {error}"))

    def _fail(self, error: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
