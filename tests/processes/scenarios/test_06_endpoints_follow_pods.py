"""Scenario 6: scaling, deleting and failing readiness change the endpoints; traffic follows."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.objects.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    PODS,
    SERVICES,
)
from cluster.testing.kubectl import KUBECTL_DIR
from cluster.traffic.unreached import Unreached

PORT = 8080
SERVICE_NAME = "kubernetes.io/service-name"


def kubectls() -> list[str | None]:
    """The oldest and the newest that are there; None is the one that is found anyway."""
    directory = os.environ.get(KUBECTL_DIR, "")
    found = sorted(
        (path.parent.name for path in Path(directory).glob("*/kubectl")) if directory else (),
        key=lambda version: [int(part) for part in version.split(".")],
    )
    return [found[0], found[-1]] if found else [None]


@pytest.mark.parametrize("version", kubectls())
async def test_describe_lists_the_ready_endpoints(shop: Any, version: str | None) -> None:
    """The addresses of the ready pods, each with the target port (S-17, S-140)."""
    ran = await shop.cluster.kubectl("describe", "service", "cart", "-n", "shop", version=version)
    (line,) = re.findall(r"^Endpoints:\s+(\S+)$", ran.stdout, re.MULTILINE)
    listed = sorted(line.split(","))
    assert listed == sorted(f"{pod.ip}:{PORT}" for pod in await shop.pods("cart"))
    assert re.search(r"^TargetPort:\s+http/TCP$", ran.stdout, re.MULTILINE)


async def test_what_a_slice_says_of_its_endpoints(shop: Any) -> None:
    """S-133, S-134, S-140, S-142, S-147."""
    service = await shop.document(SERVICES, "cart")
    (found,) = await _slices(shop, "cart")
    metadata = found["metadata"]
    assert re.fullmatch(r"cart-[a-z0-9]{5}", metadata["name"])
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "Service",
        service["metadata"]["uid"],
        True,
    )
    managed = metadata["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert managed == "endpointslice-controller.k8s.io"
    pods = {pod.name: pod for pod in await shop.pods("cart")}
    assert len(found["endpoints"]) == len(pods)
    for endpoint in found["endpoints"]:
        pod = pods[endpoint["targetRef"]["name"]]
        assert endpoint["addresses"] == [pod.ip] and endpoint["nodeName"] == pod.node
        assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
    (subset,) = (await shop.document(ENDPOINTS, "cart"))["subsets"]
    assert {each["ip"] for each in subset["addresses"]} == {pod.ip for pod in pods.values()}


async def test_scaling_changes_the_endpoints_and_traffic_follows(shop: Any) -> None:
    """P-86, S-64: three are reached where three are; a pod that is scaled away no more."""
    async with _asking(shop, "http://cart/") as met:
        await shop.cluster.kubectl("scale", "deployment", "cart", "-n", "shop", "--replicas=3")
        await shop.cluster.settled()
        three = {pod.name: pod for pod in await shop.pods("cart")}
        assert len(three) == 3
        assert await shop.endpoints("cart") == sorted(f"{p.ip}:{PORT}" for p in three.values())
        assert await _served_by(shop, 3) == set(three)
        await shop.cluster.kubectl("scale", "deployment", "cart", "-n", "shop", "--replicas=2")
        await shop.until(PODS, lambda found: _count(found, "cart") == 2)
        await shop.cluster.settled()
    two = {pod.name for pod in await shop.pods("cart")}
    assert two < set(three)
    assert await _served_by(shop, 2) == two
    assert met["answered"] > 0
    assert not set(met) - {"answered", "refused", "reset"}, f"a real cluster shows no {met}"


async def test_a_deleted_pod_is_replaced_and_its_address_is_released(shop: Any) -> None:
    """P-8, P-10, P-22, P-64, S-130, O-25: who asks the address hears nothing."""
    victim = await shop.pod("cart")
    await shop.cluster.kubectl("delete", "pod", victim.name, "-n", "shop")
    await shop.cluster.settled()
    carts = await shop.pods("cart")
    assert len(carts) == 2
    assert victim.ip not in {pod.ip for pod in carts}, "a freed address is not the next one"
    assert await shop.endpoints("cart") == sorted(f"{pod.ip}:{PORT}" for pod in carts)
    failure = await shop.failure(f"http://{victim.ip}:{PORT}/", "pod/visitor-1")
    assert failure.kind == "timeout"
    assert failure.trace.code in ("UNKNOWN_L3_TARGET_ADDRESS", "STALE_OR_UNROUTABLE_IP")
    assert await _served_by(shop, 2) == {pod.name for pod in carts}


async def test_a_pod_that_fails_its_readiness_probe_runs_on_without_traffic(shop: Any) -> None:
    """P-51, P-55, S-143, P-151."""
    victim = await shop.pod("cart")
    url = f"http://{victim.ip}:{PORT}"
    await shop.curl(f"{url}/drain", f"node/{victim.node}", method="POST")
    await shop.until(ENDPOINT_SLICES, lambda found: _ready_in(found, victim.ip) is False)
    await shop.until(PODS, lambda found: any(map(_is_unready(victim.name), found)))
    try:
        assert f"{victim.ip}:{PORT}" not in await shop.endpoints("cart")
        (other,) = await shop.pods("cart")
        await shop.programmed()
        assert await _served_by(shop, 1) == {other.name}
        assert (await shop.curl(url, f"node/{victim.node}")).status == 200
        status = (await shop.document(PODS, victim.name))["status"]
        assert [each["restartCount"] for each in status["containerStatuses"]] == [0]
        told = await shop.until(EVENTS, lambda found: bool(_unhealthy(found, victim.name)))
        (message,) = _unhealthy(told, victim.name)
        assert message == "Readiness probe failed: HTTP probe failed with statuscode: 503"
    finally:
        await shop.cluster.kubectl("delete", "pod", victim.name, "-n", "shop")
        await shop.cluster.settled()


def slow(name: str, text: str = "one") -> list[dict[str, Any]]:
    """A Deployment whose pods take their time to go, and its Service."""
    labels = {"app": name}
    container = {
        "name": "web",
        "image": "http",
        "args": [f"--text={text}"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    return [deployment, service]


async def test_a_terminating_pod_gets_new_connections_only_when_there_is_no_other(
    shop: Any,
) -> None:
    """P-57, P-63, P-64, S-58, S-61, S-62, S-132, S-140, S-85."""
    async with shop.applied(slow("slow")):
        victim, other = await shop.pods("slow")
        await shop.cluster.api.delete(PODS, victim.name, namespace="shop")
        await shop.until(ENDPOINT_SLICES, lambda found: _conditions(found, victim.ip) == ENDING)
        await shop.programmed()
        served = {(await shop.curl("http://slow/", "pod/visitor-1")).trace.endpoint.pod}
        assert victim.name not in served
        await shop.cluster.settled()
        patch = {"spec": {"replicas": 0}}
        await shop.cluster.api.patch(DEPLOYMENTS, "slow", patch, namespace="shop")
        await shop.until(ENDPOINT_SLICES, lambda found: _conditions(found, other.ip) == ENDING)
        await shop.programmed()
        answer = await shop.curl("http://slow/", "pod/visitor-1")
        assert answer.status == 200, "all of them terminate: they go on serving"
        await shop.until(PODS, lambda found: _count(found, "slow") == 0)
        await shop.programmed()
        failure = await shop.failure("http://slow/", "pod/visitor-1", 5)
        assert failure.kind == "refused"


async def test_a_rolling_update_loses_no_request(shop: Any) -> None:
    """S-131, P-81, P-82, P-80: probes, none unavailable, and a pause before the end."""
    async with shop.applied(slow("rolling", "one")):
        before = {pod.name for pod in await shop.pods("rolling")}
        async with _asking(shop, "http://rolling/") as met:
            await shop.cluster.apply(slow("rolling", "two"))
        after = {pod.name for pod in await shop.pods("rolling")}
        assert len(after) == 2 and not after & before
        assert (await shop.curl("http://rolling/", "pod/visitor-1")).text == "two\n"
        assert set(met) == {"answered"}, met


ENDING = {"ready": False, "serving": True, "terminating": True}


@asynccontextmanager
async def _asking(shop: Any, url: str) -> AsyncIterator[Counter[str]]:
    """Somebody asks, again and again, while the block runs; what came of it."""
    met: Counter[str] = Counter()

    async def ask() -> None:
        while True:
            try:
                answer = await shop.curl(url, "pod/visitor-2", timeout_seconds=5)
                met["answered" if answer.status == 200 else str(answer.status)] += 1
            except Unreached as error:
                met[str(error.kind)] += 1

    task = asyncio.create_task(ask(), name="customers")
    try:
        yield met
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _served_by(shop: Any, count: int) -> set[str]:
    """The pods that answer for the cart: requests until so many were seen, and some more."""
    seen: set[str] = set()
    for number in range(100):
        seen.add((await shop.curl("http://cart/", "pod/visitor-1")).trace.endpoint.pod)
        if len(seen) >= count and number >= 10:
            break
    return seen


async def _slices(shop: Any, service: str) -> list[dict[str, Any]]:
    selector = f"{SERVICE_NAME}={service}"
    found = await shop.cluster.api.list(ENDPOINT_SLICES, namespace="shop", label_selector=selector)
    return list(found.items)


def _conditions(slices: list[dict[str, Any]], ip: str) -> dict[str, bool] | None:
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            if ip in endpoint["addresses"]:
                return dict(endpoint["conditions"])
    return None


def _ready_in(slices: list[dict[str, Any]], ip: str) -> bool | None:
    conditions = _conditions(slices, ip)
    return conditions["ready"] if conditions else None


def _count(pods: list[dict[str, Any]], app: str) -> int:
    return sum(each["metadata"]["labels"].get("app") == app for each in pods)


def _is_unready(name: str) -> Any:
    def unready(pod: dict[str, Any]) -> bool:
        conditions = pod["status"].get("conditions") or ()
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        return pod["metadata"]["name"] == name and not ready

    return unready


def _unhealthy(events: list[dict[str, Any]], pod: str) -> set[str]:
    return {
        each["message"]
        for each in events
        if each["involvedObject"]["name"] == pod and each["reason"] == "Unhealthy"
    }
