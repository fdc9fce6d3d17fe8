"""Structural schemas as the nodes that patches walk along."""

from control.resources.custom.nodes import resource_node
from control.resources.schema import MISSING, metadata_node

SCHEMA = {
    "type": "object",
    "properties": {
        "metadata": {"type": "object"},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port"],
            "items": {"type": "object", "properties": {"port": {"type": "integer", "default": 1}}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "selector": {"type": "object", "x-kubernetes-map-type": "atomic"},
        "amount": {"x-kubernetes-int-or-string": True},
        "inner": {"type": "object", "x-kubernetes-embedded-resource": True},
    },
}


def test_a_node_says_how_its_place_is_merged() -> None:
    root = resource_node(SCHEMA, metadata_node())
    ports = root.properties["ports"]
    assert (ports.type, ports.list_type, ports.list_map_keys) == ("array", "map", ("port",))
    assert ports.items is not None and ports.items.properties["port"].default == 1
    labels = root.properties["labels"].additional
    assert labels is not None and (labels.type, labels.default) == ("string", MISSING)
    assert root.properties["selector"].map_type == "atomic"
    assert root.properties["amount"].type == "int-or-string"


def test_metadata_is_every_object_s() -> None:
    root = resource_node(SCHEMA, metadata_node())
    assert root.properties["metadata"] is metadata_node()
    assert root.properties["inner"].properties["metadata"] is metadata_node()
