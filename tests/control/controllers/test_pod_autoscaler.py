"""Autoscalers say that they are only stored."""

from typing import Any

from cluster.objects.resources import DEPLOYMENTS, POD_AUTOSCALERS
from control.controllers.pod_autoscaler import controller


def conditions(store: Any) -> dict[str, tuple[str, str]]:
    held = store.get(POD_AUTOSCALERS, "web", "default")["status"]["conditions"]
    return {each["type"]: (each["status"], each["reason"]) for each in held}


def test_an_autoscaler_tells_its_targets_replicas_and_that_it_does_nothing(
    simulation: Any, build: Any
) -> None:
    store = simulation.store
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metadata = {"name": "web", "namespace": "default"}
    store.create(POD_AUTOSCALERS, {"metadata": metadata, "spec": {"scaleTargetRef": reference}})
    simulation.settle([controller()])
    assert conditions(store) == {
        "AbleToScale": ("False", "FailedGetScale"),
        "ScalingActive": ("False", "FailedGetResourceMetric"),
    }
    store.create(DEPLOYMENTS, build.deployment("web"))
    store.patch(DEPLOYMENTS, "web", {"status": {"replicas": 3}}, "default", "status")
    simulation.settle([controller()])
    assert conditions(store)["AbleToScale"] == ("True", "SucceededGetScale")
    status = store.get(POD_AUTOSCALERS, "web", "default")["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (3, 3)
    assert [event.reason for event in simulation.events] == ["FailedGetResourceMetric"]


def test_a_target_that_only_gets_ready_wakes_nobody(build: Any, view: Any) -> None:
    web = build.deployment("web")
    ready = {**web, "status": {"readyReplicas": 3}}
    assert list(controller().watches[DEPLOYMENTS](view().objects, web, ready)) == []
