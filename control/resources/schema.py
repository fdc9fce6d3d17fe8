"""The shape of each kind as the API's own schemas give it: a tree of nodes.

Pure: data, read when a kind is first asked for. Source: Kubernetes' OpenAPI definitions with their
`x-kubernetes-*` extensions, plus the defaults that they lack (`control.resources.data.generator`).
"""

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from typing import Any, Final

import orjson

from cluster.dataclass import dataclass
from control.resources.data import read_data
from control.resources.kinds import Kind


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
METADATA = "meta.v1.ObjectMeta"
# The schema of schemas, and what the published definitions leave open of it.
OF_SCHEMAS = "JSONSchemaProps"


@dataclass(slots=True, eq=False)
class Node:
    """One place in a document; trees may be recursive, so nodes are compared by identity."""

    type: str = "any"  # object array string integer number boolean quantity int-or-string
    # object-or-boolean any
    format: str = ""  # of strings: byte, time, micro-time; of integers: int32, int64
    properties: Mapping[str, "Node"] = field(default_factory=dict, repr=False)
    additional: "Node | None" = field(default=None, repr=False)  # a map's values
    items: "Node | None" = field(default=None, repr=False)
    required: tuple[str, ...] = ()
    default: Any = MISSING
    enum: tuple[Any, ...] = ()
    merge: bool = False  # strategic merge patch: patch-strategy has "merge"
    retain_keys: bool = False  # patch-strategy has "retainKeys"
    merge_key: str = ""
    list_type: str = ""  # atomic, set, map
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""  # atomic, granular


def element_schema(kind: Kind) -> Node | None:
    """The root node of a kind's documents; None where a kind has no schema."""
    if kind.custom is not None:
        return kind.custom.root
    resource = kind.resource
    return _forest().root(f"{resource.group}/{resource.version}/{resource.kind}")


def metadata_node() -> Node:
    """The node of any object's metadata."""
    return _forest().definition(METADATA)


class Forest:
    """Trees built of definitions when they are first asked for; what is referred to is shared."""

    def __init__(self, roots: Mapping[str, str], definitions: Mapping[str, Any]) -> None:
        self._roots = roots
        self._definitions = definitions
        self._named: dict[str, Node] = {}

    def root(self, key: str) -> Node | None:
        """The tree of a kind, by `group/version/kind`."""
        name = self._roots.get(key)
        return None if name is None else self.definition(name)

    def definition(self, name: str) -> Node:
        """The tree of a definition."""
        if name not in self._named:
            node = self._named[name] = Node()  # there before it is whole: it may refer to itself
            self._fill(node, self._definitions[name])
        return self._named[name]

    def _fill(self, node: Node, place: Mapping[str, Any]) -> None:
        """All that a place says of itself, and then what is inside of it."""
        _set_scalars(node, place)
        node.required = tuple(place.get("required", ()))
        properties: dict[str, Node] = {}
        node.properties = properties
        for name, inner in place.get("properties", {}).items():
            properties[name] = self._place(inner)
        if "additional" in place:
            node.additional = self._place(place["additional"])
        if "items" in place:
            node.items = self._place(place["items"])

    def _place(self, place: Mapping[str, Any]) -> Node:
        if "ref" not in place:
            node = Node()
            self._fill(node, place)
            return node
        target = self.definition(place["ref"])
        if len(place) == 1:
            return target
        node = replace(target)  # this reference says more: same insides, a node of its own
        _set_scalars(node, place)
        return node


def _set_scalars(node: Node, place: Mapping[str, Any]) -> None:
    for key in ("type", "format", "default", "merge", "retain_keys", "merge_key"):
        if key in place:
            setattr(node, key, place[key])
    for key in ("list_type", "map_type"):
        if key in place:
            setattr(node, key, place[key])
    for key in ("enum", "list_map_keys"):
        if key in place:
            setattr(node, key, tuple(place[key]))


@cache
def _forest() -> Forest:
    data = orjson.loads(read_data("schema.json"))
    for name, definition in data["definitions"].items():
        if name.endswith(OF_SCHEMAS):
            _close(name, definition["properties"])
    return Forest(data["roots"], data["definitions"])


def _close(name: str, properties: dict[str, Any]) -> None:
    """Schemas inside of schemas are schemas: published are they as anything."""
    properties["items"] = {"ref": name, "type": "object"}
    properties["additionalProperties"] = {"ref": name, "type": "object-or-boolean"}
