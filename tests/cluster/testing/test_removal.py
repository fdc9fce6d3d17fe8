"""Objects deleted, and waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.client.interface import EventType, Listing, WatchEvent
from cluster.errors import ApiError, ConfigError
from cluster.objects.resources import DEPLOYMENTS, NAMESPACES, PODS, Resource
from cluster.testing.removal import gone, remove, resource_of


class Api:
    """Objects by resource and name; a deletion takes effect when the test says so."""

    def __init__(self) -> None:
        self.there: dict[tuple[str, str | None, str], dict[str, Any]] = {}
        self.deleted: list[tuple[str, str | None, str, str | None]] = []
        self.watched = asyncio.Event()
        self.events: asyncio.Queue[EventType | ApiError] = asyncio.Queue()

    async def call(self, method: str, path: str) -> Any:
        served = {
            "/api/v1": [PODS, NAMESPACES],
            "/apis/apps/v1": [DEPLOYMENTS],
        }
        if path not in served:
            raise ApiError({"code": 404, "reason": "NotFound", "message": "no such path"})
        names = [
            {"name": each.plural + suffix, "kind": each.kind, "namespaced": each.namespaced}
            for each in served[path]
            for suffix in ("/status", "")
        ]
        return {"resources": names}

    async def delete(
        self, resource: Resource, name: str, *, namespace: str | None, propagation: str | None
    ) -> Any:
        self.deleted.append((resource.plural, namespace, name, propagation))
        if (resource.plural, namespace, name) not in self.there:
            raise ApiError({"code": 404, "reason": "NotFound", "message": "not found"})

    async def list(
        self, resource: Resource, *, namespace: str | None, field_selector: str
    ) -> Listing:
        name = field_selector.removeprefix("metadata.name=")
        found = self.there.get((resource.plural, namespace, name))
        return Listing([found] if found else [], "7")

    async def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None,
        field_selector: str,
    ) -> AsyncIterator[WatchEvent]:
        assert resource_version == "7"
        self.watched.set()
        while True:
            event = await self.events.get()
            if isinstance(event, ApiError):
                raise event
            yield WatchEvent(event, {})


@pytest.fixture
def api() -> Any:
    return Api()


def document(kind: str, name: str, api_version: str = "v1", **metadata: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}


async def test_the_last_object_goes_first_with_all_it_owns(api: Any) -> None:
    await remove(
        api,
        [
            document("Namespace", "shop"),
            document("Deployment", "cart", "apps/v1", namespace="shop"),
            document("Pod", "web"),
        ],
    )
    assert api.deleted == [
        ("pods", "default", "web", "Foreground"),
        ("deployments", "shop", "cart", "Foreground"),
        ("namespaces", None, "shop", "Foreground"),
    ]


async def test_an_object_is_waited_for_until_it_is_deleted(api: Any) -> None:
    api.there["pods", "default", "web"] = document("Pod", "web")
    removing = asyncio.ensure_future(remove(api, [document("Pod", "web")]))
    await api.watched.wait()
    api.events.put_nowait(EventType.MODIFIED)
    await asyncio.sleep(0)
    assert not removing.done()
    api.events.put_nowait(EventType.DELETED)
    await asyncio.wait_for(removing, 10)


async def test_a_watch_that_is_too_old_begins_anew(api: Any) -> None:
    api.there["pods", "shop", "web"] = document("Pod", "web")
    waiting = asyncio.ensure_future(gone(api, PODS, "web", namespace="shop"))
    await api.watched.wait()
    api.there.clear()
    api.events.put_nowait(ApiError({"code": 410, "reason": "Expired", "message": "too old"}))
    await asyncio.wait_for(waiting, 10)


async def test_another_refusal_is_not_swallowed(api: Any) -> None:
    api.there["pods", "shop", "web"] = document("Pod", "web")
    api.events.put_nowait(ApiError({"code": 403, "reason": "Forbidden", "message": "no"}))
    with pytest.raises(ApiError, match="no"):
        await gone(api, PODS, "web", namespace="shop")


async def test_a_kind_is_found_by_the_apis_own_listing(api: Any) -> None:
    found = await resource_of(api, "apps/v1", "Deployment")
    assert found == Resource("apps", "v1", "deployments", "Deployment", True)
    with pytest.raises(ConfigError, match="serves no Widget in v1"):
        await resource_of(api, "v1", "Widget")
    with pytest.raises(ConfigError, match=r"no group and version example\.com/v1"):
        await resource_of(api, "example.com/v1", "Widget")
