"""Scenario 8: four different symptoms, four different traces."""

from typing import Any

import pytest

from cluster.traffic.unreached import Unreached

DENY, MISTAKES = "shop/default-deny.yaml", "shop/mistakes.yaml"


async def test_a_service_without_endpoints_refuses_at_once(shop: Any, read: Any) -> None:
    """S-85, S-170, O-11, O-20, O-22: from a pod and from a node's process."""
    frontend = await shop.pod("frontend")
    async with shop.applied(MISTAKES):
        failure = await shop.failure("http://nobody/", f"pod/{frontend.name}", 5)
        assert failure.kind == "refused"
        trace = failure.trace
        assert (trace.outcome, trace.code) == ("refused", "SERVICE_BACKEND_NOT_FOUND")
        assert trace.client_saw == "connection refused"
        assert trace.hops[-1].step.stage == "service"
        assert read.processes(trace) == [frontend.node], "no other node is troubled"
        address = await shop.cluster_ip("nobody")
        failure = await shop.failure(f"http://{address}/", f"node/{frontend.node}", 5)
        assert (failure.kind, failure.trace.code) == ("refused", "SERVICE_BACKEND_NOT_FOUND")


async def test_a_port_that_the_pod_does_not_have_is_refused_by_the_pod(
    shop: Any, read: Any
) -> None:
    """P-9, S-65, O-11: the Service chooses, policies pass, and nobody listens."""
    frontend = await shop.pod("frontend")
    async with shop.applied(MISTAKES):
        failure = await shop.failure("http://closed/", f"pod/{frontend.name}", 5)
        assert failure.kind == "refused"
        trace = failure.trace
        assert (trace.outcome, trace.code) == ("refused", "PORT_CLOSED")
        assert trace.client_saw == "connection refused"
        assert trace.hops[-1].step.stage == "deliver"
        chosen = read.hop(trace, "service").step.after.destination
        home = next(pod.node for pod in await shop.pods("cart") if pod.ip == chosen.ip)
        assert trace.hops[-1].process == home
        assert chosen.port == 9


async def test_an_unknown_name_is_told_by_the_dns(shop: Any, read: Any) -> None:
    """D-59, D-79, D-80, D-151, O-13: every query that was asked, each NXDOMAIN."""
    frontend = await shop.pod("frontend")
    failure = await shop.failure("http://nowhere/", f"pod/{frontend.name}", 5)
    assert failure.kind == "nxdomain"
    trace = failure.trace
    assert trace.code == "NXDOMAIN" and trace.client_saw == "name not known"
    assert read.stages(trace) == ["resolve"]
    queries = trace.hops[-1].step.detail["queries"]
    assert [(each["name"].rstrip("."), each["rcode"]) for each in queries] == [
        ("nowhere.shop.svc.cluster.local", "NXDOMAIN"),
        ("nowhere.svc.cluster.local", "NXDOMAIN"),
        ("nowhere.cluster.local", "NXDOMAIN"),
        ("nowhere", "NXDOMAIN"),
    ]


async def test_a_policy_is_silence(shop: Any) -> None:
    """N-21, N-143, O-20, O-21."""
    frontend = await shop.pod("frontend")
    async with shop.applied(DENY):
        failure = await shop.failure("http://cart/", f"pod/{frontend.name}")
        assert failure.kind == "timeout"
        trace = failure.trace
        assert (trace.outcome, trace.code) == ("dropped", "POLICY_DENIED")
        assert (trace.hops[-1].step.stage, trace.client_saw) == ("ingress", "timeout")


@pytest.mark.parametrize(
    ("url", "symptom", "code"),
    [
        ("http://nobody-outside:8090/", "refused", "SERVICE_BACKEND_NOT_FOUND"),
        ("http://closed-outside:8090/", "reset", "PORT_CLOSED"),
    ],
)
async def test_an_outside_client_meets_them_as_its_handshake_allows(
    shop: Any, url: str, symptom: str, code: str
) -> None:
    """S-85: a front without endpoints is closed; a pod's refusal comes after the handshake."""
    services = [
        _outside("nobody-outside", "nobody", 8080),
        _outside("closed-outside", "cart", 9),
    ]
    async with shop.applied(services):
        failure = await shop.failure(url, seconds=5)
        assert (failure.kind, failure.trace.code) == (symptom, code)


async def test_an_unknown_name_outside_is_no_name_of_the_cluster(shop: Any) -> None:
    """The internet knows load balancers, not Services: there is no flow at all."""
    with pytest.raises(Unreached) as caught:
        await shop.curl("http://nowhere/")
    assert caught.value.kind == "nxdomain" and "frontend.shop" in caught.value.message


async def test_an_undefined_port_of_a_service_is_refused(shop: Any) -> None:
    """S-90: the Service has the address, and no such port."""
    frontend = await shop.pod("frontend")
    failure = await shop.failure("http://cart:81/", f"pod/{frontend.name}", 5)
    assert (failure.kind, failure.trace.code) == ("refused", "UNDEFINED_SERVICE_PORT")


async def test_an_address_of_no_service_is_silence(shop: Any) -> None:
    """S-90: in the Service range, and nobody's."""
    frontend = await shop.pod("frontend")
    failure = await shop.failure("http://10.96.255.254/", f"pod/{frontend.name}")
    assert (failure.kind, failure.trace.code) == ("timeout", "UNALLOCATED_SERVICE_IP")


def _outside(name: str, app: str, target_port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": app},
            "ports": [{"port": 8090, "targetPort": target_port}],
        },
    }
