"""Pods: defaults that depend on other fields, what admission adds, quality of service."""

from typing import Any

import pytest

from control.resources.strategies.pods import (
    POD,
    qos_class,
    with_pod_defaults,
    with_template_defaults,
)

Spec = dict[str, Any]


def container(**more: Any) -> Spec:
    return {"name": "a", "image": "echo", **more}


def admitted(**spec: Any) -> Spec:
    made: Spec = POD.created({"spec": {"containers": [container()], **spec}})["spec"]
    return made


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("echo", "Always"),
        ("echo:latest", "Always"),
        ("host:5000/echo", "Always"),
        ("echo:1.2", "IfNotPresent"),
        ("host:5000/a/echo:1.2", "IfNotPresent"),
        ("echo@sha256:0123", "IfNotPresent"),
    ],
)
def test_an_image_that_can_change_is_pulled_always(image: str, policy: str) -> None:
    spec = with_pod_defaults({"containers": [container(image=image)]})
    assert spec["containers"][0]["imagePullPolicy"] == policy


def test_limits_are_asked_for_too() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    spec = with_pod_defaults({"initContainers": [container(resources=resources)]})
    asked = spec["initContainers"][0]["resources"]["requests"]
    assert asked == {"cpu": "500m", "memory": "1Gi"}


def test_on_the_nodes_network_a_port_is_the_nodes() -> None:
    """P-29."""
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]
    spec = with_pod_defaults({"hostNetwork": True, "containers": [container(ports=ports)]})
    assert [each["hostPort"] for each in spec["containers"][0]["ports"]] == [80, 81]
    plain = with_pod_defaults({"containers": [container(ports=ports)]})
    assert plain["containers"][0]["ports"] == ports


def test_a_volume_that_says_nothing_is_an_empty_directory() -> None:
    spec = with_pod_defaults({"volumes": [{"name": "a"}, {"name": "b", "secret": {}}]})
    assert spec["volumes"] == [{"name": "a", "emptyDir": {}}, {"name": "b", "secret": {}}]


def test_both_spellings_of_the_account_agree() -> None:
    assert with_pod_defaults({"serviceAccount": "x"})["serviceAccountName"] == "x"
    assert with_pod_defaults({"serviceAccountName": "x"})["serviceAccount"] == "x"


def test_a_template_gets_a_pods_defaults_and_no_more() -> None:
    document = {"spec": {"template": {"spec": {"containers": [container()]}}}}
    spec = with_template_defaults(document)["spec"]["template"]["spec"]
    assert spec == {"containers": [container(imagePullPolicy="Always")]}
    assert with_template_defaults({"spec": {}}) == {"spec": {}}


def test_a_pod_stays_five_minutes_on_a_node_that_fails() -> None:
    """P-70."""
    assert admitted()["tolerations"] == [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for state in ("not-ready", "unreachable")
    ]


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "node.kubernetes.io/not-ready", "operator": "Exists"}, ["unreachable"]),
        ({"operator": "Exists", "effect": "NoSchedule"}, ["not-ready", "unreachable"]),
    ],
)
def test_unless_it_says_itself_how_long(own: Spec, added: list[str]) -> None:
    """P-70."""
    tolerations = admitted(tolerations=[own])["tolerations"]
    assert tolerations[0] == own
    assert [each["key"].rpartition("/")[2] for each in tolerations[1:]] == added


def test_a_pod_has_an_account_and_a_priority() -> None:
    spec = admitted()
    assert spec["serviceAccountName"] == "default"
    assert spec["enableServiceLinks"] is True
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert admitted(priorityClassName="system-cluster-critical")["priority"] == 2_000_000_000
    assert admitted(serviceAccountName="x")["serviceAccountName"] == "x"


HALF = {"cpu": "500m", "memory": "64Mi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"requests": {"example.com/gpu": "1"}}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": HALF, "requests": HALF}], "Guaranteed"),
        ([{"limits": HALF, "requests": {"cpu": "0.5", "memory": "65536Ki"}}], "Guaranteed"),
        ([{"limits": HALF, "requests": HALF}, {}], "Burstable"),
        ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
    ],
)
def test_quality_of_service(resources: list[Spec], expected: str) -> None:
    assert qos_class({"containers": [container(resources=each) for each in resources]}) == expected
