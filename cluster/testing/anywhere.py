"""The API for tests: usable from any event loop, since each call has a connection of its own.

A session-wide cluster is used by tests that run on different loops; a client that keeps connections
belongs to one loop and has to be closed on it. A Unix socket's connection costs microseconds.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cluster.client.api import ApiClient
from cluster.client.interface import Document, Listing, PatchType, WatchEvent
from cluster.objects.resources import Resource


class ApiAnywhere:
    """An `Api` without a session; `address` is what `ApiClient.of` takes."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Document:
        """One object."""
        async with ApiClient.of(self.address) as api:
            return await api.get(resource, name, namespace=namespace)

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing:
        """All objects that match."""
        async with ApiClient.of(self.address) as api:
            return await api.list(
                resource,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
            )

    async def create(self, resource: Resource, document: Document) -> Document:
        """Create in the document's own namespace."""
        async with ApiClient.of(self.address) as api:
            return await api.create(resource, document)

    async def update(
        self, resource: Resource, document: Document, *, subresource: str | None = None
    ) -> Document:
        """Replace."""
        async with ApiClient.of(self.address) as api:
            return await api.update(resource, document, subresource=subresource)

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
    ) -> Document:
        """Change parts."""
        async with ApiClient.of(self.address) as api:
            return await api.patch(
                resource,
                name,
                patch,
                namespace=namespace,
                patch_type=patch_type,
                subresource=subresource,
                field_manager=field_manager,
                force=force,
            )

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Document:
        """Ask for the end of an object."""
        async with ApiClient.of(self.address) as api:
            return await api.delete(
                resource,
                name,
                namespace=namespace,
                grace_seconds=grace_seconds,
                uid=uid,
                propagation=propagation,
            )

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Any request with a JSON answer."""
        async with ApiClient.of(self.address) as api:
            return await api.call(method, path, body=body, query=query, content_type=content_type)

    async def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[WatchEvent]:
        """Events after `resource_version`, until the link ends or the reader leaves."""
        async with ApiClient.of(self.address) as api:
            async for event in api.watch(
                resource,
                resource_version=resource_version,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
            ):
                yield event
