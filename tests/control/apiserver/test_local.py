"""The API as the control plane's own parts call it."""

from typing import Any

import pytest

from cluster.client.interface import EventType
from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, NODES, PODS, Resource
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry


@pytest.fixture
def api(registry: Registry) -> LocalApi:
    return LocalApi(registry)


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "labels": labels}, "data": {"a": "1"}}


async def test_objects_are_created_read_changed_and_deleted(api: LocalApi) -> None:
    made = await api.create(CONFIG_MAPS, config_map("one"))
    assert made["kind"] == "ConfigMap"
    assert await api.get(CONFIG_MAPS, "one", namespace="shop") == made
    updated = await api.update(CONFIG_MAPS, {**made, "data": {"a": "2"}})
    assert updated["data"] == {"a": "2"}
    patched = await api.patch(CONFIG_MAPS, "one", {"data": {"b": "3"}}, namespace="shop")
    assert patched["data"] == {"a": "2", "b": "3"}
    await api.delete(CONFIG_MAPS, "one", namespace="shop", uid=made["metadata"]["uid"])
    with pytest.raises(ApiError, match="not found"):
        await api.get(CONFIG_MAPS, "one", namespace="shop")


async def test_a_list_is_chosen_by_labels_and_fields(api: LocalApi) -> None:
    for name in ("one", "two"):
        await api.create(CONFIG_MAPS, config_map(name, app=name))
    chosen = await api.list(CONFIG_MAPS, namespace="shop", label_selector="app=one")
    assert [each["metadata"]["name"] for each in chosen.items] == ["one"]
    chosen = await api.list(CONFIG_MAPS, field_selector="metadata.name=two")
    assert [each["metadata"]["name"] for each in chosen.items] == ["two"]


async def test_cluster_wide_objects_have_no_namespace(api: LocalApi) -> None:
    made = await api.create(NODES, {"metadata": {"name": "node-1", "namespace": "shop"}})
    assert "namespace" not in made["metadata"]


async def test_an_object_of_a_namespace_names_it(api: LocalApi) -> None:
    with pytest.raises(ApiError, match="an empty namespace may not be set") as caught:
        await api.create(CONFIG_MAPS, {"metadata": {"name": "one"}})
    assert caught.value.code == 400


async def test_a_pod_is_bound(api: LocalApi) -> None:
    spec = {"containers": [{"name": "web", "image": "nginx"}]}
    await api.create(PODS, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
    assert (await api.bind("shop", "web", "node-1"))["spec"]["nodeName"] == "node-1"
    status = {"status": {"phase": "Running"}}
    told = await api.patch(PODS, "web", status, namespace="shop", subresource="status")
    assert told["status"]["phase"] == "Running"


async def test_a_watch_tells_what_its_selection_sees(api: LocalApi) -> None:
    version = (await api.list(CONFIG_MAPS)).resource_version
    events = api.watch(CONFIG_MAPS, resource_version=version, label_selector="app=cart")
    await api.create(CONFIG_MAPS, config_map("one", app="cart"))
    await api.create(CONFIG_MAPS, config_map("other", app="web"))
    first = await anext(events)
    assert (first.type, first.document["metadata"]["name"]) == (EventType.ADDED, "one")
    away = {"metadata": {"labels": {"app": "web"}}}
    await api.patch(CONFIG_MAPS, "one", away, namespace="shop")
    second = await anext(events)
    assert second.type == EventType.DELETED
    assert second.document["metadata"]["labels"] == {"app": "cart"}
    await events.aclose()


async def test_a_version_that_is_forgotten_is_expired(api: LocalApi) -> None:
    with pytest.raises(ApiError) as caught:
        await anext(api.watch(CONFIG_MAPS, resource_version="0"))
    assert caught.value.code == 410


async def test_a_resource_that_is_not_served_is_not_found(api: LocalApi) -> None:
    nothing = Resource("example.com", "v1", "things", "Thing")
    with pytest.raises(ApiError) as caught:
        await api.get(nothing, "one")
    assert caught.value.code == 404
