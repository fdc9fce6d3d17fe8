"""Many datagrams of one client at the shop's clock: by batches on every process of the way."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cluster.trace.query import Query
from cluster.traffic.resolve import resolve
from cluster.wire.addresses import Protocol, SocketAddress

PORT, NODE_PORT = 9999, 30999
WAIT_SECONDS = 30.0
IN_FLIGHT = 40
SIZES = (0, 1, 60, 1200, 3000)
SOURCE = "127.66.0.21"


class Client:
    """A UDP socket of the outside."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    @property
    def port(self) -> int:
        return int(self._sock.getsockname()[1])

    def send(self, data: bytes) -> None:
        self._sock.send(data)

    async def heard(self) -> bytes:
        """What the clock answers, without its name and whom it saw."""
        received = asyncio.get_running_loop().sock_recv(self._sock, 65536)
        return (await asyncio.wait_for(received, WAIT_SECONDS)).split(b" ", 2)[2]


@asynccontextmanager
async def client_of(shop: Any, way: str) -> AsyncIterator[Client]:
    known = await shop.cluster.access.known()
    number = PORT if way == "clock" else NODE_PORT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((SOURCE, 0))
        sock.connect(resolve(way, number, known, protocol=Protocol.UDP, namespace="shop").real)
        yield Client(sock)


async def ways(shop: Any) -> list[str]:
    """By the gateway, by the pod's own node, and by another one."""
    (clock,) = await shop.pods("clock")
    far = next(node for node in await shop.nodes() if node != clock.node)
    return ["clock", clock.node, far]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["gateway", "near", "far"])
async def test_bursts_come_back_unaltered_in_order_and_none_is_lost(shop: Any, which: int) -> None:
    """So many in flight, of all sizes, and now and then one alone."""
    async with client_of(shop, (await ways(shop))[which]) as client:
        number = 0
        for size in SIZES:
            for together in (1, IN_FLIGHT, 1, 1, IN_FLIGHT):
                sent = [b"%d " % (number + each) + b"x" * size for each in range(together)]
                for data in sent:
                    client.send(data)
                assert [await client.heard() for _ in sent] == sent
                number += together


async def test_clients_at_the_same_time_get_their_own_answers(shop: Any) -> None:
    """Each is a flow of its own; their datagrams travel in the same batches."""

    async def talk(way: str, name: int) -> None:
        async with client_of(shop, way) as client:
            for round_ in range(10):
                sent = [b"%d %d %d" % (name, round_, each) for each in range(10)]
                for data in sent:
                    client.send(data)
                assert [await client.heard() for _ in sent] == sent

    every = await ways(shop)
    await asyncio.gather(*(talk(every[name % 3], name) for name in range(12)))


async def test_a_flow_that_was_carried_by_batches_is_one_in_the_trace(shop: Any) -> None:
    """O-4: one decision a process, however many datagrams."""
    _, near, far = await ways(shop)
    async with client_of(shop, far) as client:
        for each in range(IN_FLIGHT):
            client.send(b"%d" % each)
        for _ in range(IN_FLIGHT):
            await client.heard()
        source = shop.cluster.access.clients.client_of(SOURCE)
        asked = Query(source=SocketAddress(source, client.port), protocol=Protocol.UDP)
        trace = await shop.cluster.trace(asked)
    assert [segment.process for segment in trace.segments] == [far, near]
    assert trace.complete
