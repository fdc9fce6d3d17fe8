"""The storage group as `kubectl get` shows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns import storage

Make = Callable[..., dict[str, Any]]


def test_the_default_class_is_marked(now: datetime, document: Make) -> None:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    made = document("fast", metadata={"annotations": annotations}, provisioner="example.com/disk")
    told = ["fast (default)", "example.com/disk", "Delete", "Immediate", False, "5m"]
    assert storage.STORAGE_CLASSES.row(made, now) == told
    other = document("slow", reclaimPolicy="Retain", allowVolumeExpansion=True)
    assert storage.STORAGE_CLASSES.row(other, now)[:5] == ["slow", "", "Retain", "Immediate", True]


def test_the_default_attributes_class_is_marked(now: datetime, document: Make) -> None:
    annotations = {"storage.kubernetes.io/is-default-class": "true"}
    made = document("gold", metadata={"annotations": annotations}, driverName="example.com/disk")
    told = ["gold (default)", "example.com/disk", "5m"]
    assert storage.VOLUME_ATTRIBUTES_CLASSES.row(made, now) == told


def test_attachments_and_capacities(now: datetime, document: Make) -> None:
    source = {"persistentVolumeName": "disk"}
    spec = {"attacher": "example.com/disk", "source": source, "nodeName": "node-1"}
    made = document("a", spec=spec, status={"attached": True})
    told = ["a", "example.com/disk", "disk", "node-1", True, "5m"]
    assert storage.VOLUME_ATTACHMENTS.row(made, now) == told
    room = document("room", storageClassName="fast", capacity="1Gi")
    assert storage.CSI_STORAGE_CAPACITIES.row(room, now) == ["room", "fast", "1Gi"]


def test_drivers_and_the_nodes_that_have_them(now: datetime, document: Make) -> None:
    node = document("node-1", spec={"drivers": [{"name": "a"}, {"name": "b"}]})
    assert storage.CSI_NODES.row(node, now) == ["node-1", 2, "5m"]
    bare = storage.CSI_DRIVERS.row(document("disk"), now)
    assert bare == ["disk", True, False, False, "<unset>", False, "<none>", "5m"]
    spec = {
        "attachRequired": False,
        "tokenRequests": [{"audience": "a"}, {"audience": "b"}],
        "volumeLifecycleModes": ["Persistent", "Ephemeral"],
    }
    full = storage.CSI_DRIVERS.row(document("disk", spec=spec), now)
    assert full == ["disk", False, False, False, "a,b", False, "Persistent,Ephemeral", "5m"]
