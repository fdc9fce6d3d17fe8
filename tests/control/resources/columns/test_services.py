"""Services and Endpoints as `kubectl get` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns.services import ENDPOINTS, SERVICES, external_ip

Make = Callable[..., dict[str, Any]]


def test_the_row_of_a_cluster_ip_service(now: datetime, document: Make) -> None:
    service = document(
        "cart",
        spec={
            "type": "ClusterIP",
            "clusterIP": "10.96.0.7",
            "clusterIPs": ["10.96.0.7"],
            "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            "selector": {"app": "cart"},
        },
    )
    told = ["cart", "ClusterIP", "10.96.0.7", "<none>", "80/TCP,53/UDP", "5m", "app=cart"]
    assert SERVICES.row(service, now) == told


def test_node_ports_follow_their_ports(now: datetime, document: Make) -> None:
    ports = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]
    service = document(spec={"type": "NodePort", "clusterIPs": ["10.96.0.7"], "ports": ports})
    assert SERVICES.row(service, now)[4] == "80:30080/TCP"


def test_a_headless_service_without_ports(now: datetime, document: Make) -> None:
    service = document(spec={"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]})
    assert SERVICES.row(service, now)[2:5] == ["None", "<none>", "<none>"]


@pytest.mark.parametrize(
    ("spec", "ingress", "shown"),
    [
        (
            {"type": "ClusterIP", "externalIPs": ["192.0.2.1", "192.0.2.2"]},
            [],
            "192.0.2.1,192.0.2.2",
        ),
        ({"type": "NodePort"}, [], "<none>"),
        ({"type": "LoadBalancer"}, [], "<pending>"),
        ({"type": "LoadBalancer"}, [{"ip": "127.65.0.1"}], "127.65.0.1"),
        ({"type": "LoadBalancer"}, [{"hostname": "lb.example"}], "lb.example"),
        (
            {"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]},
            [{"ip": "127.65.0.2"}, {"ip": "127.65.0.1"}],
            "127.65.0.1,127.65.0.2,192.0.2.1",
        ),
        ({"type": "ExternalName", "externalName": "db.example"}, [], "db.example"),
        ({}, [], "<unknown>"),
    ],
)
def test_the_external_address_by_type(
    document: Make, spec: dict[str, Any], ingress: list[dict[str, str]], shown: str
) -> None:
    made = document(spec=spec, status={"loadBalancer": {"ingress": ingress}})
    assert external_ip(made) == shown


def test_an_external_name_has_no_cluster_ip(now: datetime, document: Make) -> None:
    spec = {"type": "ExternalName", "externalName": "db.example"}
    told = ["ExternalName", "<none>", "db.example", "<none>"]
    assert SERVICES.row(document(spec=spec), now)[1:5] == told


def subset(addresses: list[str], ports: list[int]) -> dict[str, Any]:
    return {
        "addresses": [{"ip": each} for each in addresses],
        "ports": [{"port": p} for p in ports],
    }


@pytest.mark.parametrize(
    ("subsets", "shown"),
    [
        ([], "<none>"),
        ([{"notReadyAddresses": [{"ip": "10.244.1.2"}], "ports": [{"port": 80}]}], ""),
        ([subset(["10.244.1.2", "10.244.2.2"], [8080])], "10.244.1.2:8080,10.244.2.2:8080"),
        (
            [subset(["10.244.1.2", "10.244.2.2"], [80, 90]), subset(["fd00::1"], [80])],
            "10.244.1.2:80,10.244.2.2:80,10.244.1.2:90 + 2 more...",
        ),
        ([subset(["fd00::1"], [80])], "[fd00::1]:80"),
        ([subset(["10.244.1.2"], [])], "10.244.1.2"),
    ],
)
def test_endpoints_show_their_first_socket_addresses(
    now: datetime, document: Make, subsets: list[dict[str, Any]], shown: str
) -> None:
    assert ENDPOINTS.row(document("cart", subsets=subsets), now) == ["cart", shown, "5m"]
