"""ReplicationControllers."""

from typing import Any

from cluster.objects.resources import PODS, REPLICATION_CONTROLLERS
from control.controllers.replication_controller import controller


def test_a_replication_controller_keeps_its_pods(simulation: Any, build: Any) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec = {"replicas": 2, "selector": {"app": "web"}, "template": template}
    metadata = {"name": "web", "namespace": "default"}
    store = simulation.store
    store.create(REPLICATION_CONTROLLERS, {"metadata": metadata, "spec": spec})
    simulation.settle([controller()])
    pods = store.all(PODS)
    assert len(pods) == 2
    assert pods[0]["metadata"]["ownerReferences"][0]["kind"] == "ReplicationController"
    held = store.get(REPLICATION_CONTROLLERS, "web", "default")
    assert held["status"]["replicas"] == 2
    assert held["spec"]["selector"] == {"app": "web"}
    store.patch(REPLICATION_CONTROLLERS, "web", {"spec": {"replicas": 0}}, "default")
    simulation.settle([controller()])
    assert store.all(PODS) == []


def test_a_fitting_orphan_is_adopted_and_another_is_not(simulation: Any, build: Any) -> None:
    store = simulation.store
    for name, labels in (("mine", {"app": "web"}), ("other", {"app": "api"})):
        store.create(PODS, build.pod(name, labels=labels, node=None))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec = {"replicas": 1, "selector": {"app": "web"}, "template": template}
    metadata = {"name": "web", "namespace": "default"}
    store.create(REPLICATION_CONTROLLERS, {"metadata": metadata, "spec": spec})
    simulation.settle([controller()])
    owned = {
        p["metadata"]["name"]: bool(p["metadata"].get("ownerReferences")) for p in store.all(PODS)
    }
    assert owned == {"mine": True, "other": False}
