"""DaemonSets: a pod on each node that is fit, new ones in the place of old ones."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS
from control.controllers.daemonset import controller, reconcile
from control.controllers.daemonset_nodes import node_name
from control.controllers.view import Key

KEY = Key(DAEMON_SETS, "default", "agent")
TAINT = {"key": "example.com/gpu", "effect": "NoSchedule"}


def template(image: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": image}]
    return {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": containers, **spec}}


class Cluster:
    """Three nodes and a set, whose pods get ready when the test says so."""

    def __init__(self, simulation: Any, build: Any, **spec: Any) -> None:
        self.simulation, self.build = simulation, build
        self.store = simulation.store
        for number in (1, 2, 3):
            self.store.create(NODES, build.node(f"node-{number}", labels={"n": str(number)}))
        given = {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent:1")}
        metadata = {"name": "agent", "namespace": "default"}
        self.store.create(DAEMON_SETS, {"metadata": metadata, "spec": {**given, **spec}})
        self.settle()

    def settle(self) -> None:
        self.simulation.settle([controller()])

    def nodes(self) -> list[str]:
        return sorted(node_name(pod) for pod in self.store.all(PODS))

    def ready(self, pod: Any) -> None:
        when = self.store._stamp()
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": when}
        status = {"phase": "Running", "conditions": [condition]}
        self.store.patch(PODS, pod["metadata"]["name"], {"status": status}, "default", "status")
        self.settle()

    def waiting(self) -> list[Any]:
        return [pod for pod in self.store.all(PODS) if not pod["status"].get("conditions")]

    def all_ready(self) -> None:
        while waiting := self.waiting():
            self.ready(waiting[0])

    def change(self, **spec: Any) -> None:
        self.store.patch(DAEMON_SETS, "agent", {"spec": spec}, "default")
        self.settle()

    def images(self) -> list[str]:
        return sorted(pod["spec"]["containers"][0]["image"] for pod in self.store.all(PODS))

    @property
    def status(self) -> Any:
        return self.store.get(DAEMON_SETS, "agent", "default")["status"]


@pytest.fixture
def start(simulation: Any, build: Any) -> Callable[..., Cluster]:
    def started(**spec: Any) -> Cluster:
        return Cluster(simulation, build, **spec)

    return started


def test_each_node_has_a_pod_and_a_new_one_gets_one(start: Any, build: Any) -> None:
    """P-94."""
    cluster = start()
    assert cluster.nodes() == ["node-1", "node-2", "node-3"]
    cluster.store.create(NODES, build.node("node-4"))
    cluster.settle()
    assert cluster.nodes()[-1] == "node-4"


def test_a_pod_tolerates_its_nodes_troubles(start: Any) -> None:
    """P-71, P-94."""
    pod = start().store.all(PODS)[0]
    tolerated = {(each["key"], each["effect"]) for each in pod["spec"]["tolerations"]}
    assert ("node.kubernetes.io/not-ready", "NoExecute") in tolerated
    assert ("node.kubernetes.io/unschedulable", "NoSchedule") in tolerated
    assert ("node.kubernetes.io/network-unavailable", "NoSchedule") not in tolerated


def test_selectors_and_taints_keep_it_from_nodes(start: Any) -> None:
    cluster = start(template=template("agent:1", nodeSelector={"n": "2"}))
    assert cluster.nodes() == ["node-2"]
    cluster.change(template=template("agent:1", nodeSelector={"n": "3"}))
    assert cluster.nodes() == ["node-3"]
    cluster.store.patch(NODES, "node-3", {"spec": {"taints": [TAINT]}})
    cluster.settle()
    assert cluster.nodes() == ["node-3"]  # what runs there stays
    assert cluster.status["numberMisscheduled"] == 1
    cluster.store.patch(NODES, "node-3", {"spec": {"taints": [{**TAINT, "effect": "NoExecute"}]}})
    cluster.settle()
    assert cluster.nodes() == []


def test_a_set_that_is_complete_writes_nothing_more(start: Any) -> None:
    cluster = start()
    cluster.all_ready()
    assert cluster.simulation.look(reconcile, KEY) == []
    held = {k: v for k, v in cluster.status.items() if "umber" in k}
    assert held.pop("numberMisscheduled") == 0
    assert set(held.values()) == {3}


def test_an_update_replaces_one_at_a_time(start: Any) -> None:
    """P-94."""
    cluster = start()
    cluster.all_ready()
    cluster.change(template=template("agent:2"))
    assert cluster.images() == ["agent:1", "agent:1", "agent:2"]
    cluster.all_ready()
    assert cluster.images() == ["agent:2"] * 3
    assert len(cluster.store.all(CONTROLLER_REVISIONS)) == 2
    assert cluster.status["updatedNumberScheduled"] == 3


def test_an_update_may_start_the_new_pod_first(start: Any) -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    cluster = start(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    cluster.all_ready()
    cluster.change(template=template("agent:2"))
    assert cluster.images() == ["agent:1", "agent:1", "agent:1", "agent:2"]
    cluster.all_ready()
    assert cluster.images() == ["agent:2"] * 3


def test_on_delete_pods_are_replaced_by_hand(start: Any) -> None:
    cluster = start(updateStrategy={"type": "OnDelete"})
    cluster.all_ready()
    cluster.change(template=template("agent:2"))
    assert cluster.images() == ["agent:1"] * 3
    name = cluster.store.all(PODS)[0]["metadata"]["name"]
    cluster.store.delete(PODS, name, "default")
    cluster.settle()
    assert cluster.images() == ["agent:1", "agent:1", "agent:2"]


def test_a_pod_that_does_not_work_is_replaced_before_one_that_does(start: Any) -> None:
    cluster = start()
    first, second, third = cluster.waiting()
    cluster.ready(first)
    cluster.ready(second)
    cluster.change(template=template("agent:2"))
    left = {pod["metadata"]["name"] for pod in cluster.store.all(PODS)}
    assert third["metadata"]["name"] not in left
    assert {first["metadata"]["name"], second["metadata"]["name"]} <= left


def test_a_failed_pod_makes_room_for_another(start: Any) -> None:
    cluster = start()
    name = cluster.store.all(PODS)[0]["metadata"]["name"]
    cluster.store.patch(PODS, name, {"status": {"phase": "Failed"}}, "default", "status")
    cluster.settle()
    assert cluster.nodes() == ["node-1", "node-2", "node-3"]
    [event] = cluster.simulation.events
    assert event.reason == "FailedDaemonPod"
    assert f"daemon pod default/{name} on node node-1" in event.message


def test_a_second_pod_of_a_node_goes(start: Any) -> None:
    cluster = start()
    cluster.all_ready()
    pod = cluster.store.all(PODS)[0]
    second = {**pod, "metadata": {**pod["metadata"], "name": "second", "uid": "second"}}
    cluster.store.create(PODS, second)
    cluster.settle()
    assert cluster.nodes() == ["node-1", "node-2", "node-3"]


def test_only_what_matters_of_a_node_wakes_the_sets(start: Any) -> None:
    cluster = start()
    keys_of = controller().watches[NODES]
    node = cluster.store.get(NODES, "node-1")
    beat = {**node, "status": {"conditions": []}}
    labelled = {**node, "metadata": {**node["metadata"], "labels": {"n": "9"}}}
    assert list(keys_of(cluster.simulation.objects, node, beat)) == []
    assert list(keys_of(cluster.simulation.objects, node, labelled)) == [KEY]
