"""Pods leave nodes in trouble."""

from typing import Any

import pytest

from cluster.objects.resources import NODES, PODS
from control.controllers import taint_eviction
from control.controllers.node_taints import NOT_READY, UNREACHABLE
from control.controllers.taint_eviction import TaintEviction, tolerated_seconds
from control.controllers.view import Key
from control.controllers.writes import Delete, LookAgain, Patch

KEY = Key(PODS, "default", "a")
UNREACHED = {"key": UNREACHABLE, "effect": "NoExecute"}


def tolerating(key: str, seconds: int | None = None) -> dict[str, Any]:
    made = {"key": key, "operator": "Exists", "effect": "NoExecute"}
    return made if seconds is None else {**made, "tolerationSeconds": seconds}


def test_a_pod_leaves_after_five_minutes_by_default(build: Any, view: Any) -> None:
    """P-70: also when nothing has written the default tolerations into it."""
    eviction = TaintEviction()
    node = build.node("node-1", ready="Unknown", taints=[UNREACHED])
    pod = build.pod("a")
    assert eviction.reconcile(view(node, pod), KEY) == [LookAgain(300.0)]
    assert eviction.reconcile(view(node, pod, elapsed=299), KEY) == [LookAgain(1.0)]
    condition, deletion = eviction.reconcile(view(node, pod, elapsed=300), KEY)
    assert isinstance(condition, Patch)
    assert isinstance(deletion, Delete)
    assert condition.changes["status"]["conditions"][-1]["type"] == "DisruptionTarget"
    assert deletion.uid == pod["metadata"]["uid"]
    assert deletion.announce is not None
    assert deletion.announce.done == (
        "TaintManagerEviction",
        "Marking for deletion Pod default/a",
    )


def test_the_five_minutes_are_scaled(build: Any, view: Any) -> None:
    node = build.node("node-1", taints=[UNREACHED])
    plan = TaintEviction().reconcile(view(node, build.pod("a"), scale=0.01), KEY)
    assert plan == [LookAgain(3.0)]


def test_a_node_that_returns_in_time_keeps_its_pods(build: Any, view: Any) -> None:
    """P-74: and a second silence is counted anew."""
    eviction = TaintEviction()
    down, up = build.node("node-1", taints=[UNREACHED]), build.node("node-1")
    pod = build.pod("a")
    eviction.reconcile(view(down, pod), KEY)
    assert eviction.reconcile(view(up, pod, elapsed=200), KEY) == ()
    assert eviction.reconcile(view(down, pod, elapsed=250), KEY) == [LookAgain(300.0)]


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], 300.0),  # P-70
        ([tolerating(UNREACHABLE, 30)], 30.0),
        ([tolerating(UNREACHABLE)], None),  # P-71
        ([{"operator": "Exists"}], None),  # P-71: tolerates everything
        ([tolerating(NOT_READY, 5)], 300.0),  # the other taint
        ([tolerating(UNREACHABLE, 30), tolerating(UNREACHABLE, 10)], 10.0),
        ([tolerating(UNREACHABLE, -1)], 0.0),
    ],
)
def test_tolerations_decide_how_long_a_pod_stays(
    build: Any, tolerations: list[Any], seconds: float | None
) -> None:
    pod = build.pod("a", spec={"tolerations": tolerations})
    assert tolerated_seconds(pod, [UNREACHED]) == seconds


def test_a_users_taint_evicts_at_once(build: Any, view: Any) -> None:
    node = build.node("node-1", taints=[{"key": "maintenance", "effect": "NoExecute"}])
    plan = TaintEviction().reconcile(view(node, build.pod("a")), KEY)
    assert [type(write) for write in plan] == [Patch, Delete]


def test_a_taint_without_execution_evicts_nobody(build: Any, view: Any) -> None:
    """P-76: a cordoned node keeps its pods."""
    node = build.node("node-1", taints=[{"key": "x", "effect": "NoSchedule"}])
    assert TaintEviction().reconcile(view(node, build.pod("a")), KEY) == ()


def test_a_pod_that_is_terminating_already_is_left_to_its_node(build: Any, view: Any) -> None:
    """P-72."""
    node = build.node("node-1", taints=[{"key": "maintenance", "effect": "NoExecute"}])
    pod = build.pod("a", deletionTimestamp=build.stamp())
    assert TaintEviction().reconcile(view(node, pod), KEY) == ()


def test_a_new_taint_concerns_the_nodes_pods(build: Any, view: Any) -> None:
    watches = taint_eviction.controller().watches
    held = view(build.pod("a"), build.pod("b", node="node-2")).objects
    up, down = build.node("node-1"), build.node("node-1", taints=[UNREACHED])
    assert list(watches[NODES](held, up, down)) == [KEY]
    assert list(watches[NODES](held, down, down)) == []


def test_a_successor_of_the_same_name_has_its_own_five_minutes(build: Any, view: Any) -> None:
    """P-70."""
    eviction = TaintEviction()
    node = build.node("node-1", taints=[UNREACHED])
    eviction.reconcile(view(node, build.pod("a")), KEY)
    plan = eviction.reconcile(view(node, build.pod("a"), elapsed=299), KEY)
    assert plan == [LookAgain(300.0)]
