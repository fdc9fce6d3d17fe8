"""GET /explain: what would happen to a flow that is not made."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cluster.wire.clients import OutsideClients
from node_agent.explain import Explain

VIP, NODE_PORT, BIND = "10.96.0.20", 30080, "127.64.0.1"

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def client(world: Any) -> AsyncIterator[Any]:
    node = world.node(1)

    def pod_with(ip: str) -> str:
        network = node.network.pod_with(ip)
        return network.origin.name if network is not None else ""

    explain = Explain(
        node.name, node.ip, BIND, node.rulings, OutsideClients.parse(), world.clock, pod_with
    )
    app = web.Application()
    explain.add_to(app)
    async with TestClient(TestServer(app)) as made:
        yield made


@pytest.fixture
def ask(client: Any) -> Ask:
    async def explain(**query: str) -> dict[str, Any]:
        async with client.get("/explain", params=query) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    return explain


async def test_a_node_port_is_named_by_its_real_address_and_anybody_is_outside(
    world: Any, ask: Ask
) -> None:
    """Nothing is recorded: the flow was not made."""
    world.service("web", VIP, node_port=NODE_PORT)
    segment = await ask(destination=f"{BIND}:{NODE_PORT}")
    assert segment["original"]["destination"] == f"172.30.0.1:{NODE_PORT}"
    assert segment["original"]["source"] == "203.0.113.1:0"
    assert segment["origin"] == {"kind": "outside", "name": "203.0.113.1", "node": ""}
    assert (segment["outcome"], segment["code"]) == ("refused", "SERVICE_BACKEND_NOT_FOUND")
    assert world.nodes[1].segments() == []


async def test_a_pods_address_speaks_for_the_pod(world: Any, ask: Ask) -> None:
    pod, web_pod = await world.pod("client", 1), await world.pod("web", 2)
    segment = await ask(destination=f"{web_pod.ip}:8080", source=pod.ip, protocol="udp")
    assert segment["origin"] == {"kind": "pod", "name": "default/client", "node": "node-1"}
    assert segment["original"]["protocol"] == "UDP" and segment["outcome"] == "passed"


async def test_a_real_source_stands_for_its_client(ask: Ask) -> None:
    segment = await ask(destination=f"{VIP}:80", source="127.66.0.9:5555")
    assert segment["original"]["source"] == "203.0.113.9:5555"


@pytest.mark.parametrize(
    "query", [{}, {"destination": "web:80"}, {"destination": f"{VIP}:80", "protocol": "ICMP"}]
)
async def test_what_names_no_flow_is_a_bad_request(client: Any, query: dict[str, str]) -> None:
    async with client.get("/explain", params=query) as answer:
        assert answer.status == 400 and await answer.text()
