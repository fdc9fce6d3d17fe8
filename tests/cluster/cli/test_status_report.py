"""What `kubehop status` knows, from what processes and API say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cluster.cli.status_report import (
    ProcessRow,
    Report,
    node_rows,
    service_rows,
    unserved_ports,
)

READY = ProcessRow(name="node-1", state="ready", pid=7, restarts=0, seconds=1.0)


def node(name: str = "node-1", ready: str = "True", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "annotations": {"kubehop.dev/address": "127.64.0.1"}},
        "spec": spec,
        "status": {
            "addresses": [{"type": "InternalIP", "address": "172.30.0.1"}],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def service(*ports: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "shop", **more.pop("metadata", {})},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.20", "ports": list(ports), **more},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.65.0.1"}]}}
        if more.get("type") == "LoadBalancer"
        else {},
    }


HTTP = {"port": 80, "protocol": "TCP"}


def report(**more: Any) -> Report:
    found = Report(
        name="default",
        kubeconfig="/k",
        run_dir="/r",
        api_url="https://a",
        processes=(READY,),
        nodes=node_rows([node()], []),
        programmed={"node-1": ""},
    )
    return replace(found, **more)


def test_a_node_has_its_emulated_and_its_real_address_and_its_pods():
    pods = [{"spec": {"nodeName": "node-1"}}, {"spec": {"nodeName": "node-2"}}, {"spec": {}}]
    (row,) = node_rows([node()], pods)
    assert (row.name, row.status, row.internal_ip, row.address, row.pods) == (
        "node-1",
        "Ready",
        "172.30.0.1",
        "127.64.0.1",
        1,
    )


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (node(), "Ready"),
        (node(ready="False"), "NotReady"),
        (node(ready="Unknown"), "NotReady"),
        (node(unschedulable=True), "Ready,SchedulingDisabled"),
        ({"metadata": {"name": "new"}, "spec": {}}, "NotReady"),
    ],
)
def test_a_nodes_status_is_what_kubectl_calls_it(found: dict[str, Any], status: str):
    assert node_rows([found], [])[0].status == status


def test_a_service_has_a_real_address_where_it_has_a_load_balancer():
    inside, outside = service_rows([service(HTTP), service(HTTP, type="LoadBalancer")])
    assert inside.ports[0].real == ()
    assert outside.ports[0].real == ("127.65.0.1:80",)
    assert not outside.ports[0].moved


def test_a_port_that_could_not_be_bound_is_where_the_gateway_says():
    annotations = {"kubehop.dev/real-addresses": json.dumps({"80/TCP": "127.65.0.1:8080"})}
    https = {"port": 443, "nodePort": 30443}
    found = service(HTTP, https, type="LoadBalancer", metadata={"annotations": annotations})
    (row,) = service_rows([found])
    assert [(port.port, port.real, port.moved, port.node_port) for port in row.ports] == [
        ("80/TCP", ("127.65.0.1:8080",), True, 0),
        ("443/TCP", ("127.65.0.1:443",), False, 30443),
    ]


def test_services_come_by_namespace_and_name_and_may_lack_almost_everything():
    external = {
        "metadata": {"name": "api", "namespace": "a"},
        "spec": {"type": "ExternalName", "externalName": "example.com"},
    }
    headless = service(clusterIP="None")
    found = service_rows([headless, external])
    assert [(row.name, row.cluster_ip, row.ports) for row in found] == [
        ("a/api", "example.com", ()),
        ("shop/web", "None", ()),
    ]


def test_a_cluster_is_healthy_when_everything_is_as_it_should_be():
    assert report().healthy
    assert report().nodes_programmed == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"processes": (replace(READY, state="waiting"),)},
        {"processes": (READY, replace(READY, state="stopped"))},
        {"nodes": node_rows([node(ready="False")], [])},
        {"programmed": {"node-1": "", "gateway": "services 4 of 5"}},
        {"problem": "it does not answer"},
    ],
)
def test_one_thing_that_is_wrong_is_enough_not_to_be(wrong: dict[str, Any]):
    assert not report(**wrong).healthy


def test_a_front_that_could_not_be_bound_is_named_with_the_reason():
    taken = {"service": "shop/web", "port": "80/TCP", "problem": "127.65.0.1:80: in use"}
    served = {"service": "shop/clock", "port": "9999/UDP", "problem": ""}
    assert unserved_ports([taken, served]) == (
        "shop/web 80/TCP is not served: 127.65.0.1:80: in use",
    )


def test_a_cordoned_node_is_healthy():
    assert report(nodes=node_rows([node(unschedulable=True)], [])).healthy


def test_json_has_all_of_it_and_both_sums():
    document = json.loads(json.dumps(report(services=service_rows([service(HTTP)])).to_json()))
    assert document["healthy"] is True
    assert document["nodesProgrammed"] == 1
    assert document["processes"][0]["name"] == "node-1"
    assert document["programmed"] == {"node-1": ""}
    assert document["services"][0]["ports"] == [
        {"port": "80/TCP", "real": [], "nodePort": 0, "moved": False}
    ]
    assert {"apiUrl", "runDir", "kubeconfig", "problem"} <= set(document)
    assert document["nodes"][0]["internalIp"] == "172.30.0.1"
