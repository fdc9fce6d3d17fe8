"""Services: defaults by type; what an update keeps, moves along and drops."""

from typing import Any

import pytest

from control.resources.strategies.services import carried, with_service_defaults

Spec = dict[str, Any]


def defaulted(**spec: Any) -> Spec:
    filled: Spec = with_service_defaults({"spec": spec})["spec"]
    return filled


def updated(new: Spec, old: Spec) -> Spec:
    result: Spec = carried({"spec": new}, {"spec": old})["spec"]
    return result


STORED: Spec = {
    "type": "NodePort",
    "clusterIP": "10.96.0.20",
    "clusterIPs": ["10.96.0.20"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "internalTrafficPolicy": "Cluster",
    "externalTrafficPolicy": "Cluster",
    "ports": [{"name": "http", "port": 80, "nodePort": 30080}],
}


def test_type_protocol_and_affinity() -> None:
    """S-1, S-2, S-4, S-5."""
    spec = defaulted(ports=[{"port": 80}])
    assert spec["type"] == "ClusterIP"
    assert spec["sessionAffinity"] == "None"
    assert spec["internalTrafficPolicy"] == "Cluster"
    assert spec["ports"] == [{"protocol": "TCP", "port": 80, "targetPort": 80}]
    assert "externalTrafficPolicy" not in spec
    assert "allocateLoadBalancerNodePorts" not in spec


@pytest.mark.parametrize("target", [{}, {"targetPort": 0}, {"targetPort": ""}])
def test_a_target_port_that_is_not_said_is_the_port(target: Spec) -> None:
    """S-3."""
    assert defaulted(ports=[{"port": 80, **target}])["ports"][0]["targetPort"] == 80


def test_a_target_port_that_is_said_stays() -> None:
    assert defaulted(ports=[{"port": 80, "targetPort": "http"}])["ports"][0]["targetPort"] == "http"


def test_affinity_by_client_has_a_timeout() -> None:
    """S-4."""
    assert defaulted(sessionAffinity="ClientIP")["sessionAffinityConfig"] == {
        "clientIP": {"timeoutSeconds": 10800}
    }
    given = {"clientIP": {"timeoutSeconds": 5}}
    spec = defaulted(sessionAffinity="ClientIP", sessionAffinityConfig=given)
    assert spec["sessionAffinityConfig"] == given


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        ({"type": "NodePort"}, "Cluster"),
        ({"type": "LoadBalancer"}, "Cluster"),
        ({"externalIPs": ["203.0.113.9"]}, "Cluster"),
        ({}, None),
        ({"type": "ExternalName"}, None),
        ({"type": "NodePort", "externalTrafficPolicy": "Local"}, "Local"),
    ],
)
def test_who_comes_from_outside_has_a_policy(spec: Spec, policy: str | None) -> None:
    """S-6."""
    assert defaulted(**spec).get("externalTrafficPolicy") == policy


def test_an_external_name_has_no_internal_policy() -> None:
    """S-5."""
    assert "internalTrafficPolicy" not in defaulted(type="ExternalName", externalName="a.b")


def test_a_load_balancer_gets_node_ports_unless_told_otherwise() -> None:
    """S-7."""
    assert defaulted(type="LoadBalancer")["allocateLoadBalancerNodePorts"] is True
    given = defaulted(type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert given["allocateLoadBalancerNodePorts"] is False


def test_one_address_field_fills_the_other() -> None:
    """S-36."""
    assert defaulted(clusterIP="10.96.0.9")["clusterIPs"] == ["10.96.0.9"]
    assert defaulted(clusterIPs=["10.96.0.9"])["clusterIP"] == "10.96.0.9"
    assert "clusterIP" not in defaulted(clusterIP="", clusterIPs=[])


def test_defaults_twice_are_defaults_once() -> None:
    once = with_service_defaults({"spec": {"type": "LoadBalancer", "ports": [{"port": 1}]}})
    assert with_service_defaults(once) == once


def test_what_an_update_leaves_out_is_kept() -> None:
    """S-32."""
    new = {"type": "NodePort", "ports": [{"name": "http", "port": 8080}]}
    spec = updated(new, STORED)
    assert spec["clusterIP"] == "10.96.0.20"
    assert spec["clusterIPs"] == ["10.96.0.20"]
    assert spec["ipFamilies"] == ["IPv4"]
    assert spec["ports"] == [{"name": "http", "port": 8080, "nodePort": 30080}]


def test_a_node_port_that_the_client_uses_elsewhere_is_not_kept() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "new", "port": 81, "nodePort": 30080}]
    assert updated({"type": "NodePort", "ports": ports}, STORED)["ports"] == ports


def test_a_health_check_port_is_kept() -> None:
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    assert updated(local, {**local, "healthCheckNodePort": 30999})["healthCheckNodePort"] == 30999


def test_a_change_of_one_address_field_means_both() -> None:
    changed = updated({**STORED, "clusterIP": "10.96.0.21"}, STORED)
    assert changed["clusterIPs"] == ["10.96.0.21"]


def test_a_cluster_ip_service_gives_up_its_node_ports() -> None:
    """S-30, S-37: the user left them as they were."""
    spec = updated({**STORED, "type": "ClusterIP"}, STORED)
    assert spec["ports"] == [{"name": "http", "port": 80}]
    assert "externalTrafficPolicy" not in spec
    assert spec["clusterIP"] == "10.96.0.20"


def test_an_external_name_gives_up_its_addresses() -> None:
    """S-37."""
    spec = updated({**STORED, "type": "ExternalName", "externalName": "a.b"}, STORED)
    gone = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}
    assert not gone & spec.keys()
    assert spec["ports"] == [{"name": "http", "port": 80}]


def test_what_the_user_touched_is_not_dropped() -> None:
    """S-37: then it is refused, so that the user hears of it."""
    new = {**STORED, "type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30081}]}
    assert updated(new, STORED)["ports"] == [{"port": 80, "nodePort": 30081}]


def test_what_only_load_balancers_have_goes_with_the_type() -> None:
    """S-7, S-43, S-112."""
    balanced = {
        **STORED,
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "allocateLoadBalancerNodePorts": True,
        "healthCheckNodePort": 30999,
        "loadBalancerClass": "example.com/lb",
    }
    spec = updated({**balanced, "type": "NodePort"}, balanced)
    gone = {"allocateLoadBalancerNodePorts", "healthCheckNodePort", "loadBalancerClass"}
    assert not gone & spec.keys()
    assert spec["externalTrafficPolicy"] == "Local"
    assert spec["ports"][0]["nodePort"] == 30080


def test_node_ports_stay_until_the_user_removes_them() -> None:
    """S-42."""
    balanced = {**STORED, "type": "LoadBalancer", "allocateLoadBalancerNodePorts": True}
    switched = {**balanced, "allocateLoadBalancerNodePorts": False}
    assert updated(switched, balanced)["ports"] == STORED["ports"]
    bare = {**switched, "ports": [{"name": "http", "port": 80}]}
    assert updated(bare, switched)["ports"] == bare["ports"]
    assert (
        updated({**bare, "allocateLoadBalancerNodePorts": True}, switched)["ports"]
        == (STORED["ports"])
    )


def test_an_update_with_nothing_new_changes_nothing() -> None:
    assert updated(dict(STORED), STORED) == STORED
