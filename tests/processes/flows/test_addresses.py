"""Whom the pod sees, and as whom it is spoken to: emulated addresses, whatever the socket's are."""

import pytest

from tests.processes.flows.ground import ENTRIES, WAYS, Ground

ways = pytest.mark.parametrize("way", WAYS)
REAL, EMULATED = "127.66.0.77", "203.0.113.77"


async def seen(ground: Ground, service: str, way: str) -> tuple[str, str, int, str]:
    """Client and own address as the pod has them, with the client's port and the entry node."""
    async with ground.connected(service, way, source=REAL) as client:
        name, peer, own, _ = (await client.ask("who a")).split()
        assert name == "talker-2"
        trace = await ground.trace(client)
        return peer, own, client.address.port, trace.segments[-1].process


async def pod_ip(ground: Ground, name: str = "talker-2") -> str:
    document = await ground.cluster.api.call("GET", f"/api/v1/namespaces/default/pods/{name}")
    return str(document["status"]["podIP"])


@pytest.mark.parametrize("way", ["gateway", "near"])
async def test_local_policy_shows_the_client_itself(ground: Ground, way: str) -> None:
    """S-102: the pod sees the client's address and port, and its own as the one spoken to."""
    peer, own, port, _ = await seen(ground, "local", way)
    assert peer == f"{EMULATED}:{port}"
    assert own == f"{await pod_ip(ground)}:7000"


@ways
async def test_cluster_policy_shows_the_node_that_the_client_entered_by(
    ground: Ground, way: str
) -> None:
    """S-101: replies must return through it."""
    async with ground.connected("solo", way, source=REAL) as client:
        _, peer, own, _ = (await client.ask("who a")).split()
        trace = await ground.trace(client)
    entry = next(each.process for each in trace.segments if each.process != "gateway")
    assert entry == ENTRIES.get(way, entry)
    assert peer == f"172.30.0.{entry[-1]}:{client.address.port}"
    assert own == f"{await pod_ip(ground)}:7000"
    assert str(trace.original.source) == f"{EMULATED}:{client.address.port}"
    assert str(trace.flow.source) == peer
    assert str(trace.flow.destination) == own


@ways
async def test_http_and_tls_see_the_same_as_the_socket(ground: Ground, way: str) -> None:
    """A program asks its transport, and a web framework asks for it."""
    entry = "local" if way != "far" else "solo"
    front = await ground.front(entry, way, "http")
    answer = await ground.cluster.curl(f"http://{front.ip}:{front.port}/who", source=EMULATED)
    expected = EMULATED if entry == "local" else "172.30.0.1"
    assert answer.json() == {"pod": "talker-2", "client": expected}
