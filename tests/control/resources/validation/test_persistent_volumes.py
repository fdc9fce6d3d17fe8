"""PersistentVolumes: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.persistent_volumes import (
    persistent_volume_causes,
    persistent_volume_update_causes,
)

SPEC: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/data"},
}


def told(**spec: Any) -> list[str]:
    held = {key: value for key, value in {**SPEC, **spec}.items() if value is not None}
    return [f"{each.field}: {each.message}" for each in persistent_volume_causes({"spec": held})]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({"accessModes": None}, "accessModes: Required value"),
        ({"accessModes": ["Mine"]}, 'accessModes: Unsupported value: "Mine": supported values: '),
        ({"capacity": None}, "capacity: Required value"),
        ({"capacity": {"storage": "0"}}, 'capacity[storage]: Invalid value: "0": must be greater'),
        ({"hostPath": None}, ": Required value: must specify a volume type"),
        ({"nfs": {"server": "s"}}, "nfs: Forbidden: may not specify more than 1 volume type"),
        (
            {"persistentVolumeReclaimPolicy": "Keep"},
            'persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete"',
        ),
        (
            {"hostPath": None, "local": {"path": "/a"}},
            "nodeAffinity: Required value: Local volume requires node affinity",
        ),
    ],
)
def test_a_volume_says_how_much_it_holds_and_where(spec: dict[str, Any], cause: str) -> None:
    assert told() == []
    (only,) = told(**spec)
    assert only.removeprefix("spec").removeprefix(".").startswith(cause)


def test_where_its_data_lie_is_for_life() -> None:
    def told_of_update(**spec: Any) -> list[str]:
        new = {"spec": {**SPEC, **spec}}
        causes = persistent_volume_update_causes(new, {"spec": SPEC})
        return [f"{each.field}: {each.message}" for each in causes]

    assert told_of_update(claimRef={"name": "a"}, capacity={"storage": "2Gi"}) == []
    assert told_of_update(hostPath={"path": "/other"}) == [
        "spec.persistentvolumesource: Forbidden: "
        "spec.persistentvolumesource is immutable after creation"
    ]
    assert told_of_update(volumeMode="Block") == [
        'volumeMode: Invalid value: "Block": field is immutable'
    ]
