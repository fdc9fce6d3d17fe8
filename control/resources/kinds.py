"""What the API serves: one row per version of a kind, and how a path finds it.

Pure: data. The kinds that are built in; `control.resources.catalogue` adds those that come and go
with CustomResourceDefinitions. Names, short names, categories and verbs are those that
`kubectl api-resources` shows of a real cluster; subresources those that this API server answers.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from cluster.dataclass import dataclass
from cluster.objects.resources import Resource
from control.resources.conversion.conversion import Conversion, Document
from control.resources.conversion.table import CONVERSIONS
from control.resources.data import read_data

if TYPE_CHECKING:
    from control.resources.custom.version import CustomVersion

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
    """One served version of a kind."""

    resource: Resource
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ("status",)
    storage: "Kind | None" = None  # the version that is stored, where that is another one
    conversion: Conversion | None = None  # None: shown as it is stored
    custom: "CustomVersion | None" = None  # what a CustomResourceDefinition says of it

    @property
    def stored(self) -> Resource:
        """The resource under which its objects lie in the store."""
        return self.resource if self.storage is None else self.storage.resource

    @property
    def rules(self) -> "Kind":
        """By which version's rules a write is completed and checked.

        A built-in kind has them for the version that is stored, a custom one for each.
        """
        return self if self.storage is None or self.custom is not None else self.storage

    def to_stored(self, document: Document) -> Document:
        """A document of this version as it is stored."""
        return document if self.conversion is None else self.conversion.to_stored(document)

    def from_stored(self, document: Document) -> Document:
        """A stored document as this version shows it."""
        return document if self.conversion is None else self.conversion.from_stored(document)


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind that is built in, in discovery's order."""
    rows: list[dict[str, Any]] = orjson.loads(read_data("kinds.json"))
    return tuple(_linked(rows, [_kind(row) for row in rows]))


@cache
def _by_path() -> dict[tuple[str, str, str], Kind]:
    return {_path(kind): kind for kind in kinds()}


def find_kind(group: str, version: str, plural: str) -> Kind | None:
    """The built-in kind at a path."""
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


def _linked(rows: list[dict[str, Any]], found: list[Kind]) -> Iterable[Kind]:
    """Each kind with the one that it is stored as."""
    by_path = {_path(each): each for each in found}
    for row, kind in zip(rows, found, strict=True):
        if "stored_as" in row:
            storage = by_path[tuple(row["stored_as"])]
            yield replace(kind, storage=storage, conversion=CONVERSIONS[_path(kind)])
        else:
            yield kind


def _path(kind: Kind) -> tuple[str, str, str]:
    return kind.resource.group, kind.resource.version, kind.resource.plural
