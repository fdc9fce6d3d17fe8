"""Volumes: how they stand, and what becomes of them."""

from typing import Any

import pytest

from cluster.objects.resources import VOLUME_CLAIMS, VOLUMES
from control.controllers.view import Objects, key_of
from control.controllers.volume_documents import (
    PROVISIONED_BY,
    PROVISIONER,
    VOLUME_FINALIZER,
    default_class,
    provisioned,
)
from control.controllers.volumes import phase_of, reconcile
from control.controllers.writes import Absent, Delete, EmitEvent

CLAIM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "default", "uid": "claim-uid"},
    "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Block"},
}


def volume(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "v", "uid": "v-uid", "finalizers": [VOLUME_FINALIZER]}
    return {"kind": "PersistentVolume", "metadata": metadata, "spec": spec, "status": {}}


def test_a_volume_is_bound_to_this_claim_and_not_to_a_namesake() -> None:
    objects = Objects()
    objects.put(VOLUME_CLAIMS, CLAIM)
    bound = {"namespace": "default", "name": "data", "uid": "claim-uid"}
    assert phase_of(objects, volume()) == "Available"
    assert phase_of(objects, volume(claimRef={**bound, "uid": ""})) == "Available"
    assert phase_of(objects, volume(claimRef=bound)) == "Bound"
    assert phase_of(objects, volume(claimRef={**bound, "uid": "earlier"})) == "Released"


def test_a_made_volume_is_what_its_claim_asks_for() -> None:
    spec = provisioned(CLAIM, {**default_class(), "reclaimPolicy": "Retain"})["spec"]
    assert spec["capacity"] == {"storage": "1Gi"}
    assert (spec["volumeMode"], spec["persistentVolumeReclaimPolicy"]) == ("Block", "Retain")
    assert spec["storageClassName"] == "standard"


@pytest.mark.parametrize("ours", [True, False])
def test_only_what_was_made_here_is_deleted(view: Any, ours: bool) -> None:
    reference = {"namespace": "default", "name": "data", "uid": "earlier"}
    left = volume(claimRef=reference, persistentVolumeReclaimPolicy="Delete")
    if ours:
        left["metadata"]["annotations"] = {PROVISIONED_BY: PROVISIONER}
    writes = list(reconcile(view(left), key_of(VOLUMES, left)))
    if ours:
        [delete] = [write for write in writes if isinstance(write, Delete)]
        assert delete.provided == (Absent(VOLUME_CLAIMS, "default", "data", "earlier"),)
    else:
        [event] = [write for write in writes if isinstance(write, EmitEvent)]
        assert event.reason == "VolumeFailedDelete"
