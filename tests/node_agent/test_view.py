"""The node's view: what the informers hold, as one immutable value."""

import asyncio
import contextvars
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.aio.clock import SystemClock
from cluster.aio.tasks import Tasks
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, NODES, PODS, SERVICES
from node_agent.view import ClusterView

IP = "10.244.1.5"
ASKING = contextvars.ContextVar("asking", default="nobody")


def pod_document(name: str = "web", ip: str = IP) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "default", "name": name, "labels": {}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def service_document(name: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "default", "name": name},
        "spec": {"clusterIP": "10.96.0.9", "ports": [{"port": 80}]},
    }


def slice_document(name: str) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "web"}
    return {
        "metadata": {"namespace": "default", "name": name, "labels": labels},
        "endpoints": [{"addresses": [IP]}],
    }


@pytest.fixture
async def view(memory_api: Any) -> AsyncIterator[ClusterView]:
    clock = SystemClock()
    tasks = Tasks(clock)
    empty = empty_view("node-1", "172.30.0.1", NetworkSettings())
    made = ClusterView(memory_api, empty, clock, tasks)
    yield made
    await tasks.close()


async def test_it_is_in_step_once_everything_was_listed(view: ClusterView, memory_api: Any) -> None:
    await memory_api.put(NAMESPACES, {"metadata": {"name": "default"}})
    await memory_api.put(PODS, pod_document())
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    assert view.current.pods.at(IP) is not None


async def test_events_of_one_turn_become_one_view(view: ClusterView, memory_api: Any) -> None:
    seen: list[tuple[NodeView, NodeView]] = []
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    view.subscribe(lambda before, after: seen.append((before, after)))
    for number in range(5):
        await memory_api.put(SERVICES, service_document(f"web-{number}"))
    assert await view.programmed({"services": memory_api.version}, 10)
    assert 1 <= len(seen) <= 5
    assert seen[-1][1] is view.current
    for before, after in itertools.pairwise(seen):
        assert before[1] is after[0]


async def test_what_decisions_do_not_read_is_told_to_nobody(
    view: ClusterView, memory_api: Any
) -> None:
    """Such as a heartbeat: sockets and flows are not looked through for it."""
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    await memory_api.put(SERVICES, service_document("web"))
    assert await view.programmed({"services": memory_api.version}, 10)
    before, seen = view.current, list[NodeView]()
    view.subscribe(lambda _, after: seen.append(after))
    await memory_api.put(SERVICES, service_document("web"))
    assert await view.programmed({"services": memory_api.version}, 10)
    assert view.current is before and seen == []


async def test_pods_are_read_when_somebody_decides(view: ClusterView, memory_api: Any) -> None:
    seen: list[NodeView] = []
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    view.subscribe(lambda _, after: seen.append(after))
    await memory_api.put(PODS, pod_document())
    assert await view.programmed({"pods": memory_api.version}, 10)
    assert seen == []
    assert view.current.pods.at(IP) is not None
    assert seen == [view.current]
    await memory_api.put(PODS, pod_document(), gone=True)
    assert await view.programmed({"pods": memory_api.version}, 10)
    assert view.current.pods.at(IP) is None


async def test_endpoints_make_a_view_at_once_while_somebody_serves_them(
    view: ClusterView, memory_api: Any
) -> None:
    seen: list[NodeView] = []
    serves = False
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    view.subscribe(lambda _, after: seen.append(after), lambda: serves)
    await memory_api.put(ENDPOINT_SLICES, slice_document("one"))
    assert await view.programmed({"endpointslices": memory_api.version}, 10)
    assert seen == []
    serves = True
    await memory_api.put(ENDPOINT_SLICES, slice_document("two"))
    assert await view.programmed({"endpointslices": memory_api.version}, 10)
    assert len(seen) == 1


async def test_programmed_waits_for_a_version_and_gives_up_in_time(
    view: ClusterView, memory_api: Any
) -> None:
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    waiting = asyncio.create_task(view.programmed({"pods": memory_api.version + 1}, 10))
    await asyncio.sleep(0)
    assert not waiting.done()
    await memory_api.put(PODS, pod_document())
    assert await waiting and view.current.pods.at(IP) is not None
    assert not await view.programmed({"pods": memory_api.version + 100}, 0.01)
    assert await view.programmed({"deployments": 10_000}, 10)  # nothing here waits for those


async def test_an_address_is_decided_by_from_the_moment_it_is_given(
    view: ClusterView, memory_api: Any
) -> None:
    """P-21, P-100: before the API has heard of it, and not after it was taken back."""
    await memory_api.put(PODS, {**pod_document(), "status": {"phase": "Pending"}})
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    assert view.current.pods.at(IP) is None
    views: list[NodeView] = []
    view.subscribe(lambda _, after: views.append(after))
    view.attached(IP, "default", "web")
    assert view.current.pods.at(IP) is not None
    view.detached(IP)
    assert view.current.pods.at(IP) is None
    assert views[-1] is view.current and len(views) == 2


async def test_who_carries_a_view_out_does_so_for_the_node_whoever_asked_for_it(
    view: ClusterView, memory_api: Any
) -> None:
    """A pod's program that dials must not be the one that opens the node's ports."""
    seen: list[str] = []
    view.start()
    await asyncio.wait_for(view.synced(), 10)
    view.subscribe(lambda *_: seen.append(ASKING.get()), lambda: False)
    await memory_api.put(ENDPOINT_SLICES, slice_document("web"))
    informer = view.informers[ENDPOINT_SLICES]
    await asyncio.wait_for(informer.wait_for(memory_api.version), 10)
    assert seen == []
    asking = contextvars.copy_context()
    asking.run(ASKING.set, "a pod")
    asking.run(lambda: view.current)
    assert seen == ["nobody"]


async def test_a_flush_without_changes_makes_no_view(view: ClusterView) -> None:
    before = view.current
    view.flush()
    assert view.current is before
    assert set(view.informers) >= {NODES, PODS}
