"""A flow's trace, whole or with a line for what is missing (O-1, O-49)."""

import asyncio
from typing import Any

import pytest

from cluster.trace.query import Query
from cluster.trace.recorder import DELIVERED_MAX
from cluster.traffic.access import Access
from cluster.traffic.traces import NoTrace, trace_of
from cluster.wire.addresses import SocketAddress

FLOW = ("203.0.113.1:40001", "127.65.0.1:80")


async def test_a_trace_is_waited_for_until_every_hop_has_arrived(
    access: Access, machine: Any, made: Any
) -> None:
    gateway, node = await machine.process("gateway"), await machine.process("node-1")
    gateway.record(made.segment(*FLOW, process="gateway", outcome="passed", next_process="node-1"))
    asking = asyncio.ensure_future(trace_of(access, "4c1f9a2b7d3e6f80", wait=60))
    await node.followed.wait()
    node.record(made.segment(*FLOW, first=1))
    async with asyncio.timeout(20):
        trace = await asking
    assert trace.complete and [hop.process for hop in trace.hops] == ["gateway", "node-1"]


async def test_what_is_missing_is_named_with_the_reason(
    access: Access, machine: Any, made: Any
) -> None:
    gateway = await machine.process("gateway")
    await machine.process("node-1")
    await machine.stop("node-1")
    gateway.record(made.segment(*FLOW, process="gateway", outcome="passed", next_process="node-1"))
    trace = await trace_of(access, "4c1f9a2b7d3e6f80", wait=0)
    assert not trace.complete
    assert "node-1 has not reported" in trace.missing[0]
    assert "node-1 cannot be asked: unix:" in trace.missing[0]


async def test_what_is_missing_may_have_been_forgotten(
    access: Access, machine: Any, made: Any
) -> None:
    """O-49: a full ring says so where its part is missed."""
    gateway, node = await machine.process("gateway"), await machine.process("node-1")
    gateway.record(made.segment(*FLOW, process="gateway", outcome="passed", next_process="node-1"))
    for number in range(DELIVERED_MAX + 3):
        node.record(made.segment(*FLOW, flow_id=f"other-{number}"))
    trace = await trace_of(access, "4c1f9a2b7d3e6f80", wait=0)
    assert trace.missing[0].endswith("; flows forgotten since the start: node-1 3")


async def test_of_the_flows_that_a_query_finds_the_newest_is_told_whole(
    access: Access, machine: Any, made: Any
) -> None:
    gateway, node = await machine.process("gateway"), await machine.process("node-1")
    for number, flow_id in enumerate(("old", "new")):
        common = {"flow_id": flow_id, "started": 100.0 + number}
        passed = made.segment(
            *FLOW, process="gateway", outcome="passed", next_process="node-1", **common
        )
        gateway.record(passed)
        node.record(made.segment("203.0.113.1:40001", "10.244.1.5:8080", first=1, **common))
    query = Query(destination=SocketAddress("127.65.0.1", 80))
    trace = await trace_of(access, query, wait=0)
    assert trace.flow_id == "new" and trace.complete and len(trace.hops) == 2


@pytest.mark.parametrize("wanted", ["feed", Query(destination=SocketAddress("10.1.1.1", 0))])
async def test_a_flow_that_nobody_knows_is_said_and_who_was_not_asked(
    access: Access, machine: Any, made: Any, wanted: Any
) -> None:
    await machine.process("gateway")
    await machine.process("node-1")
    await machine.stop("node-1")
    with pytest.raises(NoTrace, match=r"(id=feed|destination=10\.1\.1\.1).*node-1 cannot be asked"):
        await trace_of(access, wanted, wait=0)
