"""What a client outside the cluster saw is in its trace, beside what was decided."""

from typing import Any

import pytest

NODE_PORT, CLOSED_PORT = 30080, 30086
DENY = "shop/default-deny.yaml"
PLACES = ["load balancer", "node with a pod", "node without"]


async def front(shop: Any, place: str, app: str, port: int) -> str:
    """Where a client outside reaches an application: the load balancer, or a node's own port."""
    if place == "load balancer":
        return f"{app}:{80 if port == NODE_PORT else 8086}"
    homes = {pod.node for pod in await shop.pods("frontend")}
    nodes = homes if place == "node with a pod" else set(await shop.nodes()) - homes
    return f"{sorted(nodes)[0]}:{port}"


@pytest.mark.parametrize("place", PLACES)
async def test_one_that_is_answered_was_connected(shop: Any, place: str) -> None:
    """O-20: noted by whoever has its socket in the end, here the node of the pod."""
    answer = await shop.curl(f"http://{await front(shop, place, 'frontend', NODE_PORT)}/")
    assert answer.status == 200 and answer.trace.complete
    assert (answer.trace.outcome, answer.trace.client_saw) == ("delivered", "connected")
    assert answer.trace.segments[-1].client_saw == "connected"


@pytest.mark.parametrize("place", PLACES)
async def test_one_that_policy_drops_waits_in_vain(shop: Any, place: str) -> None:
    """O-20, N-21: a time-out on both sides of the story."""
    async with shop.applied(DENY):
        failure = await shop.failure(f"http://{await front(shop, place, 'frontend', NODE_PORT)}/")
        assert failure.kind == "timeout" and failure.trace.code == "POLICY_DENIED"
        assert failure.trace.complete and failure.trace.client_saw == "timeout"


@pytest.mark.parametrize("place", PLACES)
async def test_one_that_the_pod_refuses_is_reset_after_its_handshake(shop: Any, place: str) -> None:
    """O-20: the pod refuses, and a front that has shaken hands can only reset."""
    ports = [{"port": 8086, "targetPort": 9, "nodePort": CLOSED_PORT}]
    closed = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "closed-front", "namespace": "shop"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "frontend"}, "ports": ports},
    }
    async with shop.applied([closed]):
        url = f"http://{await front(shop, place, 'closed-front', CLOSED_PORT)}/"
        failure = await shop.failure(url, seconds=5)
        assert failure.kind == "reset" and failure.trace.complete
        assert (failure.trace.outcome, failure.trace.code) == ("refused", "PORT_CLOSED")
        assert failure.trace.client_saw == "connection reset"
