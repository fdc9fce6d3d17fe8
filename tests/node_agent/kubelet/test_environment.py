"""The environment of a container."""

import pytest

from cluster.errors import ConfigError
from node_agent.kubelet.environment import (
    Source,
    Surroundings,
    environment,
    expand,
    hostname_of,
    service_variables,
    sources_of,
)

POD = {
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "uid": "u1",
        "labels": {"app": "web"},
        "annotations": {"team": "a"},
    },
    "spec": {"nodeName": "node-1", "serviceAccountName": "robot"},
}
AROUND = Surroundings(pod_ip="10.244.1.5", host_ip="172.30.0.1")


def service(name, namespace="shop", ip="10.96.0.20", ports=({"name": "http", "port": 80},)):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": list(ports)},
    }


KUBERNETES = service("kubernetes", "default", "10.96.0.1", ({"name": "https", "port": 443},))


def test_services_of_the_namespace_and_kubernetes_are_variables():
    """S-22."""
    env = service_variables(POD, [service("redis-main"), service("other", "bank"), KUBERNETES])
    assert env["REDIS_MAIN_SERVICE_HOST"] == "10.96.0.20"
    assert env["REDIS_MAIN_SERVICE_PORT"] == "80"
    assert env["REDIS_MAIN_SERVICE_PORT_HTTP"] == "80"
    assert env["REDIS_MAIN_PORT"] == "tcp://10.96.0.20:80"
    assert env["REDIS_MAIN_PORT_80_TCP"] == "tcp://10.96.0.20:80"
    assert env["REDIS_MAIN_PORT_80_TCP_PROTO"] == "tcp"
    assert env["REDIS_MAIN_PORT_80_TCP_PORT"] == "80"
    assert env["REDIS_MAIN_PORT_80_TCP_ADDR"] == "10.96.0.20"
    assert env["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert "OTHER_SERVICE_HOST" not in env


def test_service_links_can_be_turned_off_but_for_kubernetes():
    """S-22."""
    pod = {**POD, "spec": {**POD["spec"], "enableServiceLinks": False}}
    env = service_variables(pod, [service("redis"), KUBERNETES])
    assert "REDIS_SERVICE_HOST" not in env
    assert env["KUBERNETES_SERVICE_PORT"] == "443"


def test_a_headless_service_has_no_variables():
    """S-22: only Services with a ClusterIP."""
    assert service_variables(POD, [service("db", ip="None")]) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u1"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['team']", "a"),
        ("spec.nodeName", "node-1"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "10.244.1.5"),
        ("status.podIPs", "10.244.1.5"),
        ("status.hostIP", "172.30.0.1"),
        ("status.hostIPs", "172.30.0.1"),
    ],
)
def test_the_downward_api(path, value):
    """P-14."""
    entry = {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}
    assert environment(POD, {"name": "app", "env": [entry]}, AROUND)["X"] == value


def test_an_unknown_field_path_is_an_error():
    entry = {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.colour"}}}
    with pytest.raises(ConfigError, match=r"spec\.colour"):
        environment(POD, {"name": "app", "env": [entry]}, AROUND)


def test_references_are_expanded_from_what_came_before():
    container = {
        "name": "app",
        "env": [
            {"name": "HOST", "value": "$(REDIS_SERVICE_HOST)"},
            {"name": "URL", "value": "redis://$(HOST)/$(LATER)"},
            {"name": "LATER", "value": "$$(HOST)"},
        ],
    }
    around = Surroundings(pod_ip="", host_ip="", services=[service("redis")])
    env = environment(POD, container, around)
    assert env["URL"] == "redis://10.96.0.20/$(LATER)"
    assert env["LATER"] == "$(HOST)"


def test_unknown_references_stay_as_they_are():
    assert expand("$(A) $(B) $C $$(A)", {"A": "1"}) == "1 $(B) $C $(A)"


FROM = {
    "name": "app",
    "envFrom": [
        {"prefix": "P_", "configMapRef": {"name": "settings"}},
        {"secretRef": {"name": "token"}},
    ],
    "env": [
        {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}},
        {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "token", "key": "t"}}},
    ],
}
SETTINGS, TOKEN = Source("configmap", "settings"), Source("secret", "token")


def test_config_maps_and_secrets():
    around = Surroundings(
        pod_ip="", host_ip="", sources={SETTINGS: {"a": "1"}, TOKEN: {"t": "secret"}}
    )
    env = environment(POD, FROM, around)
    assert (env["P_a"], env["t"], env["ONE"], env["TWO"]) == ("1", "secret", "1", "secret")
    assert sources_of(FROM) == {SETTINGS, TOKEN}


def test_what_is_missing_is_named():
    with pytest.raises(ConfigError, match='configmap "settings" not found'):
        environment(POD, FROM, AROUND)
    around = Surroundings(pod_ip="", host_ip="", sources={SETTINGS: {}, TOKEN: {}})
    with pytest.raises(ConfigError, match="couldn't find key a in ConfigMap shop/settings"):
        environment(POD, FROM, around)


def test_optional_sources_may_be_missing():
    reference = {"name": "settings", "key": "a", "optional": True}
    container = {
        "name": "app",
        "envFrom": [{"configMapRef": {"name": "settings", "optional": True}}],
        "env": [{"name": "ONE", "valueFrom": {"configMapKeyRef": reference}}],
    }
    assert "ONE" not in environment(POD, container, AROUND)


def test_the_host_name_is_the_pods_or_the_specs_cut_to_63():
    """D-85."""
    assert environment(POD, {"name": "app"}, AROUND)["HOSTNAME"] == "web-1"
    assert hostname_of({"metadata": {"name": "x"}, "spec": {"hostname": "h"}}) == "h"
    assert len(hostname_of({"metadata": {"name": "x" * 70}, "spec": {}})) == 63
