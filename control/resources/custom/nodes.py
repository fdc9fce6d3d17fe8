"""A structural schema as the tree of nodes that patches and applies walk along.

Pure: a schema in, a node out. Lists and maps say how they are merged; nothing here is validated.
"""

from control.resources.custom.keywords import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.schema import MISSING, Node

_TEXT = Node(type="string")


def resource_node(schema: Schema, metadata: Node) -> Node:
    """The node of a whole object."""
    node = place_node(schema, metadata)
    known = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": metadata}
    node.properties = {**node.properties, **known}
    node.type, node.additional = "object", None
    return node


def place_node(schema: Schema, metadata: Node) -> Node:
    """The node of one place."""
    node = Node(
        type="int-or-string" if schema.get(INT_OR_STRING) else schema.get("type") or "any",
        required=tuple(schema.get("required") or ()),
        enum=tuple(schema.get("enum") or ()),
        default=schema["default"] if schema.get("default") is not None else MISSING,
        list_type=schema.get(LIST_TYPE) or "",
        list_map_keys=tuple(schema.get(LIST_KEYS) or ()),
        map_type=schema.get(MAP_TYPE) or "",
    )
    node.properties = {
        name: place_node(each, metadata) for name, each in properties_of(schema).items()
    }
    values, items = values_of(schema), items_of(schema)
    node.additional = None if values is None else place_node(values, metadata)
    node.items = None if items is None else place_node(items, metadata)
    if schema.get(EMBEDDED):
        known = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": metadata}
        node.properties = {**node.properties, **known}
    return node
