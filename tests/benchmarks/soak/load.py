"""The load of the soak: workers of five kinds, first as fast as they can, then at half of that."""

import asyncio
import itertools
import json
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from cluster.wire.dns import Message, Question, decode, encode
from cluster.wire.dns_records import RRType
from tests.benchmarks.soak.connection import Answer, Connection, connect_from
from tests.benchmarks.soak.tally import Deaths, Tally

Address = tuple[str, int]

KEPT, NEW, INSIDE, DATAGRAMS, NAMES = WORKERS = (
    "keep-alive requests",
    "new connections",
    "calls from pod to Service",
    "datagrams",
    "DNS queries",
)
COUNTS = {KEPT: 16, NEW: 16, INSIDE: 8, DATAGRAMS: 8, NAMES: 4}
CALLS = 5  # of a pod, each time it is told to
DATAGRAM_SECONDS = 2.0
NAME = "server.default.svc.cluster.local"
CLIENTS = tuple(f"127.66.0.{number}" for number in range(10, 42))
PER_SOCKET = 50  # datagrams of one flow


@dataclass(frozen=True, slots=True)
class Targets:
    """Where it all goes."""

    http: Address
    udp: Address
    caller: Address
    dns: Address
    service_ip: str
    nodes: dict[str, str]  # emulated address -> name

    def node_of(self, entry: str) -> str:
        """The node that a pod saw as its client."""
        return self.nodes.get(entry, entry)


class Load:
    """Workers and what they counted; `node_of_pod` is kept by whoever watches the pods."""

    def __init__(self, targets: Targets, deaths: Deaths, node_of_pod: dict[str, str]) -> None:
        self.tallies = {name: Tally(name) for name in WORKERS}
        self._targets = targets
        self._deaths = deaths
        self._node_of_pod = node_of_pod
        self._tokens = itertools.count()
        self._random = Random(1)
        self._loop = asyncio.get_running_loop()

    async def run(self, seconds: float, intervals: dict[str, float]) -> None:
        """All workers for so long, each with a pause by its kind between begins."""
        for tally in self.tallies.values():
            tally.clear()
            tally.seconds = seconds
        ends = self._loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            for name, worker in self._workers().items():
                for number in range(COUNTS[name]):
                    pace = _Pace(self._loop, intervals.get(name, 0.0), ends, self._random.random())
                    group.create_task(worker(pace), name=f"{name} {number}")

    def halves(self) -> dict[str, float]:
        """The pauses that make half of what was reached in the run before."""
        found = {}
        for name, tally in self.tallies.items():
            per_worker = max(tally.all, 1) / COUNTS[name] / tally.seconds
            if name == INSIDE:
                per_worker /= CALLS
            found[name] = 2 / per_worker
        return found

    def _workers(self) -> dict[str, Callable[["_Pace"], Awaitable[None]]]:
        return {
            KEPT: self._kept,
            NEW: self._new,
            INSIDE: self._inside,
            DATAGRAMS: self._datagrams,
            NAMES: self._names,
        }

    # HTTP

    async def _kept(self, pace: "_Pace") -> None:
        """One connection for as long as it lives, then another."""
        connection: Connection | None = None
        async for begin in pace:
            if connection is None or connection.ends:
                connection = await self._opened(KEPT, begin)
            if connection is not None and not await self._asked(KEPT, connection, begin):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _new(self, pace: "_Pace") -> None:
        """A connection for each request."""
        async for begin in pace:
            connection = await self._opened(NEW, begin)
            if connection is not None:
                await self._asked(NEW, connection, begin, close=True)
                connection.close()

    async def _opened(self, kind: str, begin: float) -> Connection | None:
        try:
            return await connect_from(self._random.choice(CLIENTS), *self._targets.http)
        except (OSError, TimeoutError) as error:
            self._lost(kind, begin, None, f"not connected: {error!r}")
            return None

    async def _asked(
        self, kind: str, connection: Connection, begin: float, *, close: bool = False
    ) -> bool:
        token = f"t{next(self._tokens)}"
        before = connection.last
        try:
            answer = await connection.ask(token, close=close)
        except (OSError, TimeoutError) as error:
            self._lost(kind, begin, before, f"after {before}: {error!r}")
            return False
        return self._answered(kind, answer, token)

    # inside

    async def _inside(self, pace: "_Pace") -> None:
        """Tell a pod to call the Service; the way to that pod does not count."""
        async for begin in pace:
            tokens = [f"t{next(self._tokens)}" for _ in range(CALLS)]
            try:
                asked = await self._told(tokens)
            except (OSError, TimeoutError) as error:
                self._lost(INSIDE, begin, None, f"the caller did not answer: {error!r}")
                continue
            for token, each in zip(tokens, asked, strict=True):
                if "failed" in each:
                    self._lost(INSIDE, begin, None, each["failed"])
                else:
                    self._answered(INSIDE, Answer(**each), token)

    async def _told(self, tokens: Iterable[str]) -> list[dict[str, str]]:
        async with asyncio.timeout(10 * DATAGRAM_SECONDS):
            reader, writer = await asyncio.open_connection(*self._targets.caller)
            try:
                path = f"/call?tokens={quote(','.join(tokens))}"
                writer.write(f"GET {path} HTTP/1.0\r\nHost: caller\r\n\r\n".encode())
                _, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        if not body:
            raise ConnectionError("closed before the answer")
        found: list[dict[str, str]] = json.loads(body)
        return found

    # datagrams

    async def _datagrams(self, pace: "_Pace") -> None:
        """Tokens to the Service, so many from each socket."""
        sock: socket.socket | None = None
        last: Answer | None = None
        try:
            async for begin in pace:
                if sock is None or pace.turns % PER_SOCKET == 0:
                    sock, last = _renewed(sock, self._targets.udp), None
                token = f"t{next(self._tokens)}"
                answer = await self._exchanged(sock, token.encode())
                if answer is None:
                    self._lost(DATAGRAMS, begin, last, f"no reply, after {last}")
                    sock, last = _renewed(sock, self._targets.udp), None
                else:
                    last = Answer(*answer.decode().split())
                    self._answered(DATAGRAMS, last, token)
        finally:
            if sock is not None:
                sock.close()

    async def _names(self, pace: "_Pace") -> None:
        """A Service's name, which has an address, and one that is none."""
        sock = _renewed(None, self._targets.dns)
        try:
            async for begin in pace:
                number = next(self._tokens) & 0xFFFF
                known = pace.turns % 4 != 0
                name = NAME if known else f"n{number}.default.svc.cluster.local"
                query = Message(id=number, questions=(Question(name, RRType.A),))
                data = await self._exchanged(sock, encode(query))
                if data is None:
                    self._lost(NAMES, begin, None, f"no answer for {name}")
                    sock = _renewed(sock, self._targets.dns)
                    continue
                message = decode(data)
                found = [str(each.data) for each in message.answers]
                expected = [self._targets.service_ip] if known else []
                self._counted(NAMES, message.id == number and found == expected, f"{message}")
        finally:
            sock.close()

    async def _exchanged(self, sock: socket.socket, data: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(DATAGRAM_SECONDS):
                await self._loop.sock_sendall(sock, data)
                return await self._loop.sock_recv(sock, 1024)
        except (OSError, TimeoutError):
            return None

    # what came of it

    def _answered(self, kind: str, answer: Answer, token: str) -> bool:
        right = answer.token == token and answer.pod in self._node_of_pod
        self._counted(kind, right, f"{answer} to {token}")
        return right

    def _counted(self, kind: str, right: bool, example: str) -> None:
        tally = self.tallies[kind]
        if right:
            tally.answered += 1
        else:
            tally.misdelivered += 1
            tally.examples.append(f"misdelivered: {example}")

    def _lost(self, kind: str, begin: float, way: Answer | None, why: str) -> None:
        tally, now = self.tallies[kind], self._loop.time()
        pod = way.pod if way else ""
        entry = self._targets.node_of(way.entry) if way else ""
        home = self._node_of_pod.get(pod, "")
        nodes = tuple(filter(None, (entry, home)))
        if self._deaths.explain(begin, now, pod, nodes):
            tally.announced += 1
        else:
            tally.lost += 1
            tally.examples.append(f"lost at {now:.1f}: {why}")


class _Pace:
    """Begins of requests at intervals, until the end; `async for` gives the time of each."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, interval: float, ends: float, offset: float
    ) -> None:
        self.turns = 0
        self._loop = loop
        self._interval = interval
        self._ends = ends
        self._next = loop.time() + interval * offset

    def __aiter__(self) -> "_Pace":
        return self

    async def __anext__(self) -> float:
        now = self._loop.time()
        await asyncio.sleep(max(self._next - now, 0))
        now = self._loop.time()
        self._next = max(self._next + self._interval, now)  # who is late does not catch up
        if now >= self._ends:
            raise StopAsyncIteration
        self.turns += 1
        return now


def _renewed(sock: socket.socket | None, target: Address) -> socket.socket:
    if sock is not None:
        sock.close()
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect(target)
    return made
