"""How connections end, as each side sees it: in order, by halves, by resets; and in the trace."""

import asyncio
import sys

import pytest

from tests.processes.flows.client import WAIT_SECONDS
from tests.processes.flows.ground import WAYS, Ground

ways = pytest.mark.parametrize("way", WAYS)
AFTERWARDS = 300_000


@ways
async def test_the_pod_ends_its_side_and_goes_on_reading(ground: Ground, way: str) -> None:
    name = f"half-{ground.path}-{way}"
    async with ground.connected(way=way) as client:
        client.send(f"{name}: half-close\n")
        assert await client.rest() == b"bye\n"
        client.send(b"z" * AFTERWARDS)
        client.finish()
        assert (await ground.ask(f"heard {name}")).startswith(f"end {AFTERWARDS} ")


@ways
async def test_the_pod_closes_first(ground: Ground, way: str) -> None:
    async with ground.connected(way=way) as client:
        client.send("close\n")
        assert await client.rest() == b"bye\n"


@ways
async def test_a_reset_by_the_pod_reaches_the_client(ground: Ground, way: str) -> None:
    async with ground.connected(way=way) as client:
        client.send("reset\n")
        assert await client.met() == "reset"


@ways
async def test_a_reset_by_the_client_reaches_the_pod(ground: Ground, way: str) -> None:
    name = f"reset-{ground.path}-{way}"
    async with ground.connected(way=way) as client:
        assert await client.ask(f"{name}: who a") != ""
        client.reset()
        assert (await ground.ask(f"heard {name}")).startswith("ConnectionResetError ")


@ways
async def test_a_client_that_leaves_is_seen_to_leave(ground: Ground, way: str) -> None:
    name = f"leave-{ground.path}-{way}"
    async with ground.connected(way=way) as client:
        assert await client.ask(f"{name}: who a") != ""
    assert (await ground.ask(f"heard {name}")).startswith("end 0 ")


@ways
async def test_a_client_that_is_gone_before_anybody_takes_it_harms_nobody(
    ground: Ground, way: str
) -> None:
    """Reset while its node does nothing; the next one is served."""
    async with ground.stopped("node-2"), ground.connected(way=way) as client:
        client.send("who a\n")
        client.reset()
    assert (await ground.ask("who b", way=way)).startswith("talker-2 ")


@ways
async def test_the_trace_says_that_a_connection_lives_and_then_that_it_has_ended(
    ground: Ground, way: str
) -> None:
    async with ground.connected(way=way) as client:
        assert await client.ask("who a") != ""
        trace = await ground.trace(client)
        assert {segment.ended for segment in trace.segments} == {None}
        assert (trace.outcome, trace.client_saw) == ("delivered", "connected")
    ended = await ground.trace(client, ended=True)
    assert ended.flow_id == trace.flow_id
    assert ended.complete


async def test_the_command_shows_a_live_connection_and_its_end(ground: Ground) -> None:
    async with ground.connected(way="gateway") as client:
        assert await client.ask("who a") != ""
        flow_id = (await ground.trace(client)).flow_id
        live = await shown(ground, flow_id)
        assert "deliver" in live and "closed" not in live
    await ground.trace(client, ended=True)
    assert "closed" in await shown(ground, flow_id)


async def shown(ground: Ground, flow_id: str) -> str:
    """What `kubehop trace` says of a flow."""
    command = (sys.executable, "-m", "cluster", "trace", flow_id, "--name", ground.cluster.name)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(WAIT_SECONDS):
        said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()
