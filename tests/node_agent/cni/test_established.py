"""Which connections live, and when they ended."""

import asyncio
from typing import Any

import pytest

from node_agent.cni import established

IP_PORT = 8080


async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello\n")
    await reader.read()
    writer.close()


async def connected(world: Any, count: int = 1) -> list[Any]:
    """Connections from a client pod to a web pod of one node."""
    web, client = await world.pod("web"), await world.pod("client")

    async def listen() -> None:
        await asyncio.start_server(stay, None, IP_PORT)

    await world.run(web, listen)
    made = []
    for _ in range(count):
        reader, writer = await world.run(client, lambda: asyncio.open_connection(web.ip, IP_PORT))
        assert await reader.readline() == b"hello\n"
        made.append((reader, writer))
    return made


async def test_an_ended_connection_is_noted_by_the_next_sweep(world: Any) -> None:
    ((reader, writer),) = await connected(world)
    table, node = world.nodes[1].established, world.nodes[1]
    (flow_id,) = table.live()
    assert flow_id == node.segments()[-1].flow_id
    table.sweep()
    assert node.segments()[-1].ended is None
    sweeping = asyncio.create_task(table.sweep_forever())
    writer.close()
    await world.until(lambda: not table.live())
    world.clock.advance(established.SWEEP_SECONDS)
    await world.until(lambda: node.segments()[-1].ended)
    assert node.segments()[-1].ended == world.clock.now()
    sweeping.cancel()
    assert await reader.read() == b""


async def test_the_end_of_a_relay_is_noted_with_its_bytes(world: Any) -> None:
    ((_, writer),) = await connected(world)
    node = world.nodes[1]
    flow_id = node.segments()[-1].flow_id
    node.established.ended(flow_id, 12, 34)
    segment = node.segments()[-1]
    assert (segment.bytes_in, segment.bytes_out) == (12, 34)
    assert node.established.live() == {}
    writer.close()


async def test_beyond_the_bound_connections_are_carried_and_not_noted(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(established, "ESTABLISHED_MAX", 2)
    made = await connected(world, 3)
    assert len(world.nodes[1].established.live()) == 2
    for _, writer in made:
        writer.close()
