"""Session affinity by client address, wherever the client comes in."""

import asyncio

import pytest

from tests.processes.flows.ground import Ground

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


async def test_by_the_gateway_each_node_remembers(ground: Ground) -> None:
    """S-68: the balancer spreads clients over nodes; each node keeps its own."""
    by_entry: dict[str, set[str]] = {}
    for _ in range(24):
        async with ground.connected("sticky", "gateway", source=CLIENTS[0]) as client:
            pod = (await client.ask("who a")).split()[0]
            trace = await ground.trace(client)
        entry = next(each.process for each in trace.segments if each.process != "gateway")
        by_entry.setdefault(entry, set()).add(pod)
    assert all(len(pods) == 1 for pods in by_entry.values()), by_entry


async def test_both_ports_of_a_node_have_an_affinity_of_their_own(ground: Ground) -> None:
    """S-71: it is kept per Service port; the trace says that it was affinity."""
    async with ground.connected("sticky", "far", source=CLIENTS[1]) as client:
        assert await client.ask("who a") != ""
    async with ground.connected("sticky", "far", source=CLIENTS[1]) as client:
        assert await client.ask("who a") != ""
        trace = await ground.trace(client)
    (step,) = (hop.step for hop in trace.hops if hop.step.stage == "service")
    assert "session affinity" in step.reason
