"""The queue and the binding, over an API in memory; no time passes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.errors import ApiError, ClusterError
from cluster.objects.resources import EVENTS, NODES, PODS, VOLUME_CLAIMS
from control.controllers.caches import Caches
from control.controllers.conditions import condition_of
from control.scheduler.scheduler import RETRY_SECONDS, Scheduler, pending
from control.store.store import StoreFailed

TURNS_MAX = 1000


async def until(condition: Callable[[], object]) -> None:
    for _ in range(TURNS_MAX):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not reached in {TURNS_MAX} turns of the loop")


async def quiet() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def scheduling(api: Any, caches: Caches, clock: Any) -> AsyncIterator[Any]:
    scheduler = Scheduler(api, caches, clock)
    running = [asyncio.ensure_future(each.run()) for each in (caches, scheduler)]
    await caches.synced()
    yield api.store
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def waiting(build: Any, name: str, **more: Any) -> Any:
    return build.pod(name, node=None, ready=None, phase="Pending", **more)


def nodes_of(store: Any) -> dict[str, Any]:
    return {pod["metadata"]["name"]: pod["spec"].get("nodeName") for pod in store.all(PODS)}


async def test_a_hundred_pods_are_bound_in_one_go(scheduling: Any, api: Any, build: Any) -> None:
    for number in range(4):
        scheduling.create(NODES, build.node(f"node-{number}"))
    await quiet()
    for number in range(100):
        scheduling.create(PODS, waiting(build, f"p{number}"))
    await until(lambda: all(nodes_of(scheduling).values()))
    bound = [call for call in api.calls if call[0] == "bind"]
    assert len(bound) == 100  # each once
    counts = list(nodes_of(scheduling).values())
    assert {counts.count(f"node-{number}") for number in range(4)} == {25}


async def test_binding_is_told(scheduling: Any, build: Any) -> None:
    scheduling.create(NODES, build.node("node-1"))
    scheduling.create(PODS, waiting(build, "a"))
    await until(lambda: scheduling.all(EVENTS))
    [event] = scheduling.all(EVENTS)
    assert (event["reason"], event["message"]) == (
        "Scheduled",
        "Successfully assigned default/a to node-1",
    )
    assert event["source"]["component"] == "default-scheduler"


async def test_what_no_node_takes_says_why_once(scheduling: Any, build: Any) -> None:
    """P-32: condition and event, not repeated while the reason stays."""
    scheduling.create(NODES, build.node("node-1", unschedulable=True))
    scheduling.create(PODS, waiting(build, "a"))
    await until(lambda: scheduling.all(EVENTS))
    held = condition_of(scheduling.get(PODS, "a", "default"), "PodScheduled")
    assert held is not None
    message = "0/1 nodes are available: 1 node(s) were unschedulable."
    assert (held["status"], held["reason"], held["message"]) == ("False", "Unschedulable", message)
    scheduling.patch(NODES, "node-1", {"metadata": {"labels": {"x": "y"}}})
    await quiet()
    [event] = scheduling.all(EVENTS)
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "FailedScheduling", 1)


async def test_a_node_that_becomes_ready_takes_who_waits(scheduling: Any, build: Any) -> None:
    """P-68, P-74."""
    scheduling.create(NODES, build.node("node-1", ready="False"))
    scheduling.create(PODS, waiting(build, "a"))
    await quiet()
    assert nodes_of(scheduling) == {"a": None}
    conditions = [{"type": "Ready", "status": "True"}]
    scheduling.patch(NODES, "node-1", {"status": {"conditions": conditions}}, None, "status")
    await until(lambda: nodes_of(scheduling)["a"] == "node-1")


async def test_a_pod_that_goes_makes_room(scheduling: Any, build: Any) -> None:
    """P-32."""
    ports = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    scheduling.create(NODES, build.node("node-1"))
    scheduling.create(PODS, build.pod("holder", containers=ports))
    scheduling.create(PODS, waiting(build, "next", containers=ports))
    await quiet()
    assert nodes_of(scheduling)["next"] is None
    scheduling.delete(PODS, "holder", "default", grace_seconds=0)
    await until(lambda: nodes_of(scheduling)["next"] == "node-1")


async def test_a_heartbeat_does_not_wake_the_scheduler(
    scheduling: Any, api: Any, build: Any
) -> None:
    scheduling.create(NODES, build.node("node-1", unschedulable=True))
    scheduling.create(PODS, waiting(build, "a"))
    await quiet()
    calls = len(api.calls)
    node = scheduling.get(NODES, "node-1")
    conditions = [{**c, "lastHeartbeatTime": "later"} for c in node["status"]["conditions"]]
    scheduling.patch(NODES, "node-1", {"status": {"conditions": conditions}}, None, "status")
    await quiet()
    assert len(api.calls) == calls


async def test_a_binding_on_its_way_is_counted_and_not_made_twice(
    scheduling: Any, api: Any, caches: Caches, build: Any
) -> None:
    """P-45: also when the API's answer does not show the pod."""
    gate = asyncio.Event()
    real = api.bind

    async def slow(namespace: str, name: str, node: str) -> dict[str, Any]:
        await gate.wait()
        await real(namespace, name, node)
        return {"kind": "Status"}

    api.bind = slow
    ports = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    scheduling.create(NODES, build.node("node-1"))
    scheduling.create(PODS, waiting(build, "a", containers=ports))
    await quiet()
    scheduling.create(PODS, waiting(build, "b", containers=ports))
    scheduling.create(NODES, build.node("node-2", labels={"x": "y"}))
    await quiet()
    gate.set()
    await until(lambda: all(nodes_of(scheduling).values()))
    await quiet()
    assert set(nodes_of(scheduling).values()) == {"node-1", "node-2"}
    assert [call[2] for call in api.calls if call[0] == "bind"] == ["a", "b"]


@pytest.mark.parametrize(
    "error",
    [
        ApiError({"code": 500, "reason": "InternalError", "message": "no"}),
        StoreFailed("the store cannot be written: disk full"),
    ],
    ids=repr,
)
async def test_a_refused_binding_is_tried_again(
    scheduling: Any, api: Any, clock: Any, build: Any, error: ClusterError
) -> None:
    real, errors = api.bind, iter([error])

    async def refused_once(*given: str) -> Any:
        for each in errors:
            raise each
        return await real(*given)

    api.bind = refused_once
    scheduling.create(NODES, build.node("node-1"))
    scheduling.create(PODS, waiting(build, "a"))
    await quiet()
    assert nodes_of(scheduling) == {"a": None}
    clock.advance(RETRY_SECONDS)
    await until(lambda: nodes_of(scheduling)["a"] == "node-1")


def test_who_waits_for_this_scheduler(build: Any) -> None:
    assert pending(waiting(build, "a"))
    assert not pending(build.pod("bound"))
    assert not pending(waiting(build, "other", spec={"schedulerName": "mine"}))
    assert not pending(waiting(build, "gated", spec={"schedulingGates": [{"name": "x"}]}))
    assert not pending(waiting(build, "going", deletionTimestamp=build.stamp()))


async def test_a_pod_that_has_finished_takes_nothing(scheduling: Any, build: Any) -> None:
    scheduling.create(PODS, build.pod("done", phase="Succeeded"))
    for name in ("node-1", "node-2"):
        scheduling.create(NODES, build.node(name))
    scheduling.create(PODS, waiting(build, "next"))
    await until(lambda: nodes_of(scheduling)["next"])
    assert nodes_of(scheduling)["next"] == "node-1"


async def test_a_place_that_becomes_free_is_taken(scheduling: Any, build: Any) -> None:
    """P-32: the pod that waited for the host port gets it when its holder is gone."""
    ports = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    scheduling.create(NODES, build.node("node-1"))
    scheduling.create(PODS, waiting(build, "first", containers=ports))
    await until(lambda: nodes_of(scheduling)["first"])
    scheduling.create(PODS, waiting(build, "second", containers=ports))
    await quiet()
    assert nodes_of(scheduling)["second"] is None
    scheduling.delete(PODS, "first", "default", grace_seconds=0)
    await until(lambda: nodes_of(scheduling)["second"])


async def test_a_pod_is_placed_once_its_claim_is_bound(scheduling: Any, build: Any) -> None:
    scheduling.create(NODES, build.node("node-1"))
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    scheduling.create(PODS, waiting(build, "a", spec={"volumes": [volume]}))
    await until(lambda: scheduling.all(EVENTS))
    [event] = scheduling.all(EVENTS)
    words = '0/1 nodes are available: persistentvolumeclaim "data" not found.'
    assert (event["reason"], event["message"]) == ("FailedScheduling", words)
    claim = {"metadata": {"name": "data", "namespace": "default"}, "spec": {"volumeName": "v"}}
    scheduling.create(VOLUME_CLAIMS, claim)
    await until(lambda: nodes_of(scheduling)["a"])


async def test_pods_that_want_no_neighbours_get_none(scheduling: Any, build: Any) -> None:
    labels = {"kubernetes.io/hostname": "node-1"}
    scheduling.create(NODES, build.node("node-1", labels=labels))
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    for name in ("a", "b"):
        pod = waiting(build, name, labels={"app": "web"}, spec={"affinity": rule})
        scheduling.create(PODS, pod)
    await until(lambda: len(scheduling.all(EVENTS)) == 2)
    assert sorted(map(str, nodes_of(scheduling).values())) == ["None", "node-1"]
    [refused] = [e for e in scheduling.all(EVENTS) if e["reason"] == "FailedScheduling"]
    words = "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."
    assert refused["message"] == words
