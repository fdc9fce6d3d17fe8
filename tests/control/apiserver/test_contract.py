"""One API, reached by calls and over a socket: what works and what is refused is the same."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cluster.client.api import ApiClient
from cluster.client.interface import Api, EventType, PatchType, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, NODES, PODS
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry

HELD = {"finalizers": ["example.com/hold"]}


@pytest.fixture(params=["calls", "socket"])
async def api(
    request: pytest.FixtureRequest, registry: Registry, client: Any, directory: Path
) -> AsyncIterator[Api]:
    """Both ways to the same registry (`client` runs the server)."""
    if request.param == "calls":
        yield LocalApi(registry)
        return
    async with ApiClient.of(f"unix:{directory / 'api.sock'}") as over_http:
        yield over_http


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", **metadata}, "data": {"a": "1"}}


async def refused(work: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        await work
    return caught.value.code, str(caught.value)


async def test_an_object_lives_its_life(api: Api) -> None:
    made = await api.create(CONFIG_MAPS, config_map("one"))
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert await api.get(CONFIG_MAPS, "one", namespace="shop") == made
    replaced = await api.update(CONFIG_MAPS, {**made, "data": {"a": "2"}})
    assert replaced["data"] == {"a": "2"}
    await api.delete(CONFIG_MAPS, "one", namespace="shop", uid=made["metadata"]["uid"])
    assert (await refused(api.get(CONFIG_MAPS, "one", namespace="shop"))) == (
        404,
        'configmaps "one" not found',
    )


async def test_refusals_have_the_same_words(api: Api) -> None:
    old = await api.create(CONFIG_MAPS, config_map("one"))
    await api.update(CONFIG_MAPS, {**old, "data": {}})
    assert (await refused(api.create(CONFIG_MAPS, config_map("one")))) == (
        409,
        'configmaps "one" already exists',
    )
    code, words = await refused(api.update(CONFIG_MAPS, {**old, "data": {"a": "3"}}))
    assert code == 409 and "the object has been modified" in words
    code, words = await refused(api.delete(CONFIG_MAPS, "one", namespace="shop", uid="other"))
    assert code == 409 and "Precondition failed: UID in precondition: other" in words
    code, words = await refused(api.create(CONFIG_MAPS, config_map("No Name")))
    assert code == 422 and words.startswith('ConfigMap "No Name" is invalid: metadata.name')
    nowhere = {"metadata": {"name": "one", "namespace": "nowhere"}}
    assert (await refused(api.create(CONFIG_MAPS, nowhere))) == (
        404,
        'namespaces "nowhere" not found',
    )
    homeless = {"metadata": {"name": "one"}}
    assert (await refused(api.create(CONFIG_MAPS, homeless)))[0] == 400
    apply = api.patch(CONFIG_MAPS, "one", {}, namespace="shop", patch_type=PatchType.APPLY)
    assert (await refused(apply))[0] == 422  # who applies says who it is
    assert (await refused(api.list(CONFIG_MAPS, field_selector="data.a=1")))[0] == 400
    assert (await refused(api.list(CONFIG_MAPS, label_selector="((")))[0] == 400


async def test_each_type_of_patch(api: Api) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    patches: tuple[tuple[PatchType, Any], ...] = (
        (PatchType.MERGE, {"data": {"b": "2"}}),
        (PatchType.STRATEGIC, {"data": {"c": "3"}}),
        (PatchType.JSON, [{"op": "remove", "path": "/data/a"}]),
    )
    for patch_type, patch in patches:
        held = await api.patch(CONFIG_MAPS, "one", patch, namespace="shop", patch_type=patch_type)
    assert held["data"] == {"b": "2", "c": "3"}
    failing = [{"op": "test", "path": "/data/b", "value": "x"}]
    code, _ = await refused(
        api.patch(CONFIG_MAPS, "one", failing, namespace="shop", patch_type=PatchType.JSON)
    )
    assert code == 422


async def test_a_status_is_written_alone(api: Api) -> None:
    made = await api.create(NODES, {"metadata": {"name": "node-1"}})
    told = {**made, "status": {"capacity": {"pods": "110"}}, "spec": {"unschedulable": True}}
    held = await api.update(NODES, told, subresource="status")
    assert held["status"]["capacity"] == {"pods": "110"}
    assert not held.get("spec", {}).get("unschedulable")
    more = {"status": {"phase": "Running"}}
    held = await api.patch(NODES, "node-1", more, subresource="status")
    assert held["status"] == {"capacity": {"pods": "110"}, "phase": "Running"}


async def test_deletions_wait_for_finalizers_and_graces(api: Api) -> None:
    await api.create(CONFIG_MAPS, config_map("one", **HELD))
    await api.delete(CONFIG_MAPS, "one", namespace="shop", propagation="Foreground")
    marked = await api.get(CONFIG_MAPS, "one", namespace="shop")
    assert marked["metadata"]["finalizers"] == [*HELD["finalizers"], "foregroundDeletion"]
    await api.patch(CONFIG_MAPS, "one", {"metadata": {"finalizers": None}}, namespace="shop")
    assert (await refused(api.get(CONFIG_MAPS, "one", namespace="shop")))[0] == 404
    spec = {"nodeName": "node-1", "containers": [{"name": "web", "image": "echo"}]}
    await api.create(PODS, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
    await api.delete(PODS, "web", namespace="shop", grace_seconds=7)
    going = await api.get(PODS, "web", namespace="shop")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 7
    await api.delete(PODS, "web", namespace="shop", grace_seconds=0)
    assert (await refused(api.get(PODS, "web", namespace="shop")))[0] == 404
    await api.delete(NAMESPACES, "shop")
    assert (await api.get(NAMESPACES, "shop"))["status"]["phase"] == "Terminating"


async def test_lists_are_chosen(api: Api) -> None:
    for name, app in (("one", "cart"), ("two", "web")):
        await api.create(CONFIG_MAPS, config_map(name, labels={"app": app}))
    chosen = await api.list(CONFIG_MAPS, namespace="shop", label_selector="app in (cart, x)")
    assert [each["metadata"]["name"] for each in chosen.items] == ["one"]
    chosen = await api.list(CONFIG_MAPS, field_selector="metadata.name=two")
    assert [each["metadata"]["name"] for each in chosen.items] == ["two"]
    assert (await api.list(DEPLOYMENTS)).items == []
    assert all(each["kind"] == "ConfigMap" for each in (await api.list(CONFIG_MAPS)).items)


async def test_a_watch_goes_on_from_a_list(api: Api) -> None:
    await api.create(CONFIG_MAPS, config_map("before", labels={"app": "cart"}))
    since = (await api.list(CONFIG_MAPS)).resource_version
    told: asyncio.Queue[WatchEvent] = asyncio.Queue()

    async def watch() -> None:
        async for event in api.watch(
            CONFIG_MAPS, resource_version=since, namespace="shop", label_selector="app=cart"
        ):
            told.put_nowait(event)

    watching = asyncio.create_task(watch(), name="watch")
    await api.create(CONFIG_MAPS, config_map("one", labels={"app": "cart"}))
    await api.create(CONFIG_MAPS, config_map("other", labels={"app": "web"}))
    for app in ("web", "cart"):
        change = {"metadata": {"labels": {"app": app}}}
        await api.patch(CONFIG_MAPS, "one", change, namespace="shop")
    await api.delete(CONFIG_MAPS, "one", namespace="shop")
    events = [await told.get() for _ in range(4)]
    assert [each.type for each in events] == [
        *(EventType.ADDED, EventType.DELETED, EventType.ADDED, EventType.DELETED),
    ]
    assert {each.document["metadata"]["name"] for each in events} == {"one"}
    versions = [int(each.document["metadata"]["resourceVersion"]) for each in events]
    assert versions == sorted(versions) and versions[0] > int(since)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_watch_from_too_long_ago_is_expired(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.store.feed.CHANGES_KEPT_MAX", 1)
    since = (await api.create(CONFIG_MAPS, config_map("one")))["metadata"]["resourceVersion"]
    for name in ("two", "three"):
        await api.create(CONFIG_MAPS, config_map(name))

    async def watch() -> None:
        async for _ in api.watch(CONFIG_MAPS, resource_version=since):
            raise AssertionError("nothing is told")

    assert (await refused(watch()))[0] == 410


async def test_a_watch_ends_with_the_store(api: Api, registry: Registry) -> None:
    since = (await api.list(CONFIG_MAPS)).resource_version
    await api.create(CONFIG_MAPS, config_map("one"))
    events = api.watch(CONFIG_MAPS, resource_version=since)
    assert (await anext(events)).type == EventType.ADDED
    registry.store.close()
    assert [each async for each in events] == []
