"""The scheduler's rules."""

from typing import Any

import pytest

from control.scheduler.framework import NodeState
from control.scheduler.plugins import (
    fewest_of_family,
    fewest_pods,
    free_ports,
    node_affinity,
    pod_count,
    preferred_taints,
    unschedulable,
    untolerated_taint,
)

NOT_READY = "node.kubernetes.io/not-ready"
EVERYTHING = {"tolerations": [{"operator": "Exists"}]}


def state(node: Any, *pods: Any) -> NodeState:
    made = NodeState(node)
    for pod in pods:
        made.take(pod)
    return made


def test_a_cordoned_node_takes_only_who_tolerates_it(build: Any) -> None:
    """P-76."""
    node = state(build.node("n", unschedulable=True))
    assert unschedulable(build.pod("a"), node) == "node(s) were unschedulable"
    assert unschedulable(build.pod("a", spec=EVERYTHING), node) is None
    assert unschedulable(build.pod("a"), state(build.node("n"))) is None


def test_a_node_in_deletion_takes_nobody(build: Any) -> None:
    node = build.node("n")
    node["metadata"]["deletionTimestamp"] = build.stamp()
    assert unschedulable(build.pod("a", spec=EVERYTHING), state(node)) is not None


@pytest.mark.parametrize("ready", ["False", "Unknown", None])
def test_a_node_that_is_not_ready_takes_nobody_even_before_its_taint(
    build: Any, ready: str | None
) -> None:
    """P-68."""
    reason = untolerated_taint(build.pod("a"), state(build.node("n", ready=ready)))
    assert reason is not None and reason.startswith("node(s) had untolerated taint {node.kub")
    assert untolerated_taint(build.pod("a"), state(build.node("n"))) is None


@pytest.mark.parametrize(
    ("effect", "refused"), [("NoSchedule", True), ("NoExecute", True), ("PreferNoSchedule", False)]
)
def test_taints_must_be_tolerated(build: Any, effect: str, refused: bool) -> None:
    node = state(build.node("n", taints=[{"key": "gpu", "value": "yes", "effect": effect}]))
    reason = untolerated_taint(build.pod("a"), node)
    assert reason == ("node(s) had untolerated taint {gpu: yes}" if refused else None)
    tolerant = build.pod("b", spec={"tolerations": [{"key": "gpu", "value": "yes"}]})
    assert untolerated_taint(tolerant, node) is None


def test_a_cordon_is_told_once_as_what_it_is(build: Any) -> None:
    """P-76: not a second time as a taint."""
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    node = state(build.node("n", unschedulable=True, taints=[taint]))
    assert untolerated_taint(build.pod("a"), node) is None


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return {"affinity": {"nodeAffinity": {key: required}}}


def wants(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({}, True),
        ({"nodeSelector": {"disk": "ssd"}}, True),
        ({"nodeSelector": {"disk": "hdd"}}, False),
        ({"nodeSelector": {"disk": "ssd", "gpu": "yes"}}, False),
        (affinity(wants("disk", "In", "ssd", "nvme")), True),
        (affinity(wants("disk", "NotIn", "ssd")), False),
        (affinity(wants("gpu", "Exists"), wants("disk", "Exists")), True),  # any term
        (affinity({}), False),  # an empty term fits nothing
        (affinity(), False),
        (
            affinity(
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
            ),
            True,
        ),
        ({"nodeSelector": {"disk": "ssd"}, **affinity(wants("disk", "DoesNotExist"))}, False),
    ],
)
def test_selector_and_required_affinity_must_both_fit(
    build: Any, spec: dict[str, Any], fits: bool
) -> None:
    reason = node_affinity(
        build.pod("a", spec=spec), state(build.node("n", labels={"disk": "ssd"}))
    )
    assert (reason is None) is fits
    assert reason in (None, "node(s) didn't match Pod's node affinity/selector")


def using(build: Any, **port: Any) -> Any:
    return build.pod("p", containers=[{"name": "main", "ports": [{"containerPort": 80, **port}]}])


@pytest.mark.parametrize(
    ("taken", "wished", "free"),
    [
        ({"hostPort": 80}, {"hostPort": 80}, False),
        ({"hostPort": 80}, {"hostPort": 81}, True),
        ({"hostPort": 80}, {"hostPort": 80, "protocol": "UDP"}, True),
        ({"hostPort": 80, "hostIP": "1.1.1.1"}, {"hostPort": 80, "hostIP": "2.2.2.2"}, True),
        ({"hostPort": 80, "hostIP": "1.1.1.1"}, {"hostPort": 80, "hostIP": "1.1.1.1"}, False),
        ({"hostPort": 80, "hostIP": "1.1.1.1"}, {"hostPort": 80}, False),
        ({"hostPort": 80, "hostIP": "0.0.0.0"}, {"hostPort": 80, "hostIP": "1.1.1.1"}, False),
        ({}, {"hostPort": 80}, True),
    ],
)
def test_host_ports_collide_by_address_protocol_and_number(
    build: Any, taken: dict[str, Any], wished: dict[str, Any], free: bool
) -> None:
    """P-31, P-32."""
    reason = free_ports(using(build, **wished), state(build.node("n"), using(build, **taken)))
    wanted = None if free else "node(s) didn't have free ports for the requested pod ports"
    assert reason == wanted


def test_a_node_takes_as_many_pods_as_it_says(build: Any) -> None:
    """P-21."""
    node = build.node("n", status={"allocatable": {"pods": "1"}})
    assert pod_count(build.pod("a"), state(node)) is None
    assert pod_count(build.pod("a"), state(node, build.pod("b"))) == "Too many pods"
    assert pod_count(build.pod("a"), state(build.node("m"), build.pod("b"))) is None


def test_scores_prefer_few_relatives_few_pods_and_no_soft_taint(build: Any) -> None:
    pod, twin, other = build.pod("a"), build.pod("b"), build.pod("c", labels={"x": "y"})
    node = state(build.node("n"), twin, other)
    assert (fewest_of_family(pod, node), fewest_pods(pod, node)) == (1, 2)
    soft = state(build.node("m", taints=[{"key": "x", "effect": "PreferNoSchedule"}]))
    assert preferred_taints(pod, soft) == 1
    assert preferred_taints(build.pod("d", spec=EVERYTHING), soft) == 0
