"""What healthCheckNodePort answers."""

from typing import Any

import pytest

from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.objects.meta import Key
from cluster.objects.resources import ENDPOINT_SLICES, SERVICES
from node_agent.proxy.health_checks import Change, HealthCheck, check_changes

PORT = 31000
NOTHING = empty_view("node-1", "172.30.0.1", NetworkSettings())


def service(name: str = "web", port: int | None = PORT) -> dict[str, Any]:
    spec: dict[str, Any] = {"clusterIP": f"10.96.0.{len(name)}", "ports": [{"port": 80}]}
    spec |= {"healthCheckNodePort": port} if port else {}
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def slice_of(*endpoints: dict[str, Any], service: str = "web", name: str = "any") -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": list(endpoints),
    }


def endpoint(ip: str, node: str = "node-1", **conditions: bool) -> dict[str, Any]:
    return {"addresses": [ip], "nodeName": node, "conditions": conditions}


def view_of(services: list[Any], slices: tuple[Any, ...] | list[Any] = ()) -> NodeView:
    changes = [(SERVICES, None, each) for each in services]
    return NOTHING.with_changes([*changes, *((ENDPOINT_SLICES, None, each) for each in slices)])


def checks(services: list[Any], slices: tuple[Any, ...] | list[Any] = ()) -> dict[Key, Change]:
    return check_changes(NOTHING, view_of(services, slices))


def count(*slices: dict[str, Any]) -> int:
    change = checks([service()], slices)["shop", "web"]
    assert change is not None and change[0] == PORT
    return change[1].local_endpoints


def test_ready_endpoints_of_this_node_count_each_once() -> None:
    """S-118, S-120."""
    here, twice = endpoint("10.244.1.2"), endpoint("10.244.1.2")
    away, nowhere = endpoint("10.244.2.2", "node-2"), endpoint("10.244.1.9", "")
    assert count(slice_of(here, away, nowhere), slice_of(twice, name="other")) == 1
    assert count(slice_of(here, endpoint("10.244.1.3"))) == 2


def test_who_is_terminating_or_not_ready_does_not_count() -> None:
    """S-120, S-178: the check fails while the fallback still serves."""
    going = endpoint("10.244.1.2", ready=False, serving=True, terminating=True)
    assert count(slice_of(going, endpoint("10.244.1.3", ready=False))) == 0


def test_another_services_endpoints_and_one_without_slices() -> None:
    assert count(slice_of(endpoint("10.244.1.2"), service="other")) == 0
    assert count() == 0


def test_only_services_with_a_port_for_it_have_one() -> None:
    assert checks([service(port=None)], [slice_of(endpoint("10.244.1.2"))]) == {}
    found = checks([service(), service("api-", 31001)])
    assert {change[0] for change in found.values() if change} == {31000, 31001}


@pytest.mark.parametrize("port", [PORT, None])
def test_a_change_is_of_the_checks_of_its_services_alone(port: int | None) -> None:
    """S-118: however many others there are."""
    before = view_of([service(), service("api-", 31001)], [slice_of(endpoint("10.244.1.2"))])
    assert check_changes(before, before) == {}
    more = slice_of(endpoint("10.244.1.3"), service="api-", name="more")
    after = before.with_changes(
        [(ENDPOINT_SLICES, None, more), (SERVICES, None, service(port=port))]
    )
    api = ("shop", "api-")
    wanted: dict[Key, Change] = {api: (31001, HealthCheck(api, 1))}
    gone: dict[Key, Change] = {("shop", "web"): None}
    assert check_changes(before, after) == (wanted if port else wanted | gone)


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
