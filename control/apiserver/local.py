"""The API for the control plane's own parts: calls instead of requests.

The same rules as over HTTP, without sockets and encodings; watches share the store's feeds.
"""

from collections.abc import AsyncIterator
from typing import Any

from cluster.client.interface import Document, Listing, PatchType, WatchEvent
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.apiserver.changes import patch_of, replacement
from control.apiserver.options import DeleteOptions, WriteOptions, labels_of
from control.apiserver.registry import Registry, key_of
from control.apiserver.selection import Selection
from control.resources.kinds import Kind
from control.store.feed import Expired


class LocalApi:
    """An `Api` (`cluster.client.interface`) over the registry, with binding."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Document:
        """One object."""
        kind = self._kind(resource)
        record = self._registry.get(kind, namespace, name)
        await self._registry.store.committed()
        return kind.from_stored(record.document)

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing:
        """All objects that match."""
        kind = self._kind(resource)
        selection = Selection(kind, labels_of(label_selector or ""), field_selector or "")
        records = self._registry.list(kind, namespace, selection)
        version = self._registry.store.version
        await self._registry.store.committed()
        return Listing([kind.from_stored(each.document) for each in records], str(version))

    async def create(self, resource: Resource, document: Document) -> Document:
        """Create."""
        namespace = document["metadata"].get("namespace") if resource.namespaced else None
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **document}
        options = WriteOptions()
        kind = self._kind(resource)
        written = await self._registry.create(kind, namespace, typed, options)
        return kind.from_stored(written.record.document)

    async def update(
        self, resource: Resource, document: Document, *, subresource: str | None = None
    ) -> Document:
        """Replace."""
        metadata, kind = document["metadata"], self._kind(resource)
        written = await self._registry.update(
            kind,
            metadata.get("namespace"),
            metadata["name"],
            replacement(document),
            WriteOptions(),
            subresource=subresource,
        )
        return kind.from_stored(written.record.document)

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
        kind = self._kind(resource)
        where = kind, namespace, name
        given = field_manager or ""
        options = WriteOptions(field_manager=given, manager_given=bool(given), force=bool(force))
        if patch_type is PatchType.APPLY:
            written = await self._registry.apply(*where, patch, options, subresource=subresource)
        else:
            change = patch_of(kind, patch_type, patch)
            written = await self._registry.update(*where, change, options, subresource=subresource)
        return kind.from_stored(written.record.document)

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
        options = DeleteOptions(grace_seconds=grace_seconds, uid=uid, propagation=propagation)
        kind = self._kind(resource)
        written = await self._registry.delete(kind, namespace, name, options)
        return kind.from_stored(written.record.document)

    async def bind(self, namespace: str, name: str, node: str) -> Document:
        """Put a pod on a node."""
        written = await self._registry.bind(namespace, name, node)
        return written.record.document

    async def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[WatchEvent]:
        """Events after `resource_version`."""
        kind = self._kind(resource)
        selection = Selection(kind, labels_of(label_selector or ""), field_selector or "")
        try:
            feed = self._registry.store.feed(key_of(kind))
            watcher = feed.watch(int(resource_version), namespace=namespace, name=selection.name)
        except Expired as error:
            raise statuses.expired(str(error)) from error
        try:
            while changes := await watcher.changes():
                for change in changes:
                    told = selection.told(change)
                    if told is not None:
                        event, record = told
                        yield WatchEvent(event, kind.from_stored(record.document))
        finally:
            watcher.close()

    def _kind(self, resource: Resource) -> Kind:
        kind = self._registry.catalogue.find(resource.group, resource.version, resource.plural)
        if kind is None:
            raise statuses.no_such_path()
        return kind
