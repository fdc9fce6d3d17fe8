"""Mounts and devices: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.mounts import device_causes, file_causes, mount_causes

VOLUMES = ("v", "w")


def mounted(*mounts: dict[str, Any], **container: Any) -> list[str]:
    held = {**container, "volumeMounts": list(mounts)}
    return [f"{each.field}: {each.message}" for each in mount_causes(held, "c", VOLUMES)]


def attached(*devices: dict[str, Any]) -> list[str]:
    causes = device_causes({"volumeDevices": list(devices)}, "c", VOLUMES)
    return [f"{each.field}: {each.message}" for each in causes]


def test_a_mount_names_a_volume_and_a_place_of_its_own() -> None:
    mount = {"name": "v", "mountPath": "/v", "subPath": "a/b", "mountPropagation": "None"}
    assert mounted(mount) == []
    assert mounted({"name": "x", "mountPath": "/v"}) == ['c.volumeMounts[0].name: Not found: "x"']
    assert mounted(mount, {"name": "w", "mountPath": "/v"}) == [
        'c.volumeMounts[1].mountPath: Invalid value: "/v": must be unique'
    ]
    assert mounted({"name": "v"}) == ["c.volumeMounts[0].mountPath: Required value"]
    assert mounted({"mountPath": "/v"}) == [
        "c.volumeMounts[0].name: Required value",
        'c.volumeMounts[0].name: Not found: ""',
    ]


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"subPath": "/a"}, '.subPath: Invalid value: "/a": must be a relative path'),
        ({"subPath": "a/../b"}, ".subPath: Invalid value: \"a/../b\": must not contain '..'"),
        (
            {"subPath": "a", "subPathExpr": "b"},
            '[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive',
        ),
        (
            {"mountPropagation": "Both"},
            '.mountPropagation: Unsupported value: "Both": '
            'supported values: "Bidirectional", "HostToContainer", "None"',
        ),
        (
            {"mountPropagation": "Bidirectional"},
            ".mountPropagation: Forbidden: "
            "Bidirectional mount propagation is available only to privileged containers",
        ),
        (
            {"recursiveReadOnly": "Enabled"},
            ".recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
        ),
    ],
)
def test_how_a_volume_is_mounted(more: dict[str, Any], cause: str) -> None:
    assert mounted({"name": "v", "mountPath": "/v", **more}) == [f"c.volumeMounts{cause}"]


def test_who_is_privileged_may_propagate() -> None:
    mount = {"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}
    assert mounted(mount, securityContext={"privileged": True}) == []


def test_devices() -> None:
    device = {"name": "v", "devicePath": "/dev/x"}
    assert attached(device) == []
    assert attached(device, device) == [
        'c.volumeDevices[1].name: Invalid value: "v": must be unique',
        'c.volumeDevices[1].devicePath: Invalid value: "/dev/x": must be unique',
    ]
    assert attached({"name": "x", "devicePath": "/../x"}) == [
        'c.volumeDevices[0].name: Not found: "x"',
        "c.volumeDevices[0].devicePath: Invalid value: \"/../x\": can not contain backsteps ('..')",
    ]
    assert mounted({"name": "v", "mountPath": "/v"}, volumeDevices=[device]) == [
        'c.volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices'
    ]


@pytest.mark.parametrize("path", ["/a", "..", "a/../b", "..data"])
def test_a_file_in_a_volume_is_not_the_nodes_own(path: str) -> None:
    assert list(file_causes(path, "p"))
    assert list(file_causes("a/..b", "p")) == []
