"""What healthCheckNodePort answers."""

from typing import Any

from node_agent.proxy.health_checks import HealthCheck, health_checks

PORT = 31000


def service(name: str = "web", port: int | None = PORT) -> dict[str, Any]:
    spec = {"healthCheckNodePort": port} if port else {}
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def slice_of(*endpoints: dict[str, Any], service: str = "web") -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "shop",
            "name": "any",
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": list(endpoints),
    }


def endpoint(ip: str, node: str = "node-1", **conditions: bool) -> dict[str, Any]:
    return {"addresses": [ip], "nodeName": node, "conditions": conditions}


def count(*slices: dict[str, Any]) -> int:
    return health_checks([service()], slices, "node-1")[PORT].local_endpoints


def test_ready_endpoints_of_this_node_count_each_once() -> None:
    """S-118, S-120."""
    here, twice = endpoint("10.244.1.2"), endpoint("10.244.1.2")
    away, nowhere = endpoint("10.244.2.2", "node-2"), endpoint("10.244.1.9", "")
    assert count(slice_of(here, away, nowhere), slice_of(twice)) == 1
    assert count(slice_of(here, endpoint("10.244.1.3"))) == 2


def test_who_is_terminating_or_not_ready_does_not_count() -> None:
    """S-120, S-178: the check fails while the fallback still serves."""
    going = endpoint("10.244.1.2", ready=False, serving=True, terminating=True)
    assert count(slice_of(going, endpoint("10.244.1.3", ready=False))) == 0


def test_another_services_endpoints_and_one_without_slices() -> None:
    assert count(slice_of(endpoint("10.244.1.2"), service="other")) == 0
    assert count() == 0


def test_only_services_with_a_port_for_it_have_one() -> None:
    assert health_checks([service(port=None)], [slice_of(endpoint("10.244.1.2"))], "node-1") == {}
    assert set(health_checks([service(), service("api", 31001)], [], "node-1")) == {31000, 31001}


def test_the_answer_is_kube_proxys() -> None:
    """S-118, S-119."""
    check = HealthCheck(("shop", "web"), 2)
    assert check.status == 200
    assert check.headers() == {
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": "2",
    }
    assert check.document() == {
        "service": {"namespace": "shop", "name": "web"},
        "localEndpoints": 2,
        "serviceProxyHealthy": True,
    }
    assert HealthCheck(("shop", "web"), 0).status == 503
