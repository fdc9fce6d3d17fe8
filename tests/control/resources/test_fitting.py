"""Fitting: what it lets through, the slow walks leave alone."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.resources import walk
from control.resources.checks import check
from control.resources.fitting import Fitting
from control.resources.kinds import kinds
from control.resources.schema import Node, element_schema

FITTING = Fitting()
PORT = {"name": "http", "containerPort": 8080, "protocol": "TCP"}
CONTAINER = {
    "name": "web",
    "image": "web:1",
    "ports": [PORT],
    "env": [{"name": "A", "value": "1"}],
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "a",
        "labels": {"app": "web"},
        "creationTimestamp": "2026-01-01T12:00:00Z",
        "finalizers": ["a/b"],
    },
    "spec": {"containers": [CONTAINER], "hostNetwork": False},
}
ODD = st.sampled_from(
    [
        *(None, "", "x", 0, 2**31, 2**63, -(2**63) - 1, 1.5, True, [], {}, [None], {"x": None}),
        *(["x"], {"x": 1}, [1], [{"name": "x"}], "64Mi", "TCP", "2026-01-01T12:00:00+01:00"),
    ]
)


def node_of(kind: str) -> Node:
    found = next(each for each in kinds() if each.resource.kind == kind)
    node = element_schema(found)
    assert node is not None
    return node


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, inner in inside if isinstance(value, dict | list) else ():
        found += places(inner, (*path, key)) if isinstance(inner, dict | list) else [(*path, key)]
    return found


def replaced(path: tuple[Any, ...], odd: Any, name: str) -> dict[str, Any]:
    document = copy.deepcopy(POD)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    if isinstance(place, dict) and name:
        place[name] = odd
    else:
        place[path[-1]] = odd
    return document


def test_a_usual_object_fits() -> None:
    assert FITTING.fits(node_of("Pod"), POD)


@given(st.sampled_from(places(POD)), ODD, st.sampled_from(["", "unknown", "type", "value"]))
def test_what_fits_would_be_left_alone_and_found_no_fault_with(
    path: tuple[Any, ...], odd: Any, name: str
) -> None:
    node, document = node_of("Pod"), replaced(path, odd, name)
    causes: list[Any] = []
    unknown: list[str] = []
    check(node, document, None, causes)
    pruned = walk._prune(node, document, None, unknown)
    if FITTING.fits(node, document):
        assert (pruned, unknown, causes) == (document, [], [])
    elif (pruned, unknown, causes) == (document, [], []):
        assert isinstance(odd, dict | list | float) or odd is None  # few are left to the walks


def test_a_schema_that_holds_itself_is_tested_as_deep_as_a_document_goes() -> None:
    node = node_of("CustomResourceDefinition")
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(50):
        inner = {"type": "object", "properties": {"a": inner}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": inner}}
    names = {"plural": "as", "kind": "A"}
    spec = {"group": "a.b", "names": names, "scope": "Namespaced", "versions": [version]}
    document = {"apiVersion": "a/v1", "kind": "C", "metadata": {"name": "as.a.b"}, "spec": spec}
    assert FITTING.fits(node, document)
    assert not FITTING.fits(node, {**document, "spec": {**spec, "scope": 1}})
