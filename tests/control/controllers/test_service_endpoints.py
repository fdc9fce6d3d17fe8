"""Which pods stand behind a Service, and on which ports."""

from collections.abc import Callable
from typing import Any

import pytest

from control.controllers.service_endpoints import (
    address_in,
    conditions,
    families,
    hostname_for,
    resolved_ports,
    selected_pods,
    target_port,
)
from control.controllers.view import View

Views = Callable[..., View]
WEB = {"app": "web"}


def names(view: View, service: Any) -> set[str]:
    return {pod["metadata"]["name"] for pod in selected_pods(view.objects, service)}


def test_a_pod_must_match_every_pair_in_the_same_namespace(build: Any, view: Views) -> None:
    """S-152."""
    service = build.service("web", selector={"app": "web", "tier": "front"})
    both = build.pod("both", ip="10.244.1.2", labels={"app": "web", "tier": "front", "x": "y"})
    half = build.pod("half", ip="10.244.1.3", labels=WEB)
    away = build.pod(
        "away", ip="10.244.1.4", labels={"app": "web", "tier": "front"}, namespace="other"
    )
    assert names(view(both, half, away), service) == {"both"}


def test_an_empty_selector_selects_nothing(build: Any, view: Views) -> None:
    """S-152."""
    pod = build.pod("a", ip="10.244.1.2", labels=WEB)
    assert names(view(pod), build.service("web", selector={})) == set()
    assert names(view(pod), build.service("web")) == set()


def test_pods_without_address_and_finished_ones_do_not_join(build: Any, view: Views) -> None:
    """S-139, P-16: a finished pod's address may be another's by now."""
    service = build.service("web", selector=WEB)
    starting = build.pod("starting", labels=WEB)
    done = build.pod("done", ip="10.244.1.2", labels=WEB, phase="Succeeded")
    failed = build.pod("failed", ip="10.244.1.3", labels=WEB, phase="Failed")
    going = build.pod("going", ip="10.244.1.4", labels=WEB, deletionTimestamp=build.stamp())
    assert names(view(starting, done, failed, going), service) == {"going"}


def container(name: str, *ports: tuple[str, int, str]) -> dict[str, Any]:
    made = [{"name": n, "containerPort": number, "protocol": p} for n, number, p in ports]
    return {"name": name, "ports": made}


@pytest.mark.parametrize(
    ("port", "number"),
    [
        ({"port": 80}, 80),  # S-3
        ({"port": 80, "targetPort": 8080}, 8080),  # S-19: need not be declared
        ({"port": 80, "targetPort": "web"}, 8081),
        ({"port": 53, "targetPort": "dns", "protocol": "UDP"}, 5353),  # S-18: same protocol
        ({"port": 53, "targetPort": "dns", "protocol": "TCP"}, None),
        ({"port": 80, "targetPort": "proxy"}, 15001),  # S-18: a sidecar
        ({"port": 80, "targetPort": "setup"}, None),  # an init container that ends
        ({"port": 80, "targetPort": "unknown"}, None),  # S-19
    ],
)
def test_a_target_port_is_a_number_or_a_name_of_the_pod(
    build: Any, port: dict[str, Any], number: int | None
) -> None:
    """S-17 to S-19."""
    sidecar = {**container("proxy", ("proxy", 15001, "TCP")), "restartPolicy": "Always"}
    spec = {"initContainers": [container("setup", ("setup", 1, "TCP")), sidecar]}
    containers = [container("main", ("web", 8081, "TCP")), container("dns", ("dns", 5353, "UDP"))]
    assert target_port(port, build.pod("a", containers=containers, spec=spec)) == number


def test_a_name_that_resolves_nowhere_leaves_the_other_ports(build: Any) -> None:
    """S-19, S-20."""
    ports = [
        {"name": "web", "port": 80, "targetPort": 8080, "appProtocol": "kubernetes.io/h2c"},
        {"name": "admin", "port": 81, "targetPort": "admin"},
    ]
    [only] = resolved_ports(build.service("web", ports=ports), build.pod("a"))
    assert only.document() == {
        "name": "web",
        "protocol": "TCP",
        "port": 8080,
        "appProtocol": "kubernetes.io/h2c",
    }


@pytest.mark.parametrize(
    ("published", "ready", "going", "expected"),
    [
        (False, True, False, (True, True, False)),
        (False, False, False, (False, False, False)),  # S-143
        (False, True, True, (False, True, True)),  # S-130: serving follows readiness
        (False, False, True, (False, False, True)),
        (True, False, False, (True, False, False)),  # S-141
        (True, True, True, (True, True, True)),  # S-141
    ],
)
def test_endpoint_conditions(
    build: Any, published: bool, ready: bool, going: bool, expected: tuple[bool, bool, bool]
) -> None:
    """S-140."""
    service = build.service("web", publishNotReadyAddresses=published)
    more = {"deletionTimestamp": build.stamp()} if going else {}
    held = conditions(service, build.pod("a", ready=ready, **more))
    assert (held["ready"], held["serving"], held["terminating"]) == expected


def test_a_hostname_needs_the_services_own_subdomain(build: Any) -> None:
    """S-142."""
    service = build.service("web")
    named = build.pod("a", spec={"hostname": "db-0", "subdomain": "web"})
    other = build.pod("b", spec={"hostname": "db-0", "subdomain": "other"})
    plain = build.pod("c", spec={"subdomain": "web"})
    assert [hostname_for(service, pod) for pod in (named, other, plain)] == ["db-0", None, None]


def test_each_family_has_its_own_address(build: Any) -> None:
    """S-51."""
    both = build.pod("a", status={"podIPs": [{"ip": "10.244.1.2"}, {"ip": "fd00::2"}]})
    assert address_in(both, "IPv4") == "10.244.1.2"
    assert address_in(both, "IPv6") == "fd00::2"
    assert address_in(build.pod("b", ip="10.244.1.3"), "IPv6") is None
    assert families(build.service("web", ipFamilies=["IPv6", "IPv4"])) == ("IPv6", "IPv4")
