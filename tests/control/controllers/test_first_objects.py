"""The documents of a new cluster."""

from typing import Any

from control.controllers import first_objects
from control.controllers.service_endpoints import resolved_ports
from control.controllers.settings import ControllerSettings

SETTINGS = ControllerSettings(service_cidr="10.96.0.0/16")


def test_kubernetes_has_the_first_address_of_its_range() -> None:
    """S-21."""
    spec = first_objects.api_service(SETTINGS)["spec"]
    assert spec["clusterIP"] == "10.96.0.1"
    assert [(port["name"], port["port"]) for port in spec["ports"]] == [("https", 443)]
    assert "selector" not in spec


def test_its_slice_is_named_kubernetes_and_belongs_to_it() -> None:
    """S-21, S-14."""
    held = first_objects.api_slice(SETTINGS)
    assert held["metadata"]["name"] == "kubernetes"
    assert held["metadata"]["labels"]["kubernetes.io/service-name"] == "kubernetes"
    assert held["endpoints"][0]["addresses"] == ["172.30.255.254"]
    assert held["ports"][0]["name"] == "https"  # S-54: the Service port's name
    endpoints = first_objects.api_endpoints(SETTINGS)
    assert endpoints["subsets"][0]["addresses"] == [{"ip": "172.30.255.254"}]


def test_dns_is_selected_by_its_service_on_every_port() -> None:
    service = first_objects.dns_service(SETTINGS)
    template: dict[str, Any] = first_objects.dns_deployment()["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert service["spec"]["clusterIP"] == "10.96.0.10"
    ports = {(p.name, p.protocol, p.port) for p in resolved_ports(service, template)}
    assert ports == {("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("metrics", "TCP", 9153)}
