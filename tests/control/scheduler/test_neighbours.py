"""Pods near others, far from others, spread."""

from typing import Any

import pytest

from control.scheduler import neighbours
from control.scheduler.framework import NodeState, Placed, Profile, Unschedulable, schedule
from control.scheduler.neighbours import (
    NEAR,
    NOT_NEAR,
    REQUIRED,
    UNEVEN,
    UNWANTED,
    Neighbours,
    concerned,
)

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
WEB = {"matchLabels": {"app": "web"}}
NAMESPACES = {"default": {}, "shop": {"team": "a"}, "bank": {"team": "b"}}


def reasons(pod: Any, there: dict[str, NodeState]) -> dict[str, str]:
    return neighbours.reasons(pod, there, NAMESPACES)


def states(build: Any, **members: list[Any]) -> dict[str, NodeState]:
    """Four nodes in two zones, with these pods on them."""
    made = {}
    for number in range(4):
        name = f"n{number}"
        labels = {HOST: name, ZONE: "ab"[number // 2]}
        made[name] = NodeState(build.node(name, labels=labels), members=members.get(name, []))
    return made


def pod(build: Any, app: str = "web", **spec: Any) -> Any:
    return build.pod(f"{app}-pod", node=None, labels={"app": app}, spec=spec)


def affinity(kind: str, key: str, **term: Any) -> dict[str, Any]:
    return {"affinity": {kind: {REQUIRED: [{"topologyKey": key, "labelSelector": WEB, **term}]}}}


def test_a_pod_keeps_away_from_its_like(build: Any) -> None:
    there = states(build, n0=[pod(build)])
    far = pod(build, **affinity("podAntiAffinity", HOST))
    assert reasons(far, there) == {"n0": NEAR}
    wide = pod(build, "other", **affinity("podAntiAffinity", ZONE))
    assert reasons(wide, there) == {"n0": NEAR, "n1": NEAR}


def test_a_pod_that_is_there_keeps_others_away(build: Any) -> None:
    proud = pod(build, "proud", **affinity("podAntiAffinity", ZONE))
    assert reasons(pod(build), states(build, n3=[proud])) == {"n2": UNWANTED, "n3": UNWANTED}
    assert reasons(pod(build, "other"), states(build, n3=[proud])) == {}


def test_a_pod_goes_where_its_friends_are(build: Any) -> None:
    close = pod(build, "cache", **affinity("podAffinity", ZONE))
    assert reasons(close, states(build, n0=[pod(build)])) == {"n2": NOT_NEAR, "n3": NOT_NEAR}
    assert set(reasons(close, states(build))) == {"n0", "n1", "n2", "n3"}
    first = pod(build, **affinity("podAffinity", ZONE))  # its own friend: somebody must begin
    assert reasons(first, states(build)) == {}


def test_another_namespace_is_meant_only_if_it_is_named(build: Any) -> None:
    other = build.pod("web-1", labels={"app": "web"}, namespace="shop")
    there = states(build, n0=[other])
    assert reasons(pod(build, **affinity("podAntiAffinity", HOST)), there) == {}
    named = affinity("podAntiAffinity", HOST, namespaces=["shop"])
    assert reasons(pod(build, **named), there) == {"n0": NEAR}


@pytest.mark.parametrize(
    ("selector", "more", "kept_from"),
    [
        ({}, {}, {"n0", "n1", "n2"}),
        ({"matchLabels": {"team": "a"}}, {}, {"n1"}),
        ({"matchLabels": {"team": "a"}}, {"namespaces": ["bank"]}, {"n1", "n2"}),
        ({"matchLabels": {"team": "none"}}, {}, set()),
    ],
)
def test_namespaces_are_selected_by_their_labels(
    build: Any, selector: Any, more: Any, kept_from: set[str]
) -> None:
    there = states(
        build,
        n0=[pod(build)],
        n1=[build.pod("w", labels={"app": "web"}, namespace="shop")],
        n2=[build.pod("w", labels={"app": "web"}, namespace="bank")],
    )
    term = affinity("podAntiAffinity", HOST, namespaceSelector=selector, **more)
    assert set(reasons(pod(build, **term), there)) == kept_from


@pytest.mark.parametrize(("when", "kept"), [("DoNotSchedule", True), ("ScheduleAnyway", False)])
def test_pods_are_spread_evenly_where_they_must_be(build: Any, when: str, kept: bool) -> None:
    rule = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": when, "labelSelector": WEB}
    spread = pod(build, topologySpreadConstraints=[rule])
    there = states(build, n0=[pod(build)])
    assert reasons(spread, there) == (dict.fromkeys(("n0", "n1"), UNEVEN) if kept else {})
    assert concerned(spread)
    assert not concerned(pod(build))


def test_a_pass_counts_what_it_places(build: Any) -> None:
    there = states(build)
    profile = Profile(filters=[Neighbours(there, NAMESPACES)], scores=[])
    rules = affinity("podAntiAffinity", HOST)
    pods = [build.pod(f"p{i}", node=None, labels={"app": "web"}, spec=rules) for i in range(5)]
    placements = schedule(pods, there, profile)
    placed = [each.node for each in placements if isinstance(each, Placed)]
    assert sorted(placed) == ["n0", "n1", "n2", "n3"]
    [left] = [each for each in placements if isinstance(each, Unschedulable)]
    assert NEAR in left.message
