"""An operator: handlers of creation, change, deletion and a timer, with finalizers, by kopf."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import kopf
from kubernetes_asyncio import client, config, watch

kubeconfig, namespace, group = sys.argv[1:]
handled: dict[str, asyncio.Event] = {}


def happened(what: str) -> asyncio.Event:
    return handled.setdefault(what, asyncio.Event())


@kopf.on.startup()
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = True


@kopf.on.login()
def login(**kwargs: Any) -> Any:
    return kopf.login_with_kubeconfig(**kwargs)


@kopf.on.create(group, "v1", "shelves")
async def created(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> dict[str, Any]:
    patch.status["seen"] = spec["capacity"]
    happened("created").set()
    return {"capacity": spec["capacity"]}


@kopf.on.update(group, "v1", "shelves")
async def updated(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    patch.status["seen"] = spec["capacity"]
    happened("updated").set()


@kopf.on.delete(group, "v1", "shelves")
async def deleted(**_: Any) -> None:
    happened("deleted").set()


@kopf.timer(group, "v1", "shelves", interval=0.2)
async def ticked(**_: Any) -> None:
    happened("ticked").set()


async def watched(api: client.CustomObjectsApi, until: Callable[[str, Any], bool]) -> Any:
    """The shelf of the first event that will do."""
    where = group, "v1", namespace, "shelves"
    async with watch.Watch() as watching:
        listed = api.list_namespaced_custom_object
        async for event in watching.stream(listed, *where, timeout_seconds=60):
            if until(event["type"], event["object"]):
                return event["object"]
    raise AssertionError("it did not happen in time")


async def seen(api: client.CustomObjectsApi, capacity: int) -> None:
    """Until the status says so."""
    shelf = await watched(api, lambda _, shelf: shelf.get("status", {}).get("seen") == capacity)
    assert shelf["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]


async def drive(ready: asyncio.Event, stop: asyncio.Event) -> None:
    await ready.wait()
    await config.load_kube_config(kubeconfig)
    async with client.ApiClient() as connection:
        api = client.CustomObjectsApi(connection)
        shelf = {
            "apiVersion": f"{group}/v1",
            "kind": "Shelf",
            "metadata": {"name": "one"},
            "spec": {"capacity": 3},
        }
        where = group, "v1", namespace, "shelves"
        await api.create_namespaced_custom_object(*where, shelf)
        await happened("created").wait()
        await seen(api, 3)
        await happened("ticked").wait()
        await api.patch_namespaced_custom_object(
            *where, "one", {"spec": {"capacity": 4}}, _content_type="application/merge-patch+json"
        )
        await happened("updated").wait()
        await seen(api, 4)
        going = asyncio.create_task(watched(api, lambda kind, _: kind == "DELETED"))
        await api.delete_namespaced_custom_object(*where, "one")
        await happened("deleted").wait()
        await going
    stop.set()


async def main() -> None:
    ready, stop = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(60):
        await asyncio.gather(
            kopf.operator(
                namespaces=[namespace], ready_flag=ready, stop_flag=stop, standalone=True
            ),
            drive(ready, stop),
        )


asyncio.run(main())
