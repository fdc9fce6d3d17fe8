"""What a component needs of the Kubernetes API, however it reaches it.

Two implementations: `cluster.client.api.ApiClient` (HTTP over TLS or a Unix socket) and the
control plane's own `control.apiserver.local.LocalApi` (a call, no socket). Documents are plain JSON
trees; whoever receives one treats it as immutable. Every refusal is an `ApiError`.
"""

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Any, Protocol

from cluster.dataclass import dataclass
from cluster.objects.resources import Resource
from cluster.wire.changes import Batch

Document = Mapping[str, Any]


class PatchType(StrEnum):
    """Content types of a PATCH."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class EventType(StrEnum):
    """What a watch says happened."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One event of a watch; a BOOKMARK's document holds only its resourceVersion."""

    type: EventType
    document: Document


@dataclass(frozen=True, slots=True)
class Listing:
    """A list and the resourceVersion from which a watch continues it."""

    items: list[Document]
    resource_version: str


class Api(Protocol):
    """The verbs of the API."""

    async def get(
        self, resource: Resource, name: str, *, namespace: str | None = None
    ) -> Document: ...

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing: ...

    async def create(self, resource: Resource, document: Document) -> Document:
        """Create in the document's own namespace (`metadata.namespace`)."""

    async def update(
        self, resource: Resource, document: Document, *, subresource: str | None = None
    ) -> Document:
        """Replace; a resourceVersion in the document is compared (409 Conflict)."""

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool | None = None,
    ) -> Document: ...

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Document: ...

    def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[WatchEvent]:
        """Events after `resource_version`; ApiError 410 when it is too old; ends with the link."""


class NodeApi(Api, Protocol):
    """The API, as kubehop's own nodes use it."""

    def follow(self, node: str) -> AsyncIterator[Batch]:
        """Everything that decisions read, and its changes; what is the node's own, complete."""
