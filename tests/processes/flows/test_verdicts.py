"""What is not delivered, and how the trace tells it: the same whichever way connections go.

The trace is spelled out here once, for both.
"""

import asyncio

import pytest

from cluster.testing import Unreached
from cluster.trace.join import Trace
from tests.processes.flows.client import until_reset
from tests.processes.flows.ground import WAYS, Ground
from tests.processes.flows.objects import SEAT, nobody_enters

ways = pytest.mark.parametrize("way", WAYS)
PATIENCE_SECONDS = 0.3  # of a client that meets silence


def told(trace: Trace) -> list[str]:
    """Each step of a trace, with its process and what it did."""
    return [f"{hop.process} {hop.step.stage} {hop.step.action}" for hop in trace.hops]


def processes(trace: Trace) -> list[str]:
    """Who took part, in order."""
    return [segment.process for segment in trace.segments]


@ways
async def test_a_port_that_nobody_listens_on_resets_the_client(ground: Ground, way: str) -> None:
    """O-20: an outside client has shaken hands before; the trace says what it saw."""
    trace = await ground.trace(await until_reset(await ground.front("shut", way)))
    assert (trace.outcome, trace.code) == ("refused", "PORT_CLOSED")
    assert trace.client_saw == "connection reset"
    assert (trace.complete, trace.missing, trace.endpoint) == (True, (), None)
    assert told(trace) == expected(way, trace, end="node-2 deliver Rejected")
    assert_in_order(trace)


@ways
async def test_a_policy_drops_in_silence(ground: Ground, way: str) -> None:
    """The client hears nothing; who comes from elsewhere is served."""
    await ground.cluster.apply(nobody_enters(SEAT))
    try:
        async with ground.connected(way=way) as client:
            client.send("who a\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.readline(), PATIENCE_SECONDS)
            trace = await ground.trace(client)
            client.reset()
    finally:
        await ground.cluster.delete(nobody_enters(SEAT))
    assert (trace.outcome, trace.code) == ("dropped", "POLICY_DENIED")
    assert trace.client_saw == "timeout"
    assert (trace.complete, trace.missing, trace.endpoint) == (True, (), None)
    assert told(trace)[-1] == "node-2 ingress Dropped"
    assert "node-2 deliver Delivered" not in told(trace)
    assert_in_order(trace)
    assert (await ground.ask("who b", way=way)).startswith("talker-2 ")


@ways
async def test_what_is_delivered_has_every_step_of_every_process(ground: Ground, way: str) -> None:
    """O-1, O-2."""
    async with ground.connected(way=way) as client:
        assert await client.ask("who a") != ""
        trace = await ground.trace(client)
    assert (trace.outcome, trace.code, trace.client_saw) == ("delivered", None, "connected")
    assert (trace.complete, trace.missing) == (True, ())
    assert trace.endpoint is not None
    assert (trace.endpoint.pod, trace.endpoint.node) == ("talker-2", "node-2")
    assert told(trace) == expected(way, trace, end="node-2 deliver Delivered")
    assert_in_order(trace)


def expected(way: str, trace: Trace, end: str) -> list[str]:
    """The steps of a flow that comes to talker-2, by the node that it entered at."""
    entry = next(each for each in processes(trace) if each != "gateway")
    steps = [f"{entry} {each}" for each in ("service Forwarded", "masquerade Forwarded")]
    route = f"{entry} route Forwarded"
    before = []
    if way == "gateway":
        before = ["gateway balance Forwarded", f"{entry} tunnel Received"]
    if entry == "node-2":
        return [*before, *steps, route, "node-2 ingress Forwarded", end]
    return [*before, *steps, route, "node-2 tunnel Received", "node-2 ingress Forwarded", end]


def assert_in_order(trace: Trace) -> None:
    """Hops are numbered through; each process hands on to the next."""
    assert [hop.number for hop in trace.hops] == list(range(len(trace.hops)))
    assert [each.next_process for each in trace.segments] == [*processes(trace)[1:], ""]


@ways
async def test_a_service_without_endpoints_refuses(ground: Ground, way: str) -> None:
    front = await ground.front("empty", way)
    if way == "gateway":
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(front.ip, front.port)
        return
    with pytest.raises(Unreached) as caught:
        await ground.cluster.connect(front.ip, front.port)
    assert caught.value.kind == "refused"
    assert caught.value.trace is not None
    assert caught.value.trace.code == "SERVICE_BACKEND_NOT_FOUND"


async def test_local_policy_is_silent_where_there_is_no_pod(ground: Ground) -> None:
    """S-87, S-89."""
    front = await ground.front("local", "far")
    with pytest.raises(Unreached) as caught:
        await ground.cluster.connect(front.ip, front.port, timeout_seconds=PATIENCE_SECONDS)
    assert caught.value.kind == "timeout"
