"""The loop: everything together over an API in memory, and what happens when it refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from control.controllers.bootstrap import bootstrap
from control.controllers.caches import Caches
from control.controllers.controller import ControllerLoop, ControllerManager
from control.controllers.definition import Controller, itself
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key
from control.controllers.writes import Create, LookAgain
from control.scheduler.scheduler import Scheduler

SETTINGS = ControllerSettings(load_balancer_addresses="127.65.0.0/24", ca_certificate="PEM")
TURNS_MAX = 2000


async def until(condition: Callable[[], object]) -> None:
    """Give the loop its turns until something holds; no time passes."""
    for _ in range(TURNS_MAX):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not reached in {TURNS_MAX} turns of the loop")


@pytest.fixture
async def cluster(api: Any, clock: Any, caches: Caches) -> AsyncIterator[Any]:
    manager = ControllerManager(api, clock, SETTINGS, caches=caches)
    scheduler = Scheduler(api, caches, clock)
    running = [asyncio.ensure_future(manager.run()), asyncio.ensure_future(scheduler.run())]
    yield api.store
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def become_ready(store: Any, name: str, ip: str, namespace: str = "default") -> None:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z"}]
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
    store.patch(PODS, name, {"status": status}, namespace, "status")


async def test_from_deployment_to_bound_pods_without_any_timer(cluster: Any, build: Any) -> None:
    """P-80 and the scheduler: the clock stands still all the while."""
    for number in (1, 2, 3):
        cluster.create(NODES, build.node(f"node-{number}", internal_ip=f"172.30.0.{number}"))
    cluster.create(DEPLOYMENTS, build.deployment("web", replicas=30))
    await until(lambda: len(cluster.all(PODS)) == 30)
    await until(lambda: all(pod["spec"].get("nodeName") for pod in cluster.all(PODS)))
    nodes = [pod["spec"]["nodeName"] for pod in cluster.all(PODS)]
    assert {nodes.count(f"node-{number}") for number in (1, 2, 3)} == {10}
    assert len(cluster.all(REPLICA_SETS)) == 1
    for number, pod in enumerate(cluster.all(PODS)):
        become_ready(cluster, pod["metadata"]["name"], f"10.244.1.{number + 2}")

    def available() -> bool:
        status = cluster.get(DEPLOYMENTS, "web", "default")["status"]
        return bool(status.get("availableReplicas") == 30)

    await until(available)


async def test_watches_that_lag_make_no_second_pod(
    api: Any, clock: Any, caches: Caches, build: Any
) -> None:
    """The ReplicaSet sees what it made itself, however late the watch is."""
    for informer in caches._informers.values():
        informer.lag = 50  # type: ignore[attr-defined]
    manager = ControllerManager(api, clock, SETTINGS, caches=caches)
    running = asyncio.ensure_future(manager.run())
    api.store.create(REPLICA_SETS, build.replica_set("web", replicas=20))
    for _ in range(1000):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    created = [call for call in api.calls if call[:2] == ("create", "pods")]
    assert len(created) == 20


async def test_a_rolling_update_never_has_too_few_ready_pods(cluster: Any, build: Any) -> None:
    """P-82, with everything running at once."""
    cluster.create(NODES, build.node("node-1"))
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    cluster.create(DEPLOYMENTS, build.deployment("web", replicas=3, strategy=strategy))
    seen: list[tuple[int, int]] = []

    def kubelet(resource: Any, old: Any, new: Any) -> None:
        pods = [p for p in cluster.all(PODS) if not p["metadata"].get("deletionTimestamp")]
        ready = [p for p in pods if p["status"].get("conditions")]
        seen.append((len(ready), len(pods)))

    def work() -> bool:
        for pod in cluster.all(PODS):
            name = pod["metadata"]["name"]
            if pod["metadata"].get("deletionTimestamp"):
                cluster.delete(PODS, name, "default", grace_seconds=0)
            elif pod["spec"].get("nodeName") and not pod["status"].get("conditions"):
                become_ready(cluster, name, "10.244.1.9")
        status = cluster.get(DEPLOYMENTS, "web", "default")["status"]
        images = {pod["spec"]["containers"][0]["image"] for pod in cluster.all(PODS)}
        return status.get("availableReplicas") == 3 and images == wished

    wished = {"echo:1"}
    await until(work)
    cluster.listeners.append(kubelet)
    wished = {"echo:2"}
    template = {"spec": {"containers": [{"name": "main", "image": "echo:2"}]}}
    cluster.patch(DEPLOYMENTS, "web", {"spec": {"template": template}}, "default")
    await until(work)
    assert min(ready for ready, _ in seen) >= 3
    assert max(total for _, total in seen) <= 4


async def test_a_service_gets_slices_and_an_address(cluster: Any, build: Any) -> None:
    cluster.create(NODES, build.node("node-1"))
    cluster.create(SERVICES, build.service("web", selector={"app": "web"}, type="LoadBalancer"))
    cluster.create(PODS, build.pod("a", ip="10.244.1.2", labels={"app": "web"}))
    await until(lambda: any(s["endpoints"] for s in cluster.all(ENDPOINT_SLICES)))
    status = lambda: cluster.get(SERVICES, "web", "default")["status"]["loadBalancer"]  # noqa: E731
    await until(status)
    assert status()["ingress"][0]["ip"] == "127.65.0.1"
    reasons = lambda: {event["reason"] for event in cluster.all(EVENTS)}  # noqa: E731
    await until(lambda: {"EnsuringLoadBalancer", "EnsuredLoadBalancer"} <= reasons())


async def test_the_first_objects_come_to_life(cluster: Any, api: Any, build: Any) -> None:
    """S-21, and the DNS pods spread over the nodes that are there."""
    for number in (1, 2):
        cluster.create(NODES, build.node(f"node-{number}"))
    await bootstrap(api, SETTINGS)

    def bound() -> bool:
        pods = cluster.all(PODS, "kube-system")
        return {pod["spec"].get("nodeName") for pod in pods} == {"node-1", "node-2"}

    await until(bound)


async def test_a_deleted_namespace_is_emptied_and_goes(
    cluster: Any, clock: Any, build: Any
) -> None:
    """kube_api section 6."""
    cluster.create(NAMESPACES, {"metadata": {"name": "shop"}})
    cluster.create(DEPLOYMENTS, build.deployment("web", namespace="shop"))
    await until(lambda: len(cluster.all(PODS, "shop")) == 3)
    cluster.delete(NAMESPACES, "shop")

    def gone() -> bool:
        clock.advance(0.1)
        return not cluster.all(NAMESPACES)

    await until(gone)
    assert [key for key in cluster.objects if key.namespace == "shop"] == []


async def test_a_conflict_is_tried_again(api: Any, clock: Any, caches: Caches, build: Any) -> None:
    conflicts = iter([True, True, False])

    def refuse(verb: str, resource: Any, name: str) -> ApiError | None:
        if verb == "create" and resource == PODS and next(conflicts, False):
            return ApiError({"code": 409, "reason": "Conflict", "message": "modified"})
        return None

    api.refuse = refuse
    manager = ControllerManager(api, clock, SETTINGS, caches=caches)
    running = asyncio.ensure_future(manager.run())
    api.store.create(REPLICA_SETS, build.replica_set("web", replicas=1))

    def made() -> bool:
        clock.advance(0.005)
        return len(api.store.all(PODS)) == 1

    await until(made)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_fault_of_our_own_costs_one_look_not_the_controller(
    clock: Any, caches: Caches, store: Any, build: Any, caplog: Any
) -> None:
    looks: list[str] = []

    def reconcile(view: Any, key: Key) -> tuple[()]:
        looks.append(key.name)
        if looks.count(key.name) == 1 and key.name == "bad":
            raise ValueError("a bug")
        return ()

    row = Controller(name="buggy", reconcile=reconcile, watches={PODS: itself(PODS)}, workers=1)

    class Carrying:
        async def carry(self, plan: Any) -> None:
            return None

    loop = ControllerLoop(row, caches, Carrying(), clock=clock)  # type: ignore[arg-type]
    loop.start()
    loop.changed(PODS, None, build.pod("bad"))
    loop.changed(PODS, None, build.pod("good"))

    def again() -> bool:
        clock.advance(0.05)
        return looks.count("bad") == 2 and "good" in looks

    await until(again)
    await loop.close()
    assert "a bug" in caplog.text


async def test_a_date_brings_the_key_back(clock: Any, caches: Caches, build: Any) -> None:
    looks: list[float] = []

    def reconcile(view: Any, key: Key) -> list[LookAgain]:
        looks.append(view.monotonic)
        return [LookAgain(30.0)] if len(looks) == 1 else []

    class Carrying:
        async def carry(self, plan: Any) -> float | None:
            return plan[0].seconds if plan else None

    row = Controller(name="dated", reconcile=reconcile, watches={PODS: itself(PODS)})
    loop = ControllerLoop(row, caches, Carrying(), clock=clock)  # type: ignore[arg-type]
    loop.start()
    loop.changed(PODS, None, build.pod("a"))
    await until(lambda: len(looks) == 1)
    await asyncio.sleep(0)
    clock.advance(29.0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(looks) == 1
    clock.advance(1.0)
    await until(lambda: len(looks) == 2)
    await loop.close()


def test_a_write_is_a_value() -> None:
    assert Create(PODS, {"metadata": {"name": "a"}}) == Create(PODS, {"metadata": {"name": "a"}})


async def test_what_could_not_be_made_is_not_counted(
    api: Any, clock: Any, caches: Caches, build: Any
) -> None:
    """The set's status says how many pods there are, and why no more."""
    room = iter([True])

    def refuse(verb: str, resource: Any, name: str) -> ApiError | None:
        if verb == "create" and resource == PODS and not next(room, False):
            return ApiError({"code": 403, "reason": "Forbidden", "message": "exceeded quota"})
        return None

    api.refuse = refuse
    manager = ControllerManager(api, clock, SETTINGS, caches=caches)
    running = asyncio.ensure_future(manager.run())
    api.store.create(REPLICA_SETS, build.replica_set("web", replicas=2))

    def told() -> bool:
        status = api.store.get(REPLICA_SETS, "web", "default")["status"]
        return bool(status.get("conditions")) and status.get("replicas") == 1

    await until(told)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
