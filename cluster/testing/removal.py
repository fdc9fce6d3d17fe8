"""Deletes objects and waits until they, and all they own, are gone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from cluster.client.interface import Api, Document, EventType
from cluster.errors import ApiError, ConfigError
from cluster.objects.resources import Resource

NOT_FOUND, EXPIRED = 404, 410
NAMESPACE_DEFAULT = "default"


class CallableApi(Api, Protocol):
    """An `Api` that also takes any path: discovery is asked for kinds."""

    async def call(self, method: str, path: str) -> Any: ...


async def remove(api: CallableApi, documents: Iterable[Document]) -> None:
    """Delete each, the last one first; what is not there is fine.

    Foreground: an owner stays until the garbage collector has deleted its dependents, so that its
    end is the end of its pods too.
    """
    asked = []
    for document in reversed(list(documents)):
        resource = await resource_of(api, document["apiVersion"], document["kind"])
        metadata = document["metadata"]
        namespace = metadata.get("namespace", NAMESPACE_DEFAULT) if resource.namespaced else None
        with _passing(NOT_FOUND):
            await api.delete(
                resource, metadata["name"], namespace=namespace, propagation="Foreground"
            )
            asked.append((resource, metadata["name"], namespace))
    for resource, name, namespace in asked:
        await gone(api, resource, name, namespace=namespace)


async def gone(api: Api, resource: Resource, name: str, *, namespace: str | None = None) -> None:
    """Wait until an object does not exist."""
    selector = f"metadata.name={name}"
    while True:
        there = await api.list(resource, namespace=namespace, field_selector=selector)
        if not there.items:
            return
        events = api.watch(
            resource,
            resource_version=there.resource_version,
            namespace=namespace,
            field_selector=selector,
        )
        with _passing(EXPIRED):  # watched from too long ago: list again
            async for event in events:
                if event.type is EventType.DELETED:
                    return


async def resource_of(api: CallableApi, api_version: str, kind: str) -> Resource:
    """The resource of a kind; ConfigError when the API does not serve it."""
    group, _, version = api_version.rpartition("/")
    path = f"/apis/{api_version}" if group else f"/api/{version}"
    try:
        listing = await api.call("GET", path)
    except ApiError as error:
        if error.code != NOT_FOUND:
            raise
        raise ConfigError(f"this API serves no group and version {api_version}") from error
    for each in listing["resources"]:
        if each["kind"] == kind and "/" not in each["name"]:
            return Resource(group, version, each["name"], kind, each["namespaced"])
    raise ConfigError(f"this API serves no {kind} in {api_version}")


@contextmanager
def _passing(code: int) -> Iterator[None]:
    """Let a refusal of one code pass."""
    try:
        yield
    except ApiError as error:
        if error.code != code:
            raise
