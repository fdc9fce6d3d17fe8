"""What the API serves: one row per kind, and how a path finds it.

Pure: data. Sources: the Kubernetes API reference; names, short names and categories as
`kubectl api-resources` shows them.
"""

from dataclasses import dataclass
from functools import lru_cache

from cluster.objects import resources as served
from cluster.objects.resources import Resource

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


_SUBRESOURCES = {
    "pods": ("status", "log", "binding"),
    "namespaces": ("status", "finalize"),
    "deployments": ("status", "scale"),
    "replicasets": ("status", "scale"),
}


@lru_cache
def kinds() -> tuple[Kind, ...]:
    """Every kind that is served."""
    return tuple(
        Kind(each, each.kind.lower(), subresources=_SUBRESOURCES.get(each.plural, ("status",)))
        for each in vars(served).values()
        if isinstance(each, Resource)
    )


@lru_cache
def _by_path() -> dict[tuple[str, str, str], Kind]:
    return {
        (kind.resource.group, kind.resource.version, kind.resource.plural): kind
        for kind in kinds()
    }


def find_kind(group: str, version: str, plural: str) -> Kind | None:
    """The kind at a path, if it is served."""
    return _by_path().get((group, version, plural))
