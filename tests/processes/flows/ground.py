"""A cluster whose connections go one of two ways, and what the tests ask of it.

hand-over   the accepted socket itself travels to the pod
relay       each process on the way joins two sockets
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cluster.testing.under_test import ClusterUnderTest
from cluster.trace.join import Trace
from cluster.trace.query import Query
from cluster.traffic.resolve import resolve
from cluster.traffic.traces import NoTrace
from cluster.wire.addresses import Protocol, SocketAddress
from tests.processes.flows.client import WAIT_SECONDS, Client, dialled

PATHS = ("hand-over", "relay")
WAYS = ("gateway", "far", "near")  # near: the node port of the pod's own node
ENTRIES = {"far": "node-1", "near": "node-2"}
PORTS = ("talk", "greet", "tls", "http")
POLL_SECONDS = 0.02  # what is asked over and over announces nothing
PROCESSES = ("gateway", "node-1", "node-2", "node-3")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster with talkers; `path` is how its connections go."""

    cluster: ClusterUnderTest
    path: str
    certificates: Path

    async def front(
        self, service: str = "solo", way: str = "gateway", port: str = "talk"
    ) -> SocketAddress:
        """Where an outside client dials a Service, by a way."""
        known = await self.cluster.access.known()
        document = next(each for each in known.services if each["metadata"]["name"] == service)
        entry = next(each for each in document["spec"]["ports"] if each["name"] == port)
        if way == "gateway":
            return resolve(service, entry["port"], known).real
        return resolve(ENTRIES.get(way, way), entry["nodePort"], known).real

    @asynccontextmanager
    async def connected(
        self,
        service: str = "solo",
        way: str = "gateway",
        port: str = "talk",
        source: str = "127.66.0.9",
    ) -> AsyncIterator[Client]:
        """A connection for the time of a block."""
        async with dialled(await self.front(service, way, port), source) as client:
            yield client

    async def ask(self, line: str, service: str = "solo", way: str = "near") -> str:
        """One line on a connection of its own."""
        async with self.connected(service, way) as client:
            return await client.ask(line)

    # traces

    async def trace(self, client: Client | SocketAddress, *, ended: bool = False) -> Trace:
        """That of a connection: whole, and with its end if that is wanted."""
        trace = await until(
            lambda: self.told(client),
            lambda trace: (
                trace is not None
                and trace.complete
                and (not ended or trace.segments[-1].ended is not None)
            ),
        )
        assert trace is not None
        return trace

    async def told(self, client: Client | SocketAddress) -> Trace | None:
        """What is told of a connection so far."""
        near = client.address if isinstance(client, Client) else client
        source = SocketAddress(self.cluster.access.clients.client_of(near.ip), near.port)
        query = Query(source=source, protocol=Protocol.TCP)
        with suppress(NoTrace):
            return await self.cluster.trace(query)
        return None

    # processes

    async def pid(self, process: str) -> int:
        """A process's number."""
        return int((await self.cluster.processes())[process]["pid"])

    @asynccontextmanager
    async def stopped(self, process: str) -> AsyncIterator[None]:
        """A process that does nothing for the time of a block."""
        pid = await self.pid(process)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it was killed meanwhile
                os.kill(pid, signal.SIGCONT)

    async def go_on(self, process: str) -> None:
        """End a process's stop before the block's end."""
        os.kill(await self.pid(process), signal.SIGCONT)

    async def sockets(self) -> dict[str, set[str]]:
        """Those of the network that each process of the data plane has open."""
        found = await self.cluster.processes()
        return {name: sockets(found[name]["pid"]) for name in PROCESSES}

    async def opened_since(self, before: dict[str, set[str]]) -> dict[str, set[str]]:
        """Of the processes that have more sockets than before: which they had not."""
        now = await self.sockets()
        return {
            name: now[name] - before[name] for name in now if len(now[name]) > len(before[name])
        }


def passed_by(said: str, way: str) -> list[str]:
    """The processes of a connection, in order, by what a talker says of who came to it.

    For Services of policy Cluster: the client is masqueraded by the node that it entered at.
    """
    name, peer, *_ = said.split()
    entry = f"node-{peer.partition(':')[0].rpartition('.')[2]}"
    home = f"node-{name.rpartition('-')[2]}"
    nodes = [entry] if entry == home else [entry, home]
    return ["gateway", *nodes] if way == "gateway" else nodes


def sockets(pid: int) -> set[str]:
    """A process's sockets of the network; its Unix connections to the API come and go."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(path.readlink()))
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    unix = {f"socket:[{line.split()[6]}]" for line in lines}
    return {each for each in found - unix if each.startswith("socket:")}


async def until(ask: Callable[[], Awaitable[Found]], holds: Callable[[Found], bool]) -> Found:
    """Ask again and again until something holds of the answer."""
    found: Found | None = None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                found = await ask()
                if holds(found):
                    return found
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"it never came to hold; the last answer was {found}") from None
