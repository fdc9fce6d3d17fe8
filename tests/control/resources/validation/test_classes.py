"""Classes, drivers, volumes and quotas: every change that is refused, in upstream's words."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from control.resources.causes import Cause
from control.resources.validation import classes

Check = Callable[[dict[str, Any], dict[str, Any]], Iterable[Cause]]

STORAGE = {"provisioner": "a", "parameters": {"k": "v"}, "reclaimPolicy": "Delete"}


def told(check: Check, new: dict[str, Any], old: dict[str, Any]) -> dict[str, str]:
    return {each.field: each.message for each in check(new, old)}


@pytest.mark.parametrize(
    ("key", "value"),
    [("provisioner", "b"), ("parameters", {"k": "w"}), ("reclaimPolicy", "Retain")],
)
def test_volumes_were_made_as_their_class_said(key: str, value: Any) -> None:
    found = told(classes.storage_class_update_causes, {**STORAGE, key: value}, STORAGE)
    assert found == {key: f"Forbidden: updates to {key} are forbidden."}


def test_the_binding_mode_of_a_class_stays() -> None:
    old, new = ({**STORAGE, "volumeBindingMode": each} for each in ("Immediate", "Later"))
    found = told(classes.storage_class_update_causes, new, old)
    assert found == {"volumeBindingMode": 'Invalid value: "Later": field is immutable'}


def test_the_rest_of_a_class_may_change_and_no_parameters_are_none() -> None:
    new = {"provisioner": "a", "allowVolumeExpansion": True, "parameters": {}}
    assert told(classes.storage_class_update_causes, new, {"provisioner": "a"}) == {}


@pytest.mark.parametrize(
    ("check", "key", "field"),
    [
        (classes.ingress_class_update_causes, "controller", "spec.controller"),
        (classes.driver_update_causes, "attachRequired", "spec.attachedRequired"),
        (classes.driver_update_causes, "volumeLifecycleModes", "spec.volumeLifecycleModes"),
        (classes.quota_update_causes, "scopes", "spec.scopes"),
        (classes.volume_update_causes, "volumeMode", "spec.volumeMode"),
    ],
)
def test_a_field_that_stays(check: Check, key: str, field: str) -> None:
    old, new = {"spec": {key: "a", "x": 1}}, {"spec": {key: "b", "x": 1}}
    assert told(check, new, old) == {field: 'Invalid value: "b": field is immutable'}
    assert told(check, old, old) == {}


def test_pods_run_by_the_handler_of_their_class() -> None:
    found = told(classes.runtime_class_update_causes, {"handler": "b"}, {"handler": "a"})
    assert found == {"handler": 'Invalid value: "b": field is immutable'}


def test_the_source_of_a_volume_stays() -> None:
    old = {"spec": {"hostPath": {"path": "/a"}, "capacity": {"storage": "1Gi"}}}
    moved = {"spec": {"hostPath": {"path": "/b"}, "capacity": {"storage": "1Gi"}}}
    larger = {"spec": {"hostPath": {"path": "/a"}, "capacity": {"storage": "2Gi"}}}
    where = "spec.persistentvolumesource"
    assert told(classes.volume_update_causes, moved, old) == {
        where: f"Forbidden: {where} is immutable after creation"
    }
    assert told(classes.volume_update_causes, larger, old) == {}


def test_a_csi_source_may_learn_its_secrets_later() -> None:
    old = {"spec": {"csi": {"driver": "d"}}}
    new = {"spec": {"csi": {"driver": "d", "nodeExpandSecretRef": {"name": "s"}}}}
    assert told(classes.volume_update_causes, new, old) == {}
    other = {"spec": {"csi": {"driver": "e"}}}
    assert told(classes.volume_update_causes, other, old) != {}
