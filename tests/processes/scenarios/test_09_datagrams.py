"""Scenario 9: a datagram service behind ClusterIP, node port and gateway."""

import asyncio
from typing import Any

import pytest

from cluster.traffic.unreached import Unreached

PORT, NODE_PORT = 9999, 30999


async def test_behind_its_cluster_ip(shop: Any, read: Any) -> None:
    """S-84, S-99, N-139, O-4: by name, and the clock sees the pod's own address."""
    (clock,) = await shop.pods("clock")
    for same_node in (True, False):
        visitors = [pod for pod in await shop.pods() if (pod.node == clock.node) is same_node]
        visitor = next(pod for pod in visitors if pod.name != clock.name)
        answer = await shop.datagram("clock", PORT, b"now", f"pod/{visitor.name}")
        name, client, text = answer.payload.decode().split()
        assert (name, text) == (clock.name, "now")
        assert client.startswith(f"{visitor.ip}:")
        trace = answer.trace
        assert trace.original.protocol == "UDP"
        assert str(trace.original.destination) == f"{await shop.cluster_ip('clock')}:{PORT}"
        homes = [visitor.node] if same_node else [visitor.node, clock.node]
        assert read.processes(trace) == homes
        expected = ["resolve", "service", "egress", "route", "ingress", "deliver"]
        assert read.stages(trace) == expected


async def test_at_every_nodes_port(shop: Any, read: Any) -> None:
    """S-93, S-101."""
    (clock,) = await shop.pods("clock")
    for node in await shop.nodes():
        answer = await shop.datagram(node, NODE_PORT, b"tick")
        _, client, text = answer.payload.decode().split()
        assert text == "tick"
        assert client.startswith(f"{await shop.internal_ip(node)}:")
        nodes = [node] if node == clock.node else [node, clock.node]
        assert read.processes(answer.trace) == nodes


async def test_through_the_gateway(shop: Any, read: Any) -> None:
    """S-8, S-101, O-4."""
    (clock,) = await shop.pods("clock")
    answer = await shop.datagram("clock", PORT, b"tock", "203.0.113.7")
    assert answer.payload.decode().split()[::2] == [clock.name, "tock"]
    trace = answer.trace
    assert trace.original.source.ip == "203.0.113.7"
    assert read.processes(trace)[0] == "gateway"
    assert read.processes(trace)[-1] == clock.node == trace.endpoint.node
    assert read.stages(trace)[:2] == ["balance", "service"]


async def test_each_datagram_comes_back_to_whoever_sent_it(shop: Any) -> None:
    """Two clients at once: each flow has its own way back (N-15, N-86)."""
    sent = {f"203.0.113.{number}": f"from-{number}".encode() for number in range(10, 30)}
    answers = await asyncio.gather(
        *(shop.datagram("clock", PORT, text, source) for source, text in sent.items())
    )
    assert [each.payload.split()[-1] for each in answers] == list(sent.values())


async def test_a_large_datagram_arrives_whole(shop: Any) -> None:
    """Encapsulated between nodes, in one piece."""
    (clock,) = await shop.pods("clock")
    visitor = next(pod for pod in await shop.pods() if pod.node != clock.node)
    text = b"x" * 8000
    answer = await shop.datagram("clock", PORT, text, f"pod/{visitor.name}")
    assert answer.payload.endswith(b" " + text)


async def test_a_service_without_endpoints_refuses_a_connected_socket(shop: Any) -> None:
    """S-85: ECONNREFUSED for a UDP client, as ICMP port-unreachable tells it."""
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "no-clock", "namespace": "shop"},
        "spec": {
            "selector": {"app": "nobody"},
            "ports": [{"port": PORT, "protocol": "UDP"}],
        },
    }
    frontend = await shop.pod("frontend")
    async with shop.applied(document):
        with pytest.raises(Unreached) as caught:
            await shop.datagram("no-clock", PORT, b"now", f"pod/{frontend.name}")
        assert caught.value.kind == "refused"
        assert caught.value.trace is not None
        assert caught.value.trace.code == "SERVICE_BACKEND_NOT_FOUND"


async def test_a_closed_port_of_a_pod_refuses(shop: Any) -> None:
    """P-9: nothing is bound there; the pod's kernel answers with ICMP port-unreachable."""
    frontend, cart = await shop.pod("frontend"), await shop.pod("cart")
    with pytest.raises(Unreached) as caught:
        await shop.datagram(cart.ip, PORT, b"now", f"pod/{frontend.name}")
    assert caught.value.kind == "refused"


async def test_a_tcp_services_port_takes_no_datagram(shop: Any) -> None:
    """S-94, S-90."""
    frontend = await shop.pod("frontend")
    with pytest.raises(Unreached) as caught:
        await shop.datagram("cart", 80, b"now", f"pod/{frontend.name}")
    assert caught.value.kind == "refused"
    assert caught.value.trace is not None
    assert caught.value.trace.code == "UNDEFINED_SERVICE_PORT"
