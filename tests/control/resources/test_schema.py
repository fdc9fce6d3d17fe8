"""Schemas as trees of nodes."""

import pytest

from cluster.objects.resources import Resource
from control.resources.kinds import Kind, find_kind, kinds
from control.resources.schema import MISSING, Forest, Node, element_schema


def schema(group: str, plural: str, version: str = "v1") -> Node:
    kind = find_kind(group, version, plural)
    assert kind is not None
    node = element_schema(kind)
    assert node is not None
    return node


def at(node: Node, path: str) -> Node:
    """The node at `spec.containers[].ports[]`; `*` is a map's value."""
    for piece in path.split("."):
        if piece == "*":
            assert node.additional is not None
            node = node.additional
            continue
        node = node.properties[piece.removesuffix("[]")]
        if piece.endswith("[]"):
            assert node.items is not None
            node = node.items
    return node


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: str(kind.resource.plural))
def test_every_kind_that_is_served_has_a_schema(kind: Kind) -> None:
    node = element_schema(kind)
    assert node is not None
    assert {"apiVersion", "kind", "metadata"} <= set(node.properties)
    assert at(node, "metadata.labels.*").type == "string"
    assert ("status" in kind.subresources) <= ("status" in node.properties)


def test_a_kind_that_is_not_served_has_none() -> None:
    assert element_schema(Kind(Resource("example.org", "v1", "trees", "Tree"), "tree")) is None


@pytest.mark.parametrize(
    ("path", "type_", "format_"),
    [
        ("spec.containers", "array", ""),
        ("spec.containers[].image", "string", ""),
        ("spec.containers[].ports[].containerPort", "integer", "int32"),
        ("spec.activeDeadlineSeconds", "integer", "int64"),
        ("spec.hostNetwork", "boolean", ""),
        ("spec.containers[].resources.limits.*", "quantity", ""),
        ("spec.containers[].readinessProbe.httpGet.port", "int-or-string", ""),
        ("metadata.creationTimestamp", "string", "time"),
        ("metadata.managedFields[].fieldsV1", "any", ""),
        ("spec.nodeSelector.*", "string", ""),
    ],
)
def test_places_have_the_types_of_the_api_reference(path: str, type_: str, format_: str) -> None:
    node = at(schema("", "pods"), path)
    assert (node.type, node.format) == (type_, format_)


def test_a_lease_is_renewed_at_a_micro_time() -> None:
    assert at(schema("coordination.k8s.io", "leases"), "spec.renewTime").format == "micro-time"


def test_a_secret_s_data_are_bytes() -> None:
    assert at(schema("", "secrets"), "data.*").format == "byte"


def test_lists_say_how_they_merge() -> None:
    containers = at(schema("", "pods"), "spec.containers")
    assert (containers.merge, containers.merge_key) == (True, "name")
    assert (containers.list_type, containers.list_map_keys) == ("map", ("name",))
    volumes = at(schema("", "pods"), "spec.volumes")
    assert (volumes.merge, volumes.retain_keys, volumes.merge_key) == (True, True, "name")
    ports = at(schema("", "services"), "spec.ports")
    assert (ports.merge_key, ports.list_map_keys) == ("port", ("port", "protocol"))
    finalizers = at(schema("", "pods"), "metadata.finalizers")
    assert (finalizers.merge, finalizers.list_type) == (True, "set")
    assert at(schema("", "pods"), "spec.containers[].args").list_type == "atomic"
    assert at(schema("apps", "deployments"), "spec.selector").map_type == "atomic"


def test_a_reference_may_say_more_than_what_it_refers_to() -> None:
    strategy = at(schema("apps", "deployments"), "spec.strategy")
    assert strategy.retain_keys
    assert strategy.default == {}
    assert at(strategy, "type").default == "RollingUpdate"


def test_defaults_that_are_keys_of_lists_are_there() -> None:
    assert at(schema("", "pods"), "spec.containers[].ports[].protocol").default == "TCP"
    assert at(schema("", "services"), "spec.ports[].protocol").default == "TCP"
    assert at(schema("", "pods"), "spec.containers[].image").default is MISSING


def test_what_two_kinds_share_is_one_tree() -> None:
    pods, deployments = schema("", "pods"), schema("apps", "deployments")
    assert at(pods, "metadata") is at(deployments, "metadata")
    assert at(pods, "spec") is at(deployments, "spec.template.spec")


def test_a_definition_may_refer_to_itself() -> None:
    tree = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "branches": {"type": "array", "items": {"ref": "Tree"}},
            "twin": {"ref": "Tree", "map_type": "atomic"},
        },
        "required": ["name"],
    }
    root = Forest({"forest/v1/Tree": "Tree"}, {"Tree": tree}).root("forest/v1/Tree")
    assert root is not None
    assert root.properties["branches"].items is root
    twin = root.properties["twin"]
    assert twin is not root
    assert (twin.map_type, root.map_type) == ("atomic", "")
    assert (twin.type, twin.required) == ("object", ("name",))
    assert twin.properties["twin"] is twin


def test_a_node_shows_itself_without_all_that_is_inside_of_it() -> None:
    assert len(repr(schema("", "pods"))) < 500
