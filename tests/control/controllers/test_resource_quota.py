"""Quotas say how much of them is used."""

from typing import Any

from cluster.objects.resources import CONFIG_MAPS, PODS, RESOURCE_QUOTAS
from control.controllers.resource_quota import controller
from control.controllers.settings import WATCHED


def test_a_quota_follows_its_namespace(simulation: Any, build: Any) -> None:
    store, rows = simulation.store, [controller(WATCHED)]
    hard = {"pods": "3", "configmaps": "5", "requests.cpu": "2"}
    metadata = {"name": "q", "namespace": "default"}
    store.create(RESOURCE_QUOTAS, {"metadata": metadata, "spec": {"hard": hard}})
    container = {"name": "main", "resources": {"requests": {"cpu": "250m"}}}
    for name, namespace in (("a", "default"), ("b", "default"), ("c", "other")):
        pod = build.pod(name, node=None, namespace=namespace, containers=[container])
        store.create(PODS, pod)
    store.create(CONFIG_MAPS, {"metadata": {"name": "m", "namespace": "default"}})
    simulation.settle(rows)
    status = store.get(RESOURCE_QUOTAS, "q", "default")["status"]
    assert status["hard"] == hard
    assert status["used"] == {"pods": "2", "configmaps": "1", "requests.cpu": "500m"}
    store.delete(PODS, "a", "default")
    store.patch(RESOURCE_QUOTAS, "q", {"spec": {"hard": {"configmaps": None}}}, "default")
    simulation.settle(rows)
    status = store.get(RESOURCE_QUOTAS, "q", "default")["status"]
    assert status["used"] == {"pods": "1", "requests.cpu": "250m"}


def test_a_pod_that_only_gets_ready_wakes_no_quota(build: Any, view: Any) -> None:
    metadata = {"name": "q", "namespace": "default", "uid": "q"}
    quota = {"kind": "ResourceQuota", "metadata": metadata, "spec": {}}
    keys_of = controller(WATCHED).watches[PODS]
    pod = build.pod("a", ready=False)
    ready = {**pod, "status": {**pod["status"], "conditions": []}}
    objects = view(quota).objects
    assert list(keys_of(objects, pod, ready)) == []
    assert len(list(keys_of(objects, None, pod))) == 1
