"""What a controller may ask for: the closed union of writes that the shell carries out.

Pure: values only. Neighbouring writes of one kind in a plan are independent and go out together;
otherwise the order of the plan holds, and a refused write ends it: the key is looked at again.
"""

from collections.abc import Collection, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import Resource

NORMAL, WARNING = "Normal", "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """The Events that tell how a write went; "{name}" and "{error}" are filled in."""

    about: Document
    done: tuple[str, str] | None = None  # reason, message
    refused: tuple[str, str] | None = None
    type: str = NORMAL


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object; the API completes a `generateName`."""

    resource: Resource
    document: Document
    announce: Announce | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Replace an object, or one of its subresources; its resourceVersion is compared."""

    resource: Resource
    document: Document
    subresource: str | None = None
    announce: Announce | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """A JSON merge patch; a resourceVersion in it is compared."""

    resource: Resource
    namespace: str
    name: str
    changes: Mapping[str, Any]
    subresource: str | None = None
    announce: Announce | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """An object that must be gone, asked of the API itself, before a deletion may happen."""

    resource: Resource
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete one object, by uid, so that a successor of its name is safe."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    grace_seconds: int | None = None
    propagation: str | None = None
    provided: tuple[Absent, ...] = ()
    announce: Announce | None = None


@dataclass(frozen=True, slots=True)
class DeleteAll:
    """Delete every object of a resource in a namespace (""; in all), asked of the API itself."""

    resource: Resource
    namespace: str


@dataclass(frozen=True, slots=True)
class FinalizeNamespace:
    """Let a namespace go, once the API itself shows nothing in it any more; tell what is left."""

    document: Document
    resources: tuple[Resource, ...]
    now: str


@dataclass(frozen=True, slots=True)
class FinalizeDefinition:
    """Let a CustomResourceDefinition go, once the API itself shows no object of it any more."""

    document: Document
    resource: Resource | None  # None: it was never served


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """An Event about an object."""

    about: Document
    reason: str
    message: str
    type: str = NORMAL


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Nothing to do yet: ask again after so many real seconds."""

    seconds: float


Write = (
    Create
    | Update
    | Patch
    | Delete
    | DeleteAll
    | FinalizeNamespace
    | FinalizeDefinition
    | EmitEvent
    | LookAgain
)


def patch_of(
    resource: Resource,
    document: Document,
    changes: Mapping[str, Any],
    *,
    subresource: str | None = None,
    announce: Announce | None = None,
) -> Patch:
    """A merge patch that holds only for this version of the document: lists are replaced whole."""
    metadata = document["metadata"]
    version = {"resourceVersion": metadata.get("resourceVersion")}
    merged = {**changes, "metadata": {**changes.get("metadata", {}), **version}}
    namespace = metadata.get("namespace") or ""
    return Patch(resource, namespace, metadata["name"], merged, subresource, announce)


def counted(status: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a status of counters that change; a zero is spelled by leaving it out.

    Only `replicas` is always written: clients read it without asking whether it is there.
    """
    wished = {key: value if value or key == "replicas" else None for key, value in status.items()}
    return {key: value for key, value in wished.items() if held.get(key) != value}


def status_changes(
    wished: Mapping[str, Any], held: Mapping[str, Any], *, always: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of a status that change, as a merge patch; what is empty is left out of it.

    But for those in `always`, which are there when they are zero, too.
    """
    news: dict[str, Any] = {}
    for field, value in wished.items():
        kept = value if value or (field in always and value is not None) else None
        if held.get(field) != kept:
            news[field] = _replacing(held.get(field), kept)
    return news


def _replacing(before: Any, after: Any) -> Any:
    """A map as a merge patch replaces it: what is not in it any more is taken out."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {**dict.fromkeys(before, None), **after}
    return after
