"""The shape of each kind as the API's own schemas give it: a tree of nodes, walked by those who read.

Pure: data. Source: Kubernetes' OpenAPI definitions with their `x-kubernetes-*` extensions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from control.resources.kinds import Kind


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(slots=True, eq=False)
class Node:
    """One place in a document; trees may be recursive, so nodes are compared by identity."""

    type: str = "any"  # object array string integer number boolean quantity int-or-string any
    format: str = ""
    properties: Mapping[str, "Node"] = field(default_factory=dict)
    additional: "Node | None" = None  # a map's values
    items: "Node | None" = None
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
    return None
