"""Taints by condition, and the pace of evictions."""

from typing import Any

import pytest

from control.controllers.node_taints import (
    NOT_READY,
    UNREACHABLE,
    Zone,
    ZoneCounts,
    eviction_pause,
    evictions_stop,
    no_schedule_keys,
    tolerates,
    toleration_matches,
    wished_taints,
)

NOW = 1_767_268_800.0


def pairs(taints: list[Any]) -> set[tuple[str, str]]:
    return {(taint["key"], taint["effect"]) for taint in taints}


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),  # P-27
        ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "node.kubernetes.io/disk-pressure"),
        ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    ],
)
def test_a_bad_condition_taints(build: Any, condition: str, key: str) -> None:
    node = build.node("n", status={"conditions": [{"type": condition, "status": "True"}]})
    assert no_schedule_keys(node) == [key]


@pytest.mark.parametrize(
    ("ready", "keys"),
    [("True", []), ("False", [NOT_READY]), ("Unknown", [UNREACHABLE]), (None, [NOT_READY])],
)
def test_readiness_taints(build: Any, ready: str | None, keys: list[str]) -> None:
    """P-68."""
    assert no_schedule_keys(build.node("n", ready=ready)) == keys


def test_a_cordoned_node_is_tainted(build: Any) -> None:
    """P-76."""
    node = build.node("n", unschedulable=True)
    assert no_schedule_keys(node) == ["node.kubernetes.io/unschedulable"]


def test_taints_of_others_stay_and_ours_keep_their_time(build: Any) -> None:
    theirs = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    ours = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": build.stamp(-60)}
    node = build.node("n", ready="Unknown", taints=[theirs, ours])
    taints = wished_taints(node, UNREACHABLE, NOW)
    assert taints[:2] == [theirs, ours]
    assert pairs(taints) == {
        ("gpu", "NoSchedule"),
        (UNREACHABLE, "NoExecute"),
        (UNREACHABLE, "NoSchedule"),
    }


def test_a_node_that_comes_back_loses_our_taints_only(build: Any) -> None:
    """P-74."""
    theirs = {"key": "gpu", "effect": "NoExecute"}
    ours = [{"key": UNREACHABLE, "effect": e} for e in ("NoSchedule", "NoExecute")]
    node = build.node("n", taints=[theirs, *ours])
    assert wished_taints(node, "", NOW) == [theirs]


def test_silence_that_becomes_a_word_swaps_the_taint(build: Any) -> None:
    """P-68."""
    held = [{"key": UNREACHABLE, "effect": e} for e in ("NoSchedule", "NoExecute")]
    node = build.node("n", ready="False", taints=held)
    assert pairs(wished_taints(node, NOT_READY, NOW)) == {
        (NOT_READY, "NoSchedule"),
        (NOT_READY, "NoExecute"),
    }


def test_zones_are_counted_apart(build: Any) -> None:
    labels = {"topology.kubernetes.io/zone": "a"}
    nodes = [build.node("1", labels=labels), build.node("2", ready="Unknown", labels=labels)]
    assert ZoneCounts().of([*nodes, build.node("3")]) == {":a": Zone(1, 1), ":": Zone(1, 0)}


@pytest.mark.parametrize(
    ("zone", "nodes", "pause"),
    [
        (Zone(2, 1), 3, 10.0),
        (Zone(0, 2), 5, 10.0),  # a whole zone, others are well
        (Zone(1, 2), 3, 10.0),  # two nodes are no pattern yet
        (Zone(2, 3), 5, None),  # P-73: 55 % and a small cluster
        (Zone(20, 40), 60, 100.0),  # P-73: 55 % and a large one
        (Zone(30, 30), 60, 10.0),
    ],
)
def test_a_faulty_zone_is_emptied_slower_or_not(zone: Zone, nodes: int, pause: Any) -> None:
    """P-73."""
    assert eviction_pause(zone, nodes) == pause


def test_evictions_stop_when_every_zone_is_down() -> None:
    """P-73."""
    assert evictions_stop({"a": Zone(0, 2), "b": Zone(0, 1)})
    assert not evictions_stop({"a": Zone(0, 2), "b": Zone(1, 0)})


@pytest.mark.parametrize(
    ("toleration", "matches"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Equal", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "w"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"value": "v"}, False),
    ],
)
def test_a_toleration_covers_effect_key_and_value(toleration: Any, matches: bool) -> None:
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    assert toleration_matches(toleration, taint) is matches
    assert tolerates([toleration], taint) is matches


def test_zones_are_counted_anew_when_a_node_has_changed_or_gone(build: Any) -> None:
    counts = ZoneCounts()
    one, two = build.node("a"), build.node("b", ready="False")
    for nodes, expected in (
        ([one, two], Zone(1, 1)),
        ([one, build.node("b")], Zone(2, 0)),
        ([build.node("a", ready="Unknown")], Zone(0, 1)),
        ([one, two], Zone(1, 1)),
    ):
        assert counts.of(nodes) == {":": expected}
