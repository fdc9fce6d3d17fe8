"""A load generator in Python: in a pod, and wherever wrk is not installed.

python -m tests.benchmarks.client IP PORT CLIENTS SECONDS keep|close     prints what came of it

One event loop, a protocol for each connection that writes the next request as soon as it has the
answer to the one before. It ends by itself, and is bounded in connections and time.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

CLIENTS_MAX = 256
SECONDS_MAX = 10.0
ANSWER_SECONDS = 5.0
_REQUEST = "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it."""

    requests: int
    per_second: float
    p50: float  # seconds
    p99: float
    lost: int  # connections that were refused, reset, or closed before the answer; wrong answers


class _Client(asyncio.Protocol):
    """One connection at a time, until the time is up."""

    def __init__(self, request: bytes, ends: float, keep: bool) -> None:
        self.latencies: list[float] = []
        self.lost = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request, self._ends, self._keep = request, ends, keep
        self._began = 0.0
        self._answered = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        if self._keep:
            self.began()
        self._answered = False
        self._transport.write(self._request)

    def began(self) -> None:
        """A request's time runs from here; with a connection of its own, from the connecting."""
        self._began = time.perf_counter()

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._began)
        self.lost += not data.startswith(b"HTTP/1.1 200")
        self._answered = True
        if now >= self._ends or not self._keep:
            self._transport.close()
        else:
            self._began, self._answered = now, False
            self._transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost += not self._answered
        if not self.ended.done():
            self.ended.set_result(None)


async def ask(host: str, port: int, clients: int, seconds: float, keep: bool = True) -> Asked:
    """So many clients, for so long."""
    if clients > CLIENTS_MAX or seconds > SECONDS_MAX:
        raise ValueError(f"{clients} clients for {seconds} s: too many")
    connection = "keep-alive" if keep else "close"
    request = _REQUEST.format(host=host, connection=connection).encode()
    began = time.perf_counter()
    ends = began + seconds
    found = await asyncio.gather(
        *(_client(host, port, request, ends, keep) for _ in range(clients))
    )
    took = time.perf_counter() - began
    latencies = sorted(each for some, _ in found for each in some)
    answered = len(latencies)
    latencies = latencies or [0.0]
    return Asked(
        requests=answered,
        per_second=answered / took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        lost=sum(lost for _, lost in found),
    )


async def _client(
    host: str, port: int, request: bytes, ends: float, keep: bool
) -> tuple[list[float], int]:
    latencies: list[float] = []
    lost = 0
    while True:
        try:
            protocol = await _connection(host, port, request, ends, keep)
        except OSError:
            lost += 1
        else:
            latencies += protocol.latencies
            lost += protocol.lost
        if time.perf_counter() >= ends:
            return latencies, lost


async def _connection(host: str, port: int, request: bytes, ends: float, keep: bool) -> _Client:
    protocol = _Client(request, ends, keep)
    protocol.began()
    await asyncio.get_running_loop().create_connection(lambda: protocol, host, port)
    left = max(ends - time.perf_counter(), 0.0) + ANSWER_SECONDS
    await asyncio.wait_for(protocol.ended, left)
    return protocol


def main() -> int:
    """The command."""
    import uvloop

    ip, port, clients, seconds, how = sys.argv[1:]
    if not ip.startswith("127."):
        raise ValueError(f"{ip} is not of this machine")
    asked = uvloop.run(ask(ip, int(port), int(clients), float(seconds), how == "keep"))
    print(json.dumps(asdict(asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
