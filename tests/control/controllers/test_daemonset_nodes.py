"""Nodes for daemons."""

from typing import Any

import pytest

from control.controllers.daemonset_nodes import Place, daemon_pod, node_name, place_of


def owner(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "namespace": "default", "uid": "u"},
        "spec": {"template": {"spec": spec}},
    }


@pytest.mark.parametrize(
    ("effect", "place"),
    [
        ("NoSchedule", Place(False, True)),
        ("NoExecute", Place(False, False)),
        ("PreferNoSchedule", Place(True, True)),
    ],
)
def test_a_taint_keeps_out_or_drives_out(build: Any, effect: str, place: Place) -> None:
    node = build.node("n", taints=[{"key": "x", "effect": effect}])
    assert place_of(owner(), node) == place
    tolerating = owner(tolerations=[{"operator": "Exists"}])
    assert place_of(tolerating, node) == Place(True, True)


def test_a_cordoned_node_keeps_its_daemons(build: Any) -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    assert place_of(owner(), build.node("n", taints=[taint])) == Place(True, True)


def test_a_fixed_node_is_the_only_one(build: Any) -> None:
    fixed = owner(nodeName="n")
    assert place_of(fixed, build.node("n")) == Place(True, True)
    assert place_of(fixed, build.node("m")) == Place(False, False)


def test_a_pod_is_made_for_one_node_and_keeps_what_else_it_wants() -> None:
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": []}
    pod = daemon_pod(owner(affinity={"nodeAffinity": preferred}), "node-7", "abc")
    assert node_name(pod) == "node-7"
    assert preferred.items() <= pod["spec"]["affinity"]["nodeAffinity"].items()
    assert pod["metadata"]["labels"]["controller-revision-hash"] == "abc"


def test_where_a_pod_is_counts_more_than_where_it_was_to_go() -> None:
    pod = daemon_pod(owner(), "node-7", "abc")
    assert node_name({**pod, "spec": {**pod["spec"], "nodeName": "node-1"}}) == "node-1"
    assert node_name({"metadata": {}, "spec": {}}) == ""


def test_daemons_of_the_hosts_network_do_not_wait_for_it() -> None:
    keys = [e["key"] for e in daemon_pod(owner(hostNetwork=True), "n", "a")["spec"]["tolerations"]]
    assert "node.kubernetes.io/network-unavailable" in keys
