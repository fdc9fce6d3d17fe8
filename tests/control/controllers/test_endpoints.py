"""The older Endpoints objects."""

from typing import Any

from cluster.objects.resources import ENDPOINTS, PODS, SERVICES
from control.controllers.endpoints import build_subsets, reconcile
from control.controllers.view import Key

WEB = {"app": "web"}
KEY = Key(SERVICES, "default", "web")


def look(simulation: Any) -> dict[str, Any]:
    simulation.look(reconcile, KEY)
    return dict(simulation.store.get(ENDPOINTS, "web", "default"))


def test_ready_and_not_ready_addresses_are_told_apart(simulation: Any, build: Any) -> None:
    """S-147: named after the Service."""
    simulation.store.create(SERVICES, build.service("web", selector=WEB))
    simulation.store.create(PODS, build.pod("a", ip="10.244.1.2", labels=WEB))
    simulation.store.create(PODS, build.pod("b", ip="10.244.1.3", labels=WEB, ready=False))
    [subset] = look(simulation)["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.244.1.2"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.244.1.3"]
    assert subset["ports"] == [{"name": "", "protocol": "TCP", "port": 80}]
    assert subset["addresses"][0]["nodeName"] == "node-1"
    assert subset["addresses"][0]["targetRef"]["name"] == "a"
    version = simulation.store.version
    look(simulation)
    assert simulation.store.version == version


def test_terminating_pods_have_no_place(simulation: Any, build: Any) -> None:
    simulation.store.create(SERVICES, build.service("web", selector=WEB))
    going = build.pod("a", ip="10.244.1.2", labels=WEB, deletionTimestamp=build.stamp())
    simulation.store.create(PODS, going)
    assert look(simulation)["subsets"] == []


def test_published_not_ready_pods_are_ready(simulation: Any, build: Any) -> None:
    """S-141."""
    service = build.service("web", selector=WEB, publishNotReadyAddresses=True)
    simulation.store.create(SERVICES, service)
    simulation.store.create(PODS, build.pod("a", ip="10.244.1.2", labels=WEB, ready=False))
    [subset] = look(simulation)["subsets"]
    assert "notReadyAddresses" not in subset


def test_more_than_a_thousand_addresses_are_truncated_ready_first(
    simulation: Any, build: Any
) -> None:
    """S-147."""
    service = build.service("web", selector=WEB)
    simulation.store.create(SERVICES, service)
    for n in range(1001):
        ip = f"10.244.{n // 250}.{n % 250 + 2}"
        simulation.store.create(PODS, build.pod(f"p{n:04}", ip=ip, labels=WEB, ready=n > 0))
    held = look(simulation)
    [subset] = held["subsets"]
    assert len(subset["addresses"]) == 1000
    assert "notReadyAddresses" not in subset
    notes = held["metadata"]["annotations"]
    assert notes["endpoints.kubernetes.io/over-capacity"] == "truncated"
    simulation.store.delete(PODS, "p0000", "default", grace_seconds=0)
    assert look(simulation)["metadata"]["annotations"] == {}


def test_endpoints_go_with_their_service(simulation: Any, build: Any) -> None:
    simulation.store.create(SERVICES, build.service("web", selector=WEB))
    look(simulation)
    simulation.store.delete(SERVICES, "web", "default")
    simulation.look(reconcile, KEY)
    assert simulation.store.all(ENDPOINTS) == []


def test_endpoints_that_a_user_made_stay(simulation: Any, build: Any) -> None:
    """With a Service or without, which has no selector."""
    metadata = {"name": "web", "namespace": "default"}
    simulation.store.create(ENDPOINTS, {"kind": "Endpoints", "metadata": metadata})
    assert simulation.look(reconcile, KEY) == []
    simulation.store.create(SERVICES, build.service("web"))
    assert simulation.look(reconcile, KEY) == []


def test_only_the_primary_family_is_listed(simulation: Any, build: Any, view: Any) -> None:
    service = build.service("web", selector=WEB, ipFamilies=["IPv6", "IPv4"])
    ips = {"podIPs": [{"ip": "10.244.1.2"}, {"ip": "fd00::2"}]}
    pod = build.pod("a", labels=WEB, status=ips)
    [subset], truncated = build_subsets(view(service, pod).objects, service)
    assert [each["ip"] for each in subset["addresses"]] == ["fd00::2"]
    assert not truncated


def test_a_headless_service_is_labelled(simulation: Any, build: Any) -> None:
    service = build.service("web", selector=WEB, clusterIP="None")
    simulation.store.create(SERVICES, service)
    assert look(simulation)["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
