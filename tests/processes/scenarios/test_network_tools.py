"""What `kubectl exec` runs in a pod is the pod's own traffic: policies hold, and traces name it."""

from typing import Any

from cluster.trace.query import ANY_PORT, Query
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind


async def _exec(shop: Any, pod: str, *words: str) -> Any:
    return await shop.cluster.kubectl("exec", pod, "-n", "shop", "--", *words, check=False)


async def test_a_request_of_curls_in_a_pod_has_a_trace_of_the_pod(shop: Any, read: Any) -> None:
    """O-11, O-13: its name, its Service's choice, the pod that answered."""
    frontend = await shop.pod("frontend")
    words = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{local_ip} %{local_port}")
    ran = await _exec(shop, frontend.name, *words, "http://cart/")
    code, ip, port = ran.stdout.split()
    assert (code, ip) == ("200", frontend.ip)
    trace = await shop.cluster.trace(Query(source=SocketAddress(ip, int(port))))
    assert str(trace.origin) == f"pod/shop/{frontend.name}"
    assert trace.outcome == "delivered"
    assert {"resolve", "service", "deliver"} <= set(read.stages(trace))


async def test_what_curl_is_refused_is_told_with_its_reason(shop: Any) -> None:
    """O-20: the real exit code and words for the client, the rule in the trace."""
    frontend = await shop.pod("frontend")
    ran = await _exec(shop, frontend.name, "curl", "-sS", "http://cart:81/")
    assert ran.status == 7
    assert "curl: (7) Failed to connect to cart port 81 after " in ran.stderr
    cart = SocketAddress(await shop.cluster_ip("cart"), 81)
    trace = await shop.cluster.trace(
        Query(source=SocketAddress(frontend.ip, ANY_PORT), destination=cart)
    )
    assert (trace.outcome, trace.client_saw) == ("refused", "connection refused")


async def test_digs_questions_are_dns_flows_of_the_pod(shop: Any) -> None:
    frontend = await shop.pod("frontend")
    ran = await _exec(shop, frontend.name, "dig", "+short", "cart.shop.svc.cluster.local")
    assert ran.stdout.strip() == await shop.cluster_ip("cart")
    source = SocketAddress(frontend.ip, ANY_PORT)
    trace = await shop.cluster.trace(Query(source=source, kind=FlowKind.DNS))
    assert (str(trace.origin), trace.outcome) == (f"pod/shop/{frontend.name}", "delivered")


async def test_a_pod_that_is_closed_to_all_does_not_answer_ping(shop: Any) -> None:
    """Silence, since there is no ICMP and a closed pod refuses nothing."""
    source, target = await shop.pair("cart", same_node=False)
    there = await _exec(shop, source.name, "ping", "-c", "1", target.ip)
    assert (there.status, ", 0% packet loss" in there.stdout) == (0, True)
    async with shop.applied("shop/default-deny.yaml"):
        await shop.programmed()
        silent = await _exec(shop, source.name, "ping", "-c", "1", "-W", "0.3", target.ip)
        assert (silent.status, ", 100% packet loss" in silent.stdout) == (1, True)
