"""Conflicts in words."""

from control.resources.apply.conflicts import conflict_causes, conflict_message, named, spelled
from control.resources.apply.managers import APPLY, UPDATE, Manager

EDIT = Manager("edit", UPDATE, "apps/v1", None, "2026-01-01T12:00:00Z")


def test_one_conflict_is_told_in_one_line() -> None:
    conflicts = [(EDIT, {"f:spec": {"f:replicas": {}}})]
    assert conflict_message(conflicts) == (
        'Apply failed with 1 conflict: conflict with "edit" using apps/v1: .spec.replicas'
    )
    assert conflict_causes(conflicts) == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "edit" using apps/v1',
            "field": ".spec.replicas",
        }
    ]


def test_several_are_told_by_manager() -> None:
    scaler = Manager("scaler", APPLY, "v1", None, "", "scale")
    conflicts = [
        (scaler, {"f:spec": {"f:replicas": {}}}),
        (EDIT, {"f:data": {"f:a": {}, "f:b": {}}}),
    ]
    assert conflict_message(conflicts) == (
        "Apply failed with 3 conflicts: "
        'conflicts with "edit" using apps/v1:\n- .data.a\n- .data.b\n'
        'conflicts with "scaler" with subresource "scale":\n- .spec.replicas'
    )
    assert named(scaler) == '"scaler" with subresource "scale"'


def test_a_path_names_items_by_their_keys() -> None:
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name")
    assert spelled(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert spelled(("f:metadata", "f:finalizers", 'v:"a"')) == '.metadata.finalizers[="a"]'
