"""The API for tests, on whatever loop they run."""

import asyncio
from typing import Any

import pytest

from cluster.client.interface import EventType, PatchType
from cluster.objects.resources import PODS
from cluster.testing.anywhere import ApiAnywhere

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
PATH = "/api/v1/namespaces/shop/pods"


@pytest.fixture
def api(machine: Any) -> ApiAnywhere:
    machine.api.answers[f"{PATH}/web"] = POD
    return ApiAnywhere(f"unix:{machine.run_dir / 'control.sock'}")


async def test_each_verb_is_the_apis_own(api: ApiAnywhere, machine: Any) -> None:
    assert (await api.get(PODS, "web", namespace="shop"))["metadata"]["name"] == "web"
    listing = await api.list(PODS, namespace="shop", label_selector="app=web")
    assert listing.resource_version == "7"
    await api.create(PODS, POD)
    await api.update(PODS, POD, subresource="status")
    await api.patch(
        PODS, "web", {"a": 1}, namespace="shop", patch_type=PatchType.STRATEGIC, field_manager="me"
    )
    await api.delete(PODS, "web", namespace="shop", grace_seconds=0, propagation="Foreground")
    await api.call("POST", "/anything", body=[1], query={"q": "1"})
    asked = [(method, path) for method, path, _ in machine.api.asked]
    assert asked[:3] == [
        ("GET", f"{PATH}/web"),
        ("GET", f"{PATH}?labelSelector=app%3Dweb"),
        ("POST", PATH),
    ]
    assert asked[3:5] == [
        ("PUT", f"{PATH}/web/status"),
        ("PATCH", f"{PATH}/web?fieldManager=me"),
    ]
    assert asked[5][0] == "DELETE" and asked[6] == ("POST", "/anything?q=1")
    assert machine.api.asked[4][2] == {"a": 1} and machine.api.asked[6][2] == [1]
    assert "Foreground" in str(machine.api.asked[5])


async def test_a_watch_may_be_left_in_the_middle(api: ApiAnywhere) -> None:
    events = api.watch(PODS, resource_version="7", namespace="shop")
    async for event in events:
        assert event.type is EventType.ADDED
        break
    await events.aclose()  # type: ignore[attr-defined]


async def test_it_is_the_same_on_another_loop(api: ApiAnywhere) -> None:
    """A session-wide cluster is used from the loops of many tests."""
    here = await api.get(PODS, "web", namespace="shop")
    there = await asyncio.to_thread(asyncio.run, api.get(PODS, "web", namespace="shop"))
    assert here == there
