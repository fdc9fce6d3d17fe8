"""Scenario 7: default deny, then one allow; by address and through the Service."""

from typing import Any

import pytest

from cluster.traffic.unreached import Unreached

DENY, ALLOW = "shop/default-deny.yaml", "shop/allow-frontend.yaml"
PORT = 8080


def policy(name: str, **spec: Any) -> dict[str, Any]:
    """A NetworkPolicy of the shop."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


async def test_nobody_is_isolated_before_a_policy_selects_it(shop: Any, read: Any) -> None:
    """N-11."""
    frontend = await shop.pod("frontend")
    answer = await shop.curl("http://cart/", f"pod/{frontend.name}")
    for stage in ("egress", "ingress"):
        assert "no policy selects" in read.hop(answer.trace, stage).step.reason


@pytest.mark.parametrize("same_node", [True, False])
async def test_default_deny_drops_and_its_trace_names_policy_and_pod(
    shop: Any, read: Any, same_node: bool
) -> None:
    """N-12, N-21, N-28, N-71, N-136, N-139, N-143, O-7, O-8, O-20, O-21."""
    visitor, cart = await shop.pair("cart", same_node=same_node)
    async with shop.applied(DENY):
        failure = await shop.failure(f"http://{cart.ip}:{PORT}/", f"pod/{visitor.name}")
        assert failure.kind == "timeout"
        trace = failure.trace
        assert (trace.outcome, trace.code, trace.client_saw) == (
            "dropped",
            "POLICY_DENIED",
            "timeout",
        )
        last = trace.hops[-1]
        assert (last.step.stage, last.process) == ("ingress", cart.node)
        assert "shop/default-deny" in last.step.reason and f"shop/{cart.name}" in last.step.reason
        assert "allowed" in read.hop(trace, "egress").step.reason
    answer = await shop.curl(f"http://{cart.ip}:{PORT}/", f"pod/{visitor.name}")
    assert answer.status == 200, "N-18: deleting the last policy opens the pod"


async def test_the_same_through_the_service(shop: Any, read: Any) -> None:
    """N-21: the Service is translated, and the pod behind it is isolated."""
    frontend = await shop.pod("frontend")
    async with shop.applied(DENY):
        failure = await shop.failure("http://cart/", f"pod/{frontend.name}")
        assert failure.kind == "timeout" and failure.trace.code == "POLICY_DENIED"
        service = read.hop(failure.trace, "service").step
        assert service.detail["service"]["name"] == "cart"
        assert failure.trace.hops[-1].step.stage == "ingress"


async def test_the_internet_is_denied_too_and_its_client_hears_nothing(shop: Any) -> None:
    """N-71, N-57: what comes by the load balancer bears a node's address; nobody allows it."""
    async with shop.applied(DENY):
        failure = await shop.failure("http://frontend/")
        assert failure.kind == "timeout" and failure.trace.code == "POLICY_DENIED"
        assert failure.trace.segments[0].process == "gateway"


async def test_probes_pass_so_isolated_pods_stay_ready(shop: Any) -> None:
    """N-61, N-145, P-48: endpoints are what they were, and the pods' own nodes reach them."""
    before = await shop.endpoints("cart")
    async with shop.applied(DENY):
        cart = await shop.pod("cart")
        assert (await shop.curl(f"http://{cart.ip}:{PORT}/", f"node/{cart.node}")).status == 200
        other = next(name for name in await shop.nodes() if name != cart.node)
        failure = await shop.failure(f"http://{cart.ip}:{PORT}/", f"node/{other}")
        assert failure.trace.code == "POLICY_DENIED", "N-62: another node is not exempt"
        assert await shop.endpoints("cart") == before


async def test_one_allow_opens_one_port_for_one_client(shop: Any, read: Any) -> None:
    """N-13, N-17, N-19, N-36, N-42, N-144."""
    frontend = await shop.pod("frontend")
    async with shop.applied(DENY), shop.applied(ALLOW):
        answer = await shop.curl("http://cart/", f"pod/{frontend.name}")
        assert answer.status == 200
        assert "shop/cart-from-frontend" in read.hop(answer.trace, "ingress").step.reason
        for source in ("pod/twin", f"pod/{(await shop.pod('clock')).name}"):
            failure = await shop.failure("http://cart/", source)
            assert failure.trace.code == "POLICY_DENIED", "another client is not let in"
        cart = await shop.pod("cart")
        failure = await shop.failure(f"http://{cart.ip}:80/", f"pod/{frontend.name}")
        assert failure.trace.code == "POLICY_DENIED", "the Service's port is not the pod's"


async def test_a_rule_for_the_services_port_lets_nobody_in(shop: Any) -> None:
    """N-42, N-144: rules speak of the pod's own port."""
    frontend = await shop.pod("frontend")
    wrong = policy(
        "service-port",
        podSelector={"matchLabels": {"app": "cart"}},
        ingress=[{"ports": [{"port": 80}]}],
    )
    async with shop.applied(wrong):
        failure = await shop.failure("http://cart/", f"pod/{frontend.name}")
        assert failure.trace.code == "POLICY_DENIED"


async def test_a_named_port_is_that_of_the_pod(shop: Any) -> None:
    """N-44."""
    frontend = await shop.pod("frontend")
    named = policy(
        "named-port",
        podSelector={"matchLabels": {"app": "cart"}},
        ingress=[{"ports": [{"port": "http"}]}],
    )
    async with shop.applied(named):
        assert (await shop.curl("http://cart/", f"pod/{frontend.name}")).status == 200


async def test_default_deny_of_egress_cuts_the_dns_and_is_judged_at_the_source(
    shop: Any, read: Any
) -> None:
    """N-72, N-136, N-12: names go first; by address the denial is the source node's own."""
    frontend = await shop.pod("frontend")
    cart = await shop.pod("cart")
    closed = policy(
        "no-egress", podSelector={"matchLabels": {"app": "frontend"}}, policyTypes=["Egress"]
    )
    async with shop.applied(closed):
        failure = await shop.failure(f"http://{cart.ip}:{PORT}/", f"pod/{frontend.name}")
        assert failure.kind == "timeout" and failure.trace.code == "POLICY_DENIED"
        last = failure.trace.hops[-1]
        assert (last.step.stage, last.process) == ("egress", frontend.node)
        named = await shop.failure("http://cart/", f"pod/{frontend.name}")
        assert named.kind == "timeout" and named.trace.code == "POLICY_DENIED"
        assert named.trace.kind == "dns", "the connection waits for its name"
        assert (await shop.curl("http://frontend/")).status == 200, "ingress is not its matter"


async def test_egress_to_a_service_is_judged_on_the_pod_behind_it(shop: Any) -> None:
    """N-58, N-149, N-43: the Service's address in an ipBlock opens nothing, its pods' labels do."""
    frontend = await shop.pod("frontend")
    address = await shop.cluster_ip("cart")
    dns = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}
    selected = {"podSelector": {"matchLabels": {"app": "frontend"}}, "policyTypes": ["Egress"]}
    by_address = policy(
        "by-address", egress=[dns, {"to": [{"ipBlock": {"cidr": f"{address}/32"}}]}], **selected
    )
    async with shop.applied(by_address):
        failure = await shop.failure("http://cart/", f"pod/{frontend.name}")
        assert failure.trace.code == "POLICY_DENIED"
    to_cart = {"to": [{"podSelector": {"matchLabels": {"app": "cart"}}}]}
    async with shop.applied(policy("by-label", egress=[dns, to_cart], **selected)):
        assert (await shop.curl("http://cart/", f"pod/{frontend.name}")).status == 200


async def test_an_established_connection_outlives_a_new_policy(shop: Any) -> None:
    """N-84, N-85: only new connections follow the new state."""
    frontend, cart = await shop.pod("frontend"), await shop.pod("cart")
    request = b"GET / HTTP/1.1\r\nHost: cart\r\n\r\n"
    async with (
        await shop.cluster.connect(cart.ip, PORT, source=f"pod/shop/{frontend.name}") as stream,
        shop.applied(DENY),
    ):
        stream.writer.write(request)
        assert (await stream.reader.readline()).startswith(b"HTTP/1.1 200")
        failure = await shop.failure(f"http://{cart.ip}:{PORT}/", f"pod/{frontend.name}")
        assert failure.trace.code == "POLICY_DENIED"


async def test_a_datagram_that_is_denied_gets_no_reply(shop: Any) -> None:
    """N-27, N-21: UDP is isolated as TCP is."""
    frontend = await shop.pod("frontend")
    async with shop.applied(DENY):
        with pytest.raises(Unreached) as caught:
            await shop.datagram("clock", 9999, b"now", f"pod/{frontend.name}", timeout_seconds=0.6)
        assert caught.value.kind == "timeout"
        assert caught.value.trace is not None and caught.value.trace.code == "POLICY_DENIED"
