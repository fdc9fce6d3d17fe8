"""Volumes and claims as `kubectl get pv,pvc` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.volumes import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES

Make = Callable[..., dict[str, Any]]
GOING = {"deletionTimestamp": "2026-01-01T12:00:00Z"}


def test_the_row_of_a_bound_volume(now: datetime, document: Make) -> None:
    volume = document(
        "disk",
        spec={
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": "shop", "name": "data"},
            "storageClassName": "fast",
            "volumeMode": "Filesystem",
        },
        status={"phase": "Bound"},
    )
    told = ["disk", "1Gi", "RWO,RWX", "Retain", "Bound", "shop/data", "fast", "<unset>", ""]
    assert PERSISTENT_VOLUMES.row(volume, now) == [*told, "5m", "Filesystem"]
    bare = PERSISTENT_VOLUMES.row(document("disk", metadata=GOING), now)
    assert bare == ["disk", "0", "", "", "Terminating", "", "", "<unset>", "", "5m", "<unset>"]


def test_a_claim_shows_capacity_and_modes_once_it_is_bound(now: datetime, document: Make) -> None:
    status = {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadOnlyMany"]}
    metadata = {"annotations": {"volume.beta.kubernetes.io/storage-class": "old"}}
    bound = document("data", metadata=metadata, spec={"volumeName": "disk"}, status=status)
    told = ["data", "Bound", "disk", "1Gi", "ROX", "old", "<unset>", "5m", "<unset>"]
    assert PERSISTENT_VOLUME_CLAIMS.row(bound, now) == told
    pending = document("data", spec={}, status={**status, "phase": "Pending"})
    shown = PERSISTENT_VOLUME_CLAIMS.row(pending, now)
    assert shown == ["data", "Pending", "", "", "", "", "<unset>", "5m", "<unset>"]
