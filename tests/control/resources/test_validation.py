"""No document whose types are right makes the server stumble: it is completed, or refused."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from control.resources.kinds import Kind, kinds
from control.resources.schema import Node, element_schema
from control.resources.strategy import (
    prepare_create,
    prepare_update,
    prune,
    type_faults,
    validate_create,
    validate_update,
)

MEANINGFUL = ("Always", "TCP", "ClusterIP", "NodePort", "ExternalName", "None", "IPv4", "Exists")
ADDRESSES = ("10.0.0.1", "10.0.0.0/8", "fd00::1")
TEXTS = st.sampled_from(["", "a", "a b", "A", "50%", "RollingUpdate", *MEANINGFUL, *ADDRESSES])
NUMBERS = st.sampled_from([-1, 0, 1, 80, 30080, 70000])
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "integer": NUMBERS,
    "number": NUMBERS,
    "boolean": st.booleans(),
    "int-or-string": TEXTS | NUMBERS,
    "quantity": st.sampled_from(["1", "500m", "-1", "1Gi", "0"]),
}
DEPTH_MAX = 7


@st.composite
def values(draw: st.DrawFn, node: Node, depth: int = 0) -> Any:
    """Something that a schema's place may hold, a few fields of it."""
    if node.enum:
        return draw(st.sampled_from(node.enum))
    if node.format in ("date-time", "time", "micro-time", "byte"):
        return draw(st.just("2026-01-01T00:00:00Z" if node.format != "byte" else "YQ=="))
    if node.type == "array":
        assert node.items is not None
        size = draw(st.integers(0, 2)) if depth < DEPTH_MAX else 0
        return [draw(values(node.items, depth + 1)) for _ in range(size)]
    if node.type != "object":
        return draw(SCALARS.get(node.type, st.just({})))
    if node.additional is not None:
        keys = draw(st.lists(TEXTS, max_size=2, unique=True))
        return {key: draw(values(node.additional, depth + 1)) for key in keys}
    if depth >= DEPTH_MAX or not node.properties:
        return {}
    names = sorted(node.properties)
    wanted = draw(st.lists(st.sampled_from(names), max_size=5, unique=True))
    needed = [name for name in ("spec", "template", "containers", "ports") if name in names]
    chosen = dict.fromkeys([*wanted, *node.required, *needed])
    return {name: draw(values(node.properties[name], depth + 1)) for name in chosen}


def stamped(document: dict[str, Any]) -> dict[str, Any]:
    metadata = {**document.get("metadata", {}), "uid": "u", "name": "a", "namespace": "a"}
    return {**document, "metadata": metadata}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.resource.plural)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_kind_takes_or_refuses_whatever_fits_its_schema(
    kind: Kind, data: st.DataObject
) -> None:
    node = element_schema(kind)
    assert node is not None
    documents = []
    for _ in range(2):
        pruned, unknown = prune(kind, stamped(data.draw(values(node))))
        assert unknown == []
        assume(not type_faults(kind, pruned))
        documents.append(pruned)
    before = copy.deepcopy(documents)
    first, second = (prepare_create(kind, each) for each in documents)
    for each in (first, second):
        for cause in validate_create(kind, each):
            assert cause.message
    for subresource in (None, "status"):
        updated = prepare_update(kind, second, first, subresource=subresource)
        validate_update(kind, updated, first)
    again = prepare_update(kind, first, first, subresource=None)
    assert {**again, "metadata": 0} == {**first, "metadata": 0}
    assert documents == before
