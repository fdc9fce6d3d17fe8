"""Reading documents that may lack anything but a name.

Pure: documents in, parts out; what is absent or null reads as empty.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.client.interface import Document


def spec_of(document: Document) -> Mapping[str, Any]:
    """What is wanted."""
    return document.get("spec") or {}


def status_of(document: Document) -> Mapping[str, Any]:
    """What is the case."""
    return document.get("status") or {}


def name_of(document: Document) -> str:
    """The object's name."""
    return str(document["metadata"].get("name", ""))


def part(document: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at a path."""
    found: Any = document
    for key in path:
        found = found.get(key) or {}
    return found  # type: ignore[no-any-return]


def items(document: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """The list at a key."""
    return document.get(key) or ()


def is_true(conditions: Sequence[Mapping[str, Any]], type: str) -> bool:
    """Whether the first condition of a type is true."""
    for each in conditions:
        if each.get("type") == type:
            return each.get("status") == "True"
    return False


def deleting(document: Document) -> bool:
    """Whether somebody has asked for its deletion."""
    return bool(document["metadata"].get("deletionTimestamp"))
