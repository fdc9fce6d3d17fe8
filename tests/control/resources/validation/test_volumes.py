"""Volumes: every refusal of what they are made of, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.volumes import volume_causes

MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def told(*volumes: dict[str, Any]) -> list[str]:
    return [f"{each.field}: {each.message}" for each in volume_causes(volumes, "v")]


@pytest.mark.parametrize(
    "source",
    [
        {"emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}},
        {"hostPath": {"path": "/var/log", "type": "DirectoryOrCreate"}},
        {"secret": {"secretName": "s", "defaultMode": 0o400}},
        {"configMap": {"name": "c", "items": [{"key": "a", "path": "b/c"}]}},
        {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        {"persistentVolumeClaim": {"claimName": "data"}},
    ],
)
def test_what_is_fine(source: dict[str, Any]) -> None:
    assert told({"name": "a", **source}) == []


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (
            {"emptyDir": {"sizeLimit": "-1"}},
            "emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
        ),
        ({"hostPath": {}}, "hostPath.path: Required value"),
        (
            {"hostPath": {"path": "/a/../b"}},
            "hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        ),
        ({"secret": {}}, "secret.secretName: Required value"),
        (
            {"secret": {"secretName": "s", "defaultMode": 0o1000}},
            f"secret.defaultMode: Invalid value: 512: {MODE}",
        ),
        ({"configMap": {}}, "configMap.name: Required value"),
        (
            {"configMap": {"name": "c", "items": [{"path": "a"}]}},
            "configMap.items[0].key: Required value",
        ),
        (
            {"configMap": {"name": "c", "items": [{"key": "a", "path": "/b"}]}},
            'configMap.items[0].path: Invalid value: "/b": must be a relative path',
        ),
        ({"persistentVolumeClaim": {}}, "persistentVolumeClaim.claimName: Required value"),
        (
            {"downwardAPI": {"items": [{"path": "a"}]}},
            "downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
        ),
        (
            {"downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {}}]}},
            "downwardAPI.resourceFieldRef.containerName: Required value",
        ),
        (
            {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "spec.nodeName"}}]}},
            'downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: '
            '"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", '
            '"metadata.uid"',
        ),
        (
            {
                "projected": {
                    "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 9}}]
                }
            },
            "projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 9: "
            "may not specify a duration less than 10 minutes",
        ),
        ({"ephemeral": {}}, "ephemeral.volumeClaimTemplate: Required value"),
        (
            {"nfs": {"server": "s", "path": "a"}},
            'nfs.path: Invalid value: "a": must be an absolute path',
        ),
    ],
)
def test_sources_that_make_no_sense(source: dict[str, Any], cause: str) -> None:
    assert told({"name": "a", **source}) == [f"v[0].{cause}"]


def test_two_sources_make_no_two_files_of_one_name() -> None:
    item = {"key": "k", "path": "same"}
    sources = [
        {"configMap": {"name": "c", "items": [item]}},
        {"secret": {"name": "s", "items": [item]}},
    ]
    assert told({"name": "a", "projected": {"sources": sources}}) == [
        'v[0].projected.sources[1].secret: Invalid value: "same": conflicting duplicate paths'
    ]


def test_a_claim_that_a_pod_makes_is_a_claim() -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"]}}
    assert told({"name": "a", "ephemeral": {"volumeClaimTemplate": claim}}) == [
        "v[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"
    ]
