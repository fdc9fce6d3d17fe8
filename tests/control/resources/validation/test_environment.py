"""Environment variables: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.environment import env_causes, env_from_causes


def told(*variables: dict[str, Any]) -> list[str]:
    return [f"{each.field}: {each.message}" for each in env_causes(variables, "env")]


def told_from(*sources: dict[str, Any]) -> list[str]:
    return [f"{each.field}: {each.message}" for each in env_from_causes(sources, "envFrom")]


def of(**source: Any) -> dict[str, Any]:
    return {"name": "A", "valueFrom": source}


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "A", "value": "x"},
        of(fieldRef={"fieldPath": "status.podIP"}),
        of(fieldRef={"apiVersion": "v1", "fieldPath": "metadata.labels['app']"}),
        of(fieldRef={"fieldPath": "metadata.annotations['Example.com/x']"}),
        of(resourceFieldRef={"resource": "limits.memory", "divisor": "1Mi"}),
        of(configMapKeyRef={"name": "settings", "key": "a.b"}),
        of(secretKeyRef={"name": "s", "key": "k", "optional": True}),
        of(fileKeyRef={"volumeName": "v", "path": "p", "key": "k"}),
    ],
)
def test_what_is_fine(variable: dict[str, Any]) -> None:
    assert told(variable) == []


def test_variables_have_names() -> None:
    assert told({"value": "x"}) == ["env[0].name: Required value"]
    assert told({"name": "a=b"})[0].startswith('env[0].name: Invalid value: "a=b"')


def test_a_value_has_one_source() -> None:
    field = {"fieldPath": "metadata.name"}
    assert told({**of(fieldRef=field), "value": "x"}) == [
        'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'
    ]
    assert told(of()) == [
        'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, '
        "`resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
    ]
    assert told(of(fieldRef=field, resourceFieldRef={"resource": "limits.cpu"})) == [
        'env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'
    ]


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ({"fieldRef": {}}, "fieldRef.fieldPath: Required value"),
        (
            {"fieldRef": {"fieldPath": "spec.hostname"}},
            'fieldRef.fieldPath: Invalid value: "spec.hostname": '
            "error converting fieldPath: field label not supported: spec.hostname",
        ),
        (
            {"fieldRef": {"fieldPath": "metadata.labels"}},
            'fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.'
            'name", "metadata.namespace", "metadata.uid", "spec.nodeName", '
            '"spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", '
            '"status.podIPs"',
        ),
        ({"resourceFieldRef": {}}, "resourceFieldRef.resource: Required value"),
        (
            {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}},
            'resourceFieldRef.divisor: Invalid value: "limits.cpu": '
            "only divisor's values 1m and 1 are supported with the cpu resource",
        ),
        (
            {"resourceFieldRef": {"resource": "cpu"}},
            'resourceFieldRef.resource: Unsupported value: "cpu": supported values: "limits.cpu", '
            '"limits.ephemeral-storage", "limits.memory", "requests.cpu", '
            '"requests.ephemeral-storage", "requests.memory"',
        ),
        ({"secretKeyRef": {"name": "s"}}, "secretKeyRef.key: Required value"),
    ],
)
def test_sources_that_make_no_sense(source: dict[str, Any], cause: str) -> None:
    assert told(of(**source)) == [f"env[0].valueFrom.{cause}"]


def test_a_subscript_is_of_labels_or_annotations() -> None:
    (cause,) = told(of(fieldRef={"fieldPath": "metadata.name['a']"}))
    assert "field label does not support subscript" in cause
    (cause,) = told(of(fieldRef={"fieldPath": "metadata.labels['a b']"}))
    assert cause.startswith('env[0].valueFrom.fieldRef: Invalid value: "a b": name part must')


def test_all_keys_come_from_one_place() -> None:
    assert told_from({"prefix": "A_", "configMapRef": {"name": "settings"}}) == []
    assert told_from({}) == [
        'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'
    ]
    assert told_from({"secretRef": {}}) == ["envFrom[0].secretRef.name: Required value"]
    both = {"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}
    assert told_from(both) == [
        'envFrom: Invalid value: "": may not have more than one field specified at a time'
    ]
    (cause,) = told_from({"prefix": "=", "secretRef": {"name": "b"}})
    assert cause.startswith('envFrom[0].prefix: Invalid value: "="')
