"""A custom object brought into its schema's shape: unknown fields and nulls out, defaults in.

Pure: documents in, documents out; none is changed. A null stays only where the schema allows it.
Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema, pruning and defaulting.
"""

from typing import Any

from control.resources.custom.keywords import (
    EMBEDDED,
    TYPE_META,
    Schema,
    items_of,
    open_map,
    properties_of,
    values_of,
)
from control.resources.places import Path, spelled
from control.resources.schema import Node
from control.resources.walk import UNKNOWN_MAX
from control.resources.walk import prune as prune_struct

Document = dict[str, Any]


class Pruner:
    """Drops what a schema does not know; metadata is an ObjectMeta wherever it is an object's."""

    def __init__(self, metadata: Node) -> None:
        self._metadata = metadata
        self.unknown: list[str] = []  # paths of what was dropped

    def resource(self, schema: Schema, value: Document, path: Path | None = None) -> Document:
        """A whole object: its type and metadata are known whatever the schema says."""
        kept = self._struct(schema, value, path, known=TYPE_META)
        metadata = value.get("metadata")
        if type(metadata) is dict:
            place = (path, "metadata")
            pruned, unknown = prune_struct(self._metadata, metadata)
            self.unknown += [f"{spelled(place)}.{each}" for each in unknown]
            kept["metadata"] = pruned
        return kept

    def _value(self, schema: Schema, value: Any, path: Path) -> Any:
        if type(value) is dict:
            if schema.get(EMBEDDED):
                return self.resource(schema, value, path)
            return self._struct(schema, value, path)
        if type(value) is list:
            items = items_of(schema)
            if items is not None:
                return [self._value(items, each, (path, i)) for i, each in enumerate(value)]
        return value

    def _struct(
        self, schema: Schema, value: Document, path: Path | None, known: tuple[str, ...] = ()
    ) -> Document:
        properties, rest = properties_of(schema), values_of(schema)
        kept: Document = {}
        for key, inner in value.items():
            child = properties.get(key, rest)
            if key in known:
                if inner is not None:
                    kept[key] = inner
            elif child is not None:
                if inner is not None or child.get("nullable"):
                    kept[key] = self._value(child, inner, (path, key))
            elif open_map(schema):
                kept[key] = inner
            elif len(self.unknown) < UNKNOWN_MAX:
                self.unknown.append(spelled((path, key)))
        return kept


def filled(schema: Schema, value: Any) -> Any:
    """With the default of every field that is absent; the same value if there is none."""
    if type(value) is dict:
        return _filled_struct(schema, value)
    items = items_of(schema)
    if type(value) is not list or items is None:
        return value
    made = [filled(items, each) for each in value]
    return made if any(new is not old for new, old in zip(made, value, strict=True)) else value


def _filled_struct(schema: Schema, value: Document) -> Document:
    properties, rest = properties_of(schema), values_of(schema)
    absent = {
        key: child["default"]
        for key, child in properties.items()
        if child.get("default") is not None and key not in value
    }
    made = {**value, **absent} if absent else value
    for key, inner in list(made.items()):
        child = properties.get(key, rest)
        new = inner if child is None else filled(child, inner)
        if new is not inner:
            made = {**made} if made is value else made
            made[key] = new
    return made


def has_defaults(schema: Schema) -> bool:
    """Whether a schema fills anything in."""
    inner = [*properties_of(schema).values(), values_of(schema), items_of(schema)]
    return schema.get("default") is not None or any(
        has_defaults(each) for each in inner if each is not None
    )
