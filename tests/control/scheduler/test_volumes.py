"""Pods that wait for storage."""

from typing import Any

import pytest

from cluster.objects.resources import PODS, STORAGE_CLASSES, VOLUME_CLAIMS
from control.controllers.view import Objects
from control.scheduler.volumes import UNBOUND, why_not_yet

POD = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
}


def objects(mode: str, **spec: Any) -> Objects:
    held = Objects()
    metadata = {"name": "data", "namespace": "default", "uid": "u"}
    held.put(VOLUME_CLAIMS, {"metadata": metadata, "spec": {"storageClassName": "c", **spec}})
    held.put(STORAGE_CLASSES, {"metadata": {"name": "c", "uid": "c"}, "volumeBindingMode": mode})
    return held


@pytest.mark.parametrize(
    ("mode", "spec", "why"),
    [
        ("Immediate", {}, UNBOUND),
        ("Immediate", {"volumeName": "v"}, None),
        ("WaitForFirstConsumer", {}, None),
    ],
)
def test_a_claim_is_bound_before_its_pod_has_a_node(
    mode: str, spec: dict[str, Any], why: str | None
) -> None:
    assert why_not_yet(objects(mode, **spec), POD) == why


def test_a_claim_must_be_there_to_stay() -> None:
    assert why_not_yet(Objects(), POD) == 'persistentvolumeclaim "data" not found'
    held = Objects()
    metadata = {"name": "data", "namespace": "default", "uid": "u", "deletionTimestamp": "now"}
    held.put(VOLUME_CLAIMS, {"metadata": metadata, "spec": {}})
    assert why_not_yet(held, POD) == 'persistentvolumeclaim "data" is being deleted'


def test_a_pod_without_claims_waits_for_nothing() -> None:
    plain = {"metadata": {"name": "p", "namespace": "default"}, "spec": {}}
    held = Objects()
    held.put(PODS, {**plain, "metadata": {**plain["metadata"], "uid": "p"}})
    assert why_not_yet(held, plain) is None
