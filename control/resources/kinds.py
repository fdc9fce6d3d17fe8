"""What the API serves: one row per kind, and how a path finds it.

Pure: data. Names, short names, categories and verbs are those that `kubectl api-resources` shows
of a real cluster; subresources are those that this API server answers.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from cluster.objects.resources import Resource
from control.resources.data import read_data

ALL_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One served kind."""

    resource: Resource
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ("status",)


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind that is served, in discovery's order."""
    return tuple(_kind(row) for row in orjson.loads(read_data("kinds.json")))


@cache
def _by_path() -> dict[tuple[str, str, str], Kind]:
    return {
        (kind.resource.group, kind.resource.version, kind.resource.plural): kind for kind in kinds()
    }


def find_kind(group: str, version: str, plural: str) -> Kind | None:
    """The kind at a path, if it is served."""
    return _by_path().get((group, version, plural))


def _kind(row: dict[str, Any]) -> Kind:
    where = row["group"], row["version"], row["plural"], row["kind"]
    return Kind(
        Resource(*where, namespaced=row["namespaced"]),
        row["singular"],
        short_names=tuple(row.get("short_names", ())),
        categories=tuple(row.get("categories", ())),
        verbs=tuple(row.get("verbs", ALL_VERBS)),
        subresources=tuple(row.get("subresources", ())),
    )
