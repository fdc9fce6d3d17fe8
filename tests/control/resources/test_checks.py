"""What is wrong with a document, by field and in upstream's words."""

from typing import Any

import pytest

from control.resources.causes import Cause
from control.resources.checks import check
from control.resources.kinds import find_kind
from control.resources.schema import Node, element_schema

STRING, INTEGER = Node("string"), Node("integer", "int32")


def causes(node: Node, value: Any) -> list[Cause]:
    found: list[Cause] = []
    check(node, value, (None, "x"), found)
    return found


def of_kind(group: str, plural: str, document: Any) -> list[tuple[str, str]]:
    """Field and message of each cause."""
    kind = find_kind(group, "v1", plural)
    node = element_schema(kind) if kind else None
    assert node is not None
    found: list[Cause] = []
    check(node, document, None, found)
    return [(each.field, each.message) for each in found]


def mistyped(wanted: str, given: str) -> list[Cause]:
    words = f'Invalid value: "{given}": x in body must be of type {wanted}: "{given}"'
    return [Cause("FieldValueTypeInvalid", words, "x")]


@pytest.mark.parametrize(
    ("node", "value", "wanted", "given"),
    [
        (STRING, 5, "string", "integer"),
        (STRING, {}, "string", "object"),
        (INTEGER, "5", "integer", "string"),
        (INTEGER, 5.0, "integer", "number"),
        (INTEGER, True, "integer", "boolean"),
        (Node("number"), True, "number", "boolean"),
        (Node("boolean"), "yes", "boolean", "string"),
        (Node("boolean"), 1, "boolean", "integer"),
        (Node("array", items=STRING), {}, "array", "object"),
        (Node("object", additional=STRING), [], "object", "array"),
        (Node("object", properties={"a": STRING}), "a", "object", "string"),
        (Node("quantity"), [], "string", "array"),
        (Node("quantity"), True, "string", "boolean"),
        (Node("int-or-string"), 1.5, "int-or-string", "number"),
    ],
)
def test_a_value_has_the_type_of_its_field(node: Node, value: Any, wanted: str, given: str) -> None:
    assert causes(node, value) == mistyped(wanted, given)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (STRING, "x"),
        (INTEGER, -(2**31)),
        (Node("integer", "int64"), 2**63 - 1),
        (Node("number"), 1.5),
        (Node("number"), 1),
        (Node("boolean"), False),
        (Node("quantity"), "1.5Gi"),
        (Node("quantity"), 2),
        (Node("quantity"), 0.5),
        (Node("int-or-string"), 80),
        (Node("int-or-string"), "25%"),
        (Node("any"), {"whatever": [1, None, "x"]}),
        (Node("string", "byte"), "aGVsbG8="),
        (Node("string", "byte"), "aGVs\nbG8="),
        (Node("string", "time"), "2026-01-01T00:00:00Z"),
        (Node("array", items=STRING), ["a", None]),
        (Node("object", additional=INTEGER), {"a": 1, "b": None}),
        (Node("object", properties={"a": STRING}), {"a": None, "unknown": 1}),
    ],
)
def test_what_is_right_has_no_cause(node: Node, value: Any) -> None:
    assert causes(node, value) == []


@pytest.mark.parametrize(
    ("node", "value", "why"),
    [
        (INTEGER, 2**31, "must fit in an int32"),
        (Node("integer"), 2**63, "must fit in an int64"),
        (Node("int-or-string"), 2**31, "must fit in an int32"),
        (Node("string", "byte"), "not base64", "illegal base64 data"),
        (Node("string", "byte"), "ÄÖÜ=", "illegal base64 data"),
        (Node("string", "byte"), "aGVs!bG8=", "illegal base64 data"),
        (Node("string", "time"), "soon", "must be a date and time as RFC 3339 has it"),
    ],
)
def test_text_and_numbers_can_be_of_the_wrong_type_all_the_same(
    node: Node, value: Any, why: str
) -> None:
    """A server decodes amounts, times and bytes: what it cannot decode is of the wrong type."""
    (cause,) = causes(node, value)
    assert (cause.reason, cause.field) == ("FieldValueTypeInvalid", "x")
    assert cause.message.startswith("Invalid value: ") and cause.message.endswith(f": {why}")


def test_a_secret_s_data_are_checked_key_by_key() -> None:
    data = {"good": "aGVsbG8=", "bad": "hello"}
    assert [field for field, _ in of_kind("", "secrets", {"data": data})] == ["data[bad]"]


def test_an_amount_is_spelled_as_upstream_says() -> None:
    (cause,) = causes(Node("quantity"), "lots")
    assert cause.message == (
        'Invalid value: "lots": quantities must match the regular expression '
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )


def test_a_value_is_one_of_those_allowed() -> None:
    protocol = Node("string", enum=("TCP", "UDP"))
    assert causes(protocol, "TCP") == []
    words = 'Unsupported value: "tcp": supported values: "TCP", "UDP"'
    assert causes(protocol, "tcp") == [Cause("FieldValueNotSupported", words, "x")]
    listed = Node("object", properties={"protocol": protocol})
    (cause,) = causes(listed, {"protocol": "tcp"})
    assert cause.field == "x.protocol"


@pytest.mark.parametrize("missing", [{}, {"a": None}, {"a": ""}, {"a": []}])
def test_what_is_required_is_there_and_not_empty(missing: Any) -> None:
    node = Node("object", properties={"a": STRING}, required=("a",))
    assert Cause("FieldValueRequired", "Required value", "x.a") in causes(node, missing)


@pytest.mark.parametrize("value", [0, False])
def test_zero_and_false_are_values(value: Any) -> None:
    node = Node("object", properties={"a": Node("any")}, required=("a",))
    assert causes(node, {"a": value}) == []


def test_a_missing_struct_lacks_what_it_requires() -> None:
    assert of_kind("apps", "deployments", {"metadata": {"name": "web"}}) == [
        ("spec.selector", "Required value"),
        ("spec.template.spec.containers", "Required value"),
    ]
    assert of_kind("", "pods", {}) == [("spec.containers", "Required value")]


def test_every_wrong_field_is_named() -> None:
    container = {"image": "x", "ports": [{"containerPort": "80"}], "env": [{"value": 1}]}
    found = of_kind("", "pods", {"spec": {"containers": [container], "nodeSelector": {"disk": 1}}})
    assert [field for field, _ in found] == [
        "spec.containers[0].ports[0].containerPort",
        "spec.containers[0].env[0].value",
        "spec.containers[0].env[0].name",
        "spec.containers[0].name",
        "spec.nodeSelector[disk]",
    ]


@pytest.mark.parametrize(
    ("group", "plural", "document"),
    [
        ("networking.k8s.io", "networkpolicies", {"spec": {}}),
        ("discovery.k8s.io", "endpointslices", {"addressType": "IPv4"}),
        ("", "events", {"involvedObject": {}}),
        ("", "nodes", {"status": {"addresses": [{}], "nodeInfo": {}, "conditions": [{}]}}),
        ("", "services", {"spec": {}, "status": {"loadBalancer": {}}}),
        ("", "configmaps", {}),
    ],
)
def test_what_a_server_does_without_is_not_required(group: str, plural: str, document: Any) -> None:
    assert of_kind(group, plural, document) == []
