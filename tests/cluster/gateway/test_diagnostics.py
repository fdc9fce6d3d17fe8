"""/explain, /fronts, /metrics, /programmed: asked over HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.dataplane.decision import Code
from cluster.trace.record import Outcome, Segment


@pytest.fixture
async def get(world: Any) -> AsyncIterator[Any]:
    """get(path, **query) -> (status, body)."""
    runner = web.AppRunner(world.gateway.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:

        async def ask(path: str, **query: str) -> tuple[int, Any]:
            async with session.get(path, params=query) as response:
                if response.content_type == "application/json":
                    return response.status, await response.json()
                return response.status, await response.text()

        yield ask
    await runner.cleanup()


async def test_the_decision_on_a_flow_that_is_not_made(
    world: Any, make: Any, get: Any, port: int
) -> None:
    world.node()
    world.put(make.service(port=port))
    destination = f"127.65.211.1:{port}"
    status, body = await get("/explain", destination=destination, source="127.66.0.9:1234")
    segment = Segment.from_json(body)
    assert status == 200
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.NO_ENDPOINT)
    assert str(segment.original) == f"TCP 203.0.113.9:1234 -> {destination}"
    world.put(make.slice("10.244.1.5"))
    _, body = await get("/explain", destination=destination, protocol="tcp")
    segment = Segment.from_json(body)
    assert (segment.outcome, segment.next_process) == (Outcome.PASSED, "node-1")
    assert segment.origin.name == "203.0.113.1"


async def test_an_address_that_is_no_front_is_not_found(get: Any) -> None:
    status, text = await get("/explain", destination="127.65.211.1:1", protocol="UDP")
    assert (status, text) == (404, "no Service of type LoadBalancer has 127.65.211.1:1/UDP\n")


async def test_a_front_whose_port_somebody_else_has_says_so(
    world: Any, make: Any, get: Any, port: int
) -> None:
    world.node()
    with socket.socket() as holder:
        holder.bind(("127.65.211.1", port))
        holder.listen()
        world.put(make.service(port=port))
        world.put(make.slice("10.244.1.5"))
        status, text = await get("/explain", destination=f"127.65.211.1:{port}")
    where = f"127.65.211.1:{port}"
    assert status == 503
    assert text == f"{port}/TCP is not served: {where}: Address already in use\n"


@pytest.mark.parametrize(
    "query",
    [{}, {"destination": "web:80"}, {"destination": "127.0.0.1:80", "protocol": "ICMP"}],
)
async def test_a_question_that_makes_no_sense_is_a_bad_request(
    get: Any, query: dict[str, str]
) -> None:
    assert (await get("/explain", **query))[0] == 400


async def test_fronts_and_metrics_show_the_state(
    world: Any, make: Any, get: Any, port: int
) -> None:
    world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    world.gateway.health.failed("node-1", "refused", surely=True)
    world.gateway.replan()
    ((front,),) = [(await get("/fronts"))[1]]
    assert (front["service"], front["state"]) == ("shop/web", "silent")
    _, text = await get("/metrics")
    assert 'kubehop_gateway_fronts{state="silent"} 1' in text
    assert 'kubehop_gateway_node_healthy{node="node-1"} 0' in text
    assert "kubehop_gateway_connections 0" in text
    assert "kubehop_flows_recorded_total 0" in text
    families = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


async def test_programmed_answers_when_the_fronts_follow(
    world: Any, make: Any, get: Any, port: int
) -> None:
    asking = asyncio.ensure_future(get("/programmed", services="1", timeout="10"))
    await asyncio.sleep(0)
    world.informers[next(iter(world.informers))].feed(("shop", "web"), make.service(port=port))
    assert (await asking)[0] == 200
    assert len(world.gateway.fronts) == 1
    assert (await get("/programmed", services="9", timeout="0.01"))[0] == 504


async def test_flows_are_served(world: Any, make: Any, get: Any, port: int) -> None:
    node = world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    await world.connect(port)
    context, _ = await node.next_flow()
    status, text = await get("/flows", id=context.flow_id, wait="5")
    assert status == 200
    assert context.flow_id in text
