"""Nodes that fall silent: conditions, taints, and their pods at once."""

from typing import Any

import pytest

from cluster.objects.resources import LEASES, NODES, PODS
from control.controllers import node_lifecycle
from control.controllers.conditions import condition_of
from control.controllers.node_lifecycle import GRACE_SECONDS, NodeLifecycle
from control.controllers.node_taints import NOT_READY, UNREACHABLE
from control.controllers.view import Key
from control.controllers.writes import LookAgain


class Nodes:
    """Nodes with leases in a simulation, watched by one lifecycle controller."""

    def __init__(self, simulation: Any, build: Any, count: int = 3) -> None:
        self.simulation, self.store, self.build = simulation, simulation.store, build
        self.lifecycle = NodeLifecycle()
        self.names = [f"node-{n}" for n in range(1, count + 1)]
        for name in self.names:
            self.store.create(NODES, build.node(name))
            metadata = {"name": name, "namespace": "kube-node-lease"}
            self.store.create(LEASES, {"kind": "Lease", "metadata": metadata, "spec": {}})
            self.renew(name)
        self.look()

    def renew(self, *names: str) -> None:
        for name in names:
            text = f"{self.simulation.elapsed}"
            self.store.patch(LEASES, name, {"spec": {"renewTime": text}}, "kube-node-lease")

    def look(self, *names: str) -> list[Any]:
        plans: list[Any] = []
        for _ in range(3):  # each write brings the next look
            for name in names or self.names:
                plans += self.simulation.look(self.lifecycle.reconcile, Key(NODES, "", name))
        return plans

    def pass_time(self, seconds: float, *silent: str) -> None:
        """Seconds go by, in steps of a lease renewal; the silent ones say nothing."""
        while seconds > 0:
            step = min(10.0, seconds)
            self.simulation.elapsed += step
            self.renew(*(name for name in self.names if name not in silent))
            self.look()
            seconds -= step

    def node(self, name: str) -> Any:
        return self.store.get(NODES, name)

    def ready(self, name: str) -> str:
        held = condition_of(self.node(name), "Ready")
        assert held is not None
        return str(held["status"])

    def taints(self, name: str) -> set[tuple[str, str]]:
        taints = self.node(name)["spec"].get("taints") or ()
        return {(taint["key"], taint["effect"]) for taint in taints}


BOTH = {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}


@pytest.fixture
def nodes(simulation: Any, build: Any) -> Nodes:
    return Nodes(simulation, build)


def test_a_node_that_renews_its_lease_stays_ready(nodes: Nodes) -> None:
    """P-66: the status itself need not change for minutes."""
    nodes.pass_time(600)
    assert [nodes.ready(name) for name in nodes.names] == ["True"] * 3


def test_a_silent_node_is_unknown_after_the_grace_period(nodes: Nodes) -> None:
    """P-67."""
    nodes.pass_time(GRACE_SECONDS - 1, "node-2")
    assert nodes.ready("node-2") == "True"
    nodes.pass_time(1, "node-2")
    for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
        held = condition_of(nodes.node("node-2"), kind)
        assert held is not None
        assert held["status"] == "Unknown"
    held = condition_of(nodes.node("node-2"), "Ready")
    assert held is not None
    assert held["reason"] == "NodeStatusUnknown"
    assert held["message"] == "Kubelet stopped posting node status."
    assert nodes.ready("node-1") == "True"


def test_the_next_look_is_at_the_deadline_not_before(nodes: Nodes) -> None:
    """P-67: no polling."""
    nodes.simulation.elapsed += 20
    [again] = nodes.simulation.look(nodes.lifecycle.reconcile, Key(NODES, "", "node-1"))
    assert again == LookAgain(GRACE_SECONDS - 20)


def test_the_grace_period_is_scaled(simulation: Any, build: Any, view: Any) -> None:
    lifecycle = NodeLifecycle()
    node = build.node("node-1")
    [again] = lifecycle.reconcile(view(node, scale=0.01), Key(NODES, "", "node-1"))
    assert again == LookAgain(GRACE_SECONDS * 0.01)


def test_a_node_that_never_spoke_has_a_longer_grace(simulation: Any, build: Any) -> None:
    simulation.store.create(NODES, build.node("new", ready=None))
    lifecycle = NodeLifecycle()
    key = Key(NODES, "", "new")
    simulation.look(lifecycle.reconcile, key)
    simulation.elapsed += 59
    simulation.look(lifecycle.reconcile, key)
    assert condition_of(simulation.store.get(NODES, "new"), "Ready") is None
    simulation.elapsed += 1
    simulation.look(lifecycle.reconcile, key)
    held = condition_of(simulation.store.get(NODES, "new"), "Ready")
    assert held is not None
    assert (held["status"], held["reason"]) == ("Unknown", "NodeStatusNeverUpdated")


def test_a_silent_node_is_tainted_both_ways(nodes: Nodes) -> None:
    """P-68."""
    nodes.pass_time(GRACE_SECONDS, "node-2")
    assert nodes.taints("node-2") == BOTH
    assert nodes.taints("node-1") == set()


def test_a_node_that_says_not_ready_is_tainted_as_such(nodes: Nodes, build: Any) -> None:
    """P-68."""
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": build.stamp()}]
    nodes.store.patch(NODES, "node-1", {"status": {"conditions": conditions}}, None, "status")
    nodes.look()
    assert nodes.taints("node-1") == {(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")}


def test_its_pods_stop_being_ready_at_once(nodes: Nodes, build: Any) -> None:
    """P-69, P-152: with the node's conditions, long before any eviction."""
    nodes.store.create(PODS, build.pod("lost", node="node-2"))
    nodes.store.create(PODS, build.pod("safe", node="node-1"))
    nodes.pass_time(GRACE_SECONDS, "node-2")
    lost = condition_of(nodes.store.get(PODS, "lost", "default"), "Ready")
    safe = condition_of(nodes.store.get(PODS, "safe", "default"), "Ready")
    assert lost is not None and safe is not None
    assert (lost["status"], lost["reason"]) == ("False", "NodeNotReady")
    assert lost["lastTransitionTime"] == build.stamp(GRACE_SECONDS)
    assert safe["status"] == "True"


def test_a_kubelet_that_is_alive_is_believed_about_its_pods(nodes: Nodes, build: Any) -> None:
    """P-69 acts on the move away from Ready, not against what a kubelet says afterwards."""
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": build.stamp(10)}]
    nodes.store.patch(NODES, "node-1", {"status": {"conditions": conditions}}, None, "status")
    nodes.store.create(PODS, build.pod("before", node="node-1", ready_at=9))
    nodes.store.create(PODS, build.pod("after", node="node-1", ready_at=11))
    nodes.look()
    statuses = {
        pod["metadata"]["name"]: pod["status"]["conditions"][0]["status"]
        for pod in nodes.store.all(PODS)
    }
    assert statuses == {"before": "False", "after": "True"}


def test_a_node_that_returns_loses_its_taints(nodes: Nodes, build: Any) -> None:
    """P-74."""
    nodes.pass_time(GRACE_SECONDS, "node-2")
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": build.stamp(60)}]
    nodes.store.patch(NODES, "node-2", {"status": {"conditions": conditions}}, None, "status")
    nodes.pass_time(10)
    assert nodes.taints("node-2") == set()


def test_cordon_is_a_taint_that_comes_and_goes(nodes: Nodes) -> None:
    """P-76."""
    nodes.store.patch(NODES, "node-1", {"spec": {"unschedulable": True}})
    nodes.look()
    assert nodes.taints("node-1") == {("node.kubernetes.io/unschedulable", "NoSchedule")}
    nodes.store.patch(NODES, "node-1", {"spec": {"unschedulable": None}})
    nodes.look()
    assert nodes.taints("node-1") == set()


def test_nodes_of_a_zone_are_emptied_one_after_the_other(nodes: Nodes) -> None:
    """P-73: one each ten seconds."""
    nodes.pass_time(GRACE_SECONDS, "node-1", "node-2")
    emptied = [name for name in nodes.names if (UNREACHABLE, "NoExecute") in nodes.taints(name)]
    assert len(emptied) == 1
    nodes.pass_time(10, "node-1", "node-2")
    assert nodes.taints("node-1") == nodes.taints("node-2") == BOTH


def test_nobody_is_emptied_when_all_are_silent(nodes: Nodes) -> None:
    """P-73: then the fault is more likely ours."""
    nodes.pass_time(200, *nodes.names)
    for name in nodes.names:
        assert nodes.taints(name) == {(UNREACHABLE, "NoSchedule")}


def test_a_restarted_control_plane_gives_every_node_its_grace_anew(
    nodes: Nodes, build: Any
) -> None:
    """P-67: nobody renewed a lease while there was nobody to renew it with."""
    nodes.simulation.elapsed += 1000
    nodes.lifecycle = NodeLifecycle()
    nodes.look()
    assert [nodes.ready(name) for name in nodes.names] == ["True"] * 3


def test_a_change_of_readiness_concerns_the_whole_zone(build: Any, view: Any) -> None:
    """P-73."""
    watches = node_lifecycle.controller().watches
    up, down = build.node("node-1"), build.node("node-1", ready="Unknown")
    held = view(down, build.node("node-3", ready="False")).objects
    keys = {key.name for key in watches[NODES](held, up, down)}
    assert keys == {"node-1", "node-3"}  # now that nobody is ready, nobody is evicted
    held = view(down, build.node("node-2"), build.node("node-3", ready="False")).objects
    keys = {key.name for key in watches[NODES](held, up, down)}
    assert keys == {"node-1"}  # what the zone may do is the same
    assert [key.name for key in watches[NODES](held, down, down)] == ["node-1"]
    ready = build.pod("a", node="node-1")
    assert [key.name for key in watches[PODS](held, None, ready)] == ["node-1"]
    assert list(watches[PODS](held, None, build.pod("b", node="node-2"))) == []
    lease = {"metadata": {"name": "node-2", "namespace": "kube-node-lease"}}
    assert [key.name for key in watches[LEASES](held, None, lease)] == ["node-2"]
    other = {"metadata": {"name": "leader", "namespace": "kube-system"}}
    assert list(watches[LEASES](held, None, other)) == []


def test_a_deleted_node_is_forgotten(nodes: Nodes) -> None:
    nodes.store.delete(NODES, "node-1")
    assert nodes.simulation.look(nodes.lifecycle.reconcile, Key(NODES, "", "node-1")) == []
