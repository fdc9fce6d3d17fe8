"""Ephemeral volumes: a claim for each, which nobody else has."""

from typing import Any

from cluster.objects.resources import PODS, VOLUME_CLAIMS
from control.controllers.ephemeral_volumes import controller, reconcile
from control.controllers.view import Objects, key_of
from control.controllers.writes import Create, EmitEvent

TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def user(build: Any, **more: Any) -> Any:
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": TEMPLATE}}
    return build.pod("user", spec={"volumes": [volume, {"name": "tmp", "emptyDir": {}}]}, **more)


def test_the_claim_is_made_from_the_template(build: Any, view: Any) -> None:
    pod = user(build)
    [write] = reconcile(view(pod), key_of(PODS, pod))
    assert isinstance(write, Create)
    assert write.document["metadata"]["name"] == "user-scratch"
    assert write.document["metadata"]["labels"] == {"a": "b"}
    assert write.document["spec"] == TEMPLATE["spec"]


def test_somebody_elses_claim_of_that_name_is_told(build: Any, view: Any) -> None:
    pod = user(build)
    metadata = {"name": "user-scratch", "namespace": "default", "uid": "x"}
    other = {"kind": VOLUME_CLAIMS.kind, "metadata": metadata}
    [event] = reconcile(view(pod, other), key_of(PODS, pod))
    assert isinstance(event, EmitEvent)
    assert event.message.endswith("was not created for pod default/user (pod is not owner)")


def test_a_pod_that_ended_wants_nothing(build: Any, view: Any) -> None:
    pod = user(build, phase="Succeeded")
    assert reconcile(view(pod), key_of(PODS, pod)) == ()


def test_only_new_pods_with_such_volumes_are_looked_at(build: Any) -> None:
    keys_of = controller().watches[PODS]
    pod = user(build)
    assert list(keys_of(Objects(), None, pod)) == [key_of(PODS, pod)]
    assert list(keys_of(Objects(), pod, pod)) == []
    assert list(keys_of(Objects(), None, build.pod("plain"))) == []
