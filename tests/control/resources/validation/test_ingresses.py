"""Ingresses: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.ingresses import ingress_causes

BACKEND: dict[str, Any] = {"service": {"name": "web", "port": {"number": 80}}}
PATH = "spec.rules[0].http.paths[0]"


def told(**spec: Any) -> list[str]:
    return [f"{each.field}: {each.message}" for each in ingress_causes({"spec": spec})]


def of_path(**entry: Any) -> list[str]:
    held = {"path": "/", "pathType": "Prefix", "backend": BACKEND, **entry}
    causes = told(rules=[{"host": "a.example.com", "http": {"paths": [held]}}])
    return [each.removeprefix(f"{PATH}.") for each in causes]


@pytest.mark.parametrize(
    "spec",
    [
        {"defaultBackend": BACKEND},
        {"rules": [{"host": "*.example.com"}], "tls": [{"hosts": ["a.example.com"]}]},
        {
            "rules": [
                {"http": {"paths": [{"pathType": "ImplementationSpecific", "backend": BACKEND}]}}
            ]
        },
        {"defaultBackend": {"resource": {"kind": "X", "name": "x"}}, "ingressClassName": "x"},
    ],
)
def test_what_is_fine(spec: dict[str, Any]) -> None:
    assert told(**spec) == []


def test_an_ingress_leads_somewhere() -> None:
    assert told() == [
        "spec: Invalid value: {}: either `defaultBackend` or `rules` must be specified"
    ]
    assert told(rules=[{"http": {"paths": []}}]) == ["spec.rules[0].http.paths: Required value"]


@pytest.mark.parametrize("host", ["A", "10.0.0.1", "*", "a.*.b"])
def test_a_host_is_a_name(host: str) -> None:
    (cause,) = told(rules=[{"host": host}])
    assert cause.startswith(f'spec.rules[0].host: Invalid value: "{host}": ')
    (cause,) = told(defaultBackend=BACKEND, tls=[{"hosts": [host]}])
    assert cause.startswith("spec.tls[0].hosts[0]: Invalid value")


def test_paths_have_a_type_and_are_absolute() -> None:
    assert of_path() == []
    assert of_path(pathType=None) == ["pathType: Required value: pathType must be specified"]
    assert of_path(pathType="Regex")[0].startswith('pathType: Unsupported value: "Regex"')
    words = 'path: Invalid value: "x": must be an absolute path'
    assert of_path(path="x") == [words]
    assert of_path(path="x", pathType="ImplementationSpecific") == [words]
    assert of_path(path="/a//b") == ["path: Invalid value: \"/a//b\": must not contain '//'"]


@pytest.mark.parametrize(
    ("backend", "cause"),
    [
        ({}, "backend: Required value"),
        ({"service": {"name": "web"}}, "backend.service: Required value"),
        ({"service": {"port": {"number": 80}}}, "backend.service.name: Required value"),
        (
            {"service": {"name": "a.b", "port": {"number": 80}}},
            "backend.service.name: Invalid value",
        ),
        (
            {"service": {"name": "web", "port": {"number": 70000}}},
            "backend.service.port.number: Invalid value: 70000",
        ),
        (
            {"service": {"name": "web", "port": {"number": 80, "name": "x"}}},
            "backend.service: Invalid value",
        ),
        ({**BACKEND, "resource": {"kind": "X", "name": "x"}}, "backend: Invalid value"),
    ],
)
def test_backends(backend: dict[str, Any], cause: str) -> None:
    (only,) = of_path(backend=backend)
    assert only.startswith(cause)


def test_a_class_is_a_name() -> None:
    (cause,) = told(defaultBackend=BACKEND, ingressClassName="A")
    assert cause.startswith("spec.ingressClassName: Invalid value")
