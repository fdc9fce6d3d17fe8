"""Pods of nodes that no longer exist."""

from typing import Any

from cluster.objects.resources import NODES, PODS
from control.controllers import pod_gc
from control.controllers.pod_gc import reconcile
from control.controllers.view import Key
from control.controllers.writes import Absent, Delete, LookAgain

KEY = Key(PODS, "default", "a")


def test_a_pod_of_a_deleted_node_is_deleted_at_once(build: Any, view: Any) -> None:
    """P-72, P-77: nobody is left to stop it gracefully; the API is asked first."""
    pod = build.pod("a", status={"startTime": build.stamp()}, deletionTimestamp=build.stamp())
    [deletion] = reconcile(view(pod), KEY)
    assert isinstance(deletion, Delete)
    assert deletion.grace_seconds == 0
    assert deletion.provided == (Absent(NODES, "", "node-1", ""),)


def test_a_pod_of_a_living_or_silent_node_stays(build: Any, view: Any) -> None:
    """P-72."""
    pod = build.pod("a")
    assert reconcile(view(pod, build.node("node-1", ready="Unknown")), KEY) == ()
    assert reconcile(view(build.pod("a", node=None)), KEY) == ()


def test_a_pod_may_wait_for_a_node_that_is_about_to_join(build: Any, view: Any) -> None:
    pod = build.pod("a", node="soon", ready=None)
    assert reconcile(view(pod, elapsed=10), KEY) == [LookAgain(30.0)]
    assert isinstance(reconcile(view(pod, elapsed=40), KEY)[0], Delete)


def test_a_deleted_node_concerns_its_pods(build: Any, view: Any) -> None:
    """P-77."""
    watches = pod_gc.controller().watches
    node = build.node("node-1")
    held = view(build.pod("a"), build.pod("b", node="node-2")).objects
    assert list(watches[NODES](held, node, None)) == [KEY]
    assert list(watches[NODES](held, node, node)) == []
    assert list(watches[PODS](held, None, build.pod("a"))) == [KEY]
    assert list(watches[PODS](view(node).objects, None, build.pod("a"))) == []
