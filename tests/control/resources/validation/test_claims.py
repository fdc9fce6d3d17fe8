"""PersistentVolumeClaims: every refusal, with its field and words."""

from typing import Any

from control.resources.validation.claims import claim_causes, claim_update_causes

SPEC: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "volumeMode": "Filesystem",
}
BOUND = {"phase": "Bound", "capacity": {"storage": "1Gi"}}


def told(**spec: Any) -> list[str]:
    held = {key: value for key, value in {**SPEC, **spec}.items() if value is not None}
    return [f"{each.field}: {each.message}" for each in claim_causes({"spec": held})]


def told_of_update(new: dict[str, Any], **old: Any) -> list[str]:
    before = {**SPEC, **old.pop("spec", {})}
    causes = claim_update_causes({"spec": {**before, **new}}, {"spec": before, **old})
    return [f"{each.field}: {each.message}" for each in causes]


def sized(size: str) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}}


def test_a_claim_says_how_much_and_for_whom() -> None:
    assert told() == []
    assert told(accessModes=None) == [
        "spec.accessModes: Required value: at least 1 access mode is required"
    ]
    assert told(accessModes=["Mine"]) == [
        'spec.accessModes: Unsupported value: "Mine": supported values: '
        '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
    ]
    assert told(accessModes=["ReadWriteOncePod", "ReadWriteMany"]) == [
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"
    ]
    assert told(resources=None) == ["spec.resources[storage]: Required value"]
    assert told(**sized("0")) == [
        'spec.resources[storage]: Invalid value: "0": must be greater than zero'
    ]
    assert told(volumeMode="Tape")[0].startswith('spec.volumeMode: Unsupported value: "Tape"')
    assert told(storageClassName="A b")[0].startswith("spec.storageClassName: Invalid value")


def test_a_claim_stays_what_it_was() -> None:
    assert told_of_update({}) == []
    (cause,) = told_of_update({"accessModes": ["ReadWriteMany"]})
    assert cause == (
        "spec: Forbidden: spec is immutable after creation except resources.requests and "
        "volumeAttributesClassName for bound claims\nchanged: spec.accessModes"
    )
    (cause,) = told_of_update({"storageClassName": "b"}, spec={"storageClassName": "a"})
    assert cause.endswith("\nchanged: spec.storageClassName")


def test_it_gets_its_volume_and_class_once() -> None:
    assert told_of_update({"volumeName": "pv-1", "storageClassName": "standard"}) == []
    (cause,) = told_of_update({"volumeName": "pv-2"}, spec={"volumeName": "pv-1"})
    assert cause.endswith("\nchanged: spec.volumeName")


def test_what_is_bound_may_grow() -> None:
    assert told_of_update(sized("2Gi"), status=BOUND) == []
    (cause,) = told_of_update(sized("2Gi"), status={"phase": "Pending"})
    assert cause.endswith("\nchanged: spec.resources")
    assert told_of_update(sized("500Mi"), status=BOUND) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]


def test_its_mode_is_for_life() -> None:
    causes = told_of_update({"volumeMode": "Block"})
    assert causes[-1] == 'volumeMode: Invalid value: "Block": field is immutable'
