"""Endpoints that a user made become slices."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from control.controllers import endpoints, endpointslice, endpointslice_mirroring
from control.controllers.endpointslice_mirroring import LEADER_ANNOTATION, SKIP_LABEL, reconcile
from control.controllers.view import Key, Objects

KEY = Key(ENDPOINTS, "default", "web")
HTTP = {"name": "http", "protocol": "TCP", "port": 8080}
SUBSET = {
    "addresses": [{"ip": "192.0.2.1", "nodeName": "node-1", "hostname": "a"}],
    "notReadyAddresses": [{"ip": "192.0.2.2"}],
    "ports": [HTTP],
}


class Mirror:
    """A Service without selector, its Endpoints, and what is made of them."""

    def __init__(self, simulation: Any, service: dict[str, Any] | None) -> None:
        self.simulation = simulation
        self.store = simulation.store
        if service is not None:
            self.store.create(SERVICES, service)

    def put(self, *subsets: dict[str, Any], **metadata: Any) -> "Mirror":
        named = {"name": "web", "namespace": "default", **metadata}
        document = {"kind": "Endpoints", "metadata": named, "subsets": list(subsets)}
        self.store.create(ENDPOINTS, document)
        return self

    def change(self, **changes: Any) -> None:
        self.store.patch(ENDPOINTS, "web", changes, "default")
        self.look()

    def look(self) -> list[Any]:
        return list(self.simulation.look(reconcile, KEY))

    @property
    def slices(self) -> list[dict[str, Any]]:
        return list(self.store.all(ENDPOINT_SLICES))

    @property
    def addresses(self) -> dict[str, bool]:
        endpoints = [each for held in self.slices for each in held["endpoints"]]
        return {each["addresses"][0]: each["conditions"]["ready"] for each in endpoints}


@pytest.fixture
def mirror(simulation: Any, build: Any) -> Mirror:
    return Mirror(simulation, build.service("web"))


def test_a_slice_says_what_the_endpoints_say(mirror: Mirror) -> None:
    """S-149."""
    mirror.put(SUBSET, labels={"team": "shop"}).look()
    [held] = mirror.slices
    assert held["metadata"]["generateName"] == "web-"
    assert held["metadata"]["labels"] == {
        "team": "shop",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    [owner] = held["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Endpoints", "web", True)
    assert (held["addressType"], held["ports"]) == ("IPv4", [HTTP])
    assert held["endpoints"] == [
        {
            "addresses": ["192.0.2.1"],
            "conditions": {"ready": True},
            "hostname": "a",
            "nodeName": "node-1",
        },
        {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
    ]
    assert mirror.look() == [], "what is equal is left alone"


def test_families_and_ports_lie_apart(mirror: Mirror) -> None:
    """S-149."""
    six = {"addresses": [{"ip": "2001:db8::1"}, {"ip": "192.0.2.1"}], "ports": [HTTP]}
    other = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{**HTTP, "port": 9090}]}
    mirror.put(six, other).look()
    found = {(s["addressType"], s["ports"][0]["port"]) for s in mirror.slices}
    assert found == {("IPv6", 8080), ("IPv4", 8080), ("IPv4", 9090)}


def test_many_addresses_fill_several_slices(mirror: Mirror) -> None:
    """S-149."""
    many = [{"ip": f"192.0.2.{number}"} for number in range(1, 151)]
    mirror.put({"addresses": many, "ports": [HTTP]}).look()
    assert sorted(len(held["endpoints"]) for held in mirror.slices) == [50, 100]


def test_changes_are_followed(mirror: Mirror) -> None:
    """S-149."""
    mirror.put(SUBSET).look()
    assert mirror.addresses == {"192.0.2.1": True, "192.0.2.2": False}
    both = [*SUBSET["addresses"], *SUBSET["notReadyAddresses"]]
    mirror.change(subsets=[{"addresses": both, "ports": [HTTP]}])
    assert mirror.addresses == {"192.0.2.1": True, "192.0.2.2": True}
    mirror.change(subsets=[{"addresses": [{"ip": "192.0.2.9"}], "ports": [HTTP]}])
    assert mirror.addresses == {"192.0.2.9": True}
    mirror.change(subsets=[])
    assert mirror.slices == []


@pytest.mark.parametrize(
    "metadata", [{"labels": {SKIP_LABEL: "true"}}, {"annotations": {LEADER_ANNOTATION: "{}"}}]
)
def test_a_label_or_a_leader_stops_it(mirror: Mirror, metadata: dict[str, Any]) -> None:
    """S-149."""
    mirror.put(SUBSET).look()
    assert len(mirror.slices) == 1
    mirror.change(metadata=metadata)
    assert mirror.slices == []


def test_endpoints_of_a_service_with_a_selector_are_not_mirrored(
    simulation: Any, build: Any
) -> None:
    """S-149."""
    mirror = Mirror(simulation, build.service("web", selector={"app": "web"}))
    assert mirror.put(SUBSET).look() == []


def test_a_mirror_waits_for_its_service_and_goes_with_it(simulation: Any, build: Any) -> None:
    """S-149."""
    mirror = Mirror(simulation, None).put(SUBSET)
    assert mirror.look() == []
    mirror.store.create(SERVICES, build.service("web"))
    mirror.look()
    assert len(mirror.slices) == 1
    mirror.store.delete(SERVICES, "web", "default")
    mirror.look()
    assert mirror.slices == []


def test_a_mirror_goes_with_its_endpoints(mirror: Mirror) -> None:
    """S-149."""
    mirror.put(SUBSET).look()
    mirror.store.delete(ENDPOINTS, "web", "default")
    mirror.look()
    assert mirror.slices == []


def test_the_controllers_of_a_service_do_not_disturb_each_other(
    simulation: Any, build: Any
) -> None:
    """S-149: what the Endpoints controller makes is nobody's to mirror; a user's slice stays."""
    mirror = Mirror(simulation, build.service("web")).put(SUBSET)
    mirror.store.create(SERVICES, build.service("own", selector={"app": "own"}))
    labels = {"kubernetes.io/service-name": "web"}
    metadata = {"name": "mine", "namespace": "default", "labels": labels}
    made = {"metadata": metadata, "addressType": "IPv4", "endpoints": [], "ports": []}
    mirror.store.create(ENDPOINT_SLICES, {"kind": "EndpointSlice", **made})
    rows = [each.controller() for each in (endpointslice, endpoints, endpointslice_mirroring)]
    simulation.settle(rows)
    services = [s["metadata"]["labels"]["kubernetes.io/service-name"] for s in mirror.slices]
    assert sorted(services) == ["own", "web", "web"]


def test_a_change_of_service_endpoints_or_mirror_brings_the_endpoints_back() -> None:
    watches: dict[Any, Callable[..., Any]] = dict(endpointslice_mirroring.controller().watches)
    plain = {"metadata": {"name": "web", "namespace": "default"}}
    assert list(watches[SERVICES](Objects(), None, plain)) == [KEY]
    assert list(watches[ENDPOINTS](Objects(), plain, None)) == [KEY]
    labels = {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    held = {"metadata": {"name": "web-x", "namespace": "default", "labels": labels}}
    assert list(watches[ENDPOINT_SLICES](Objects(), held, None)) == [KEY]
    assert list(watches[ENDPOINT_SLICES](Objects(), plain, None)) == []
