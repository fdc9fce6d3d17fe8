"""Session affinity by client address, wherever the client comes in."""

import asyncio

import pytest

from tests.processes.flows.ground import Ground, passed_by

CLIENTS = tuple(f"127.66.0.{number}" for number in range(20, 32))


async def served(ground: Ground, way: str, source: str) -> str:
    async with ground.connected("sticky", way, source=source) as client:
        return (await client.ask("who a")).split()[0]


@pytest.mark.parametrize("way", ["far", "near"])
async def test_a_client_stays_with_its_pod(ground: Ground, way: str) -> None:
    """S-68: at one node; several clients are spread."""
    first = await asyncio.gather(*(served(ground, way, each) for each in CLIENTS))
    for _ in range(4):
        assert await asyncio.gather(*(served(ground, way, each) for each in CLIENTS)) == first
    assert len(set(first)) > 1, "twelve clients, drawn alike by one in 3 ** 11"


async def test_a_node_has_one_memory_whichever_way_a_client_comes_in(ground: Ground) -> None:
    """S-68: the balancer spreads a client over the nodes; each node remembers for both fronts."""
    by_entry: dict[str, set[str]] = {}
    for _ in range(24):
        async with ground.connected("sticky", "gateway", source=CLIENTS[0]) as client:
            said = await client.ask("who a")
        _, entry, *_ = passed_by(said, "gateway")
        by_entry.setdefault(entry, set()).add(said.split()[0])
    for node in ("node-1", "node-2", "node-3"):
        by_entry.setdefault(node, set()).add(await served(ground, node, CLIENTS[0]))
    assert all(len(pods) == 1 for pods in by_entry.values()), by_entry


async def test_the_trace_says_that_it_was_affinity(ground: Ground) -> None:
    async with ground.connected("sticky", "far", source=CLIENTS[1]) as client:
        assert await client.ask("who a") != ""
    async with ground.connected("sticky", "far", source=CLIENTS[1]) as client:
        assert await client.ask("who a") != ""
        trace = await ground.trace(client)
    (step,) = (hop.step for hop in trace.hops if hop.step.stage == "service")
    assert "session affinity" in step.reason
