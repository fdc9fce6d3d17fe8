"""The words of a structural schema, and what is common to reading them.

Pure: values only. Source: kubernetes.io, "Extend the Kubernetes API
with CustomResourceDefinitions".
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
RULES = "x-kubernetes-validations"
TYPE_META = ("apiVersion", "kind", "metadata")  # of every object, whatever its schema says

# Inside of these, a schema may say what a value must be, and nothing about its shape.
JUNCTORS = ("allOf", "anyOf", "oneOf")

DEPTH_MAX = 200  # a body's own depth is bounded too: no walk can be deeper


def properties_of(schema: Schema) -> Mapping[str, Schema]:
    """A struct's fields."""
    return schema.get("properties") or {}


def values_of(schema: Schema) -> Schema | None:
    """The schema of a map's values; None where it has none of its own."""
    additional = schema.get("additionalProperties")
    return additional if isinstance(additional, dict) else None


def items_of(schema: Schema) -> Schema | None:
    """The schema of a list's items."""
    items = schema.get("items")
    return items if isinstance(items, dict) else None


def open_map(schema: Schema) -> bool:
    """Whether fields that it does not name are kept."""
    return bool(schema.get(PRESERVE)) or schema.get("additionalProperties") is True
