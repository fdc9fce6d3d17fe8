"""Evictions: what a budget allows, and what it does not."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import DISRUPTION_BUDGETS, PODS
from control.apiserver.eviction import REFUSED, Evictions, unhealthy_may_go
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry

EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}


@pytest.fixture
def local(registry: Registry) -> LocalApi:
    return LocalApi(registry)


@pytest.fixture
def evictions(registry: Registry) -> Evictions:
    return Evictions(registry)


async def running(local: LocalApi, name: str = "web", **status: Any) -> None:
    """A pod on a node."""
    spec = {"containers": [{"name": "main", "image": "echo"}], "nodeName": "node-1"}
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    await local.create(PODS, {"metadata": metadata, "spec": spec})
    ready = [{"type": "Ready", "status": "True"}]
    held = {"status": {"phase": "Running", "conditions": ready, **status}}
    await local.patch(PODS, name, held, namespace="default", subresource="status")


async def budget(local: LocalApi, allowed: int, name: str = "most", **status: Any) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    metadata = {"name": name, "namespace": "default"}
    await local.create(DISRUPTION_BUDGETS, {"metadata": metadata, "spec": spec})
    counted = {
        "disruptionsAllowed": allowed,
        "currentHealthy": allowed + 1,
        "desiredHealthy": 1,
        "expectedPods": allowed + 1,
        "observedGeneration": 1,
        **status,
    }
    changes = {"status": counted}
    await local.patch(DISRUPTION_BUDGETS, name, changes, namespace="default", subresource="status")


async def pod(local: LocalApi) -> Any:
    return await local.get(PODS, "web", namespace="default")


async def evict(evictions: Evictions, **query: str) -> Any:
    return await evictions.evict("default", "web", EVICTION, query)


async def test_a_pod_without_a_budget_goes_and_says_why(
    local: LocalApi, evictions: Evictions
) -> None:
    await running(local)
    assert (await evict(evictions))["status"] == "Success"
    held = await pod(local)
    assert held["metadata"]["deletionTimestamp"]
    [why] = [e for e in held["status"]["conditions"] if e["type"] == "DisruptionTarget"]
    assert (why["reason"], why["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")


async def test_a_budget_is_used_up(local: LocalApi, evictions: Evictions) -> None:
    """P-65."""
    await running(local)
    await running(local, "web-2")
    await budget(local, 1)
    await evict(evictions)
    held = await local.get(DISRUPTION_BUDGETS, "most", namespace="default")
    assert held["status"]["disruptionsAllowed"] == 0
    assert list(held["status"]["disruptedPods"]) == ["web"]
    [condition] = held["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "False")
    other = {"metadata": {"name": "web-2"}}
    with pytest.raises(ApiError) as refused:
        await evictions.evict("default", "web-2", other, {})
    assert refused.value.code == 429


async def test_a_budget_refuses_in_upstreams_words(local: LocalApi, evictions: Evictions) -> None:
    """P-65."""
    await running(local)
    await budget(local, 0)
    with pytest.raises(ApiError) as refused:
        await evict(evictions)
    status = refused.value.status
    assert (status["code"], status["reason"]) == (429, "TooManyRequests")
    assert status["message"] == REFUSED
    [cause] = status["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert cause["message"] == "The disruption budget most needs 1 healthy pods and has 1 currently"
    assert "deletionTimestamp" not in (await pod(local))["metadata"]


async def test_a_budget_that_nobody_counted_yet_is_waited_for(
    local: LocalApi, evictions: Evictions
) -> None:
    await running(local)
    await budget(local, 1, observedGeneration=0)
    with pytest.raises(ApiError) as refused:
        await evict(evictions)
    assert refused.value.status["details"]["retryAfterSeconds"] == 10


async def test_a_dry_run_uses_nothing_up(local: LocalApi, evictions: Evictions) -> None:
    await running(local)
    await budget(local, 1)
    await evict(evictions, dryRun="All")
    assert "deletionTimestamp" not in (await pod(local))["metadata"]
    held = await local.get(DISRUPTION_BUDGETS, "most", namespace="default")
    assert held["status"]["disruptionsAllowed"] == 1


async def test_two_budgets_over_a_pod_are_too_many(local: LocalApi, evictions: Evictions) -> None:
    await running(local)
    await budget(local, 1)
    await budget(local, 1, "other")
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget"):
        await evict(evictions)


async def test_a_pod_that_does_not_run_needs_no_budget(
    local: LocalApi, evictions: Evictions
) -> None:
    await running(local, phase="Pending")
    await budget(local, 0)
    assert (await evict(evictions))["status"] == "Success"


@pytest.mark.parametrize(
    ("policy", "healthy", "goes"),
    [("AlwaysAllow", 0, True), ("IfHealthyBudget", 1, True), ("IfHealthyBudget", 0, False)],
)
def test_a_pod_that_is_not_ready_may_go_by_policy(policy: str, healthy: int, goes: bool) -> None:
    held = {
        "spec": {"unhealthyPodEvictionPolicy": policy},
        "status": {"currentHealthy": healthy, "desiredHealthy": 1},
    }
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert unhealthy_may_go(held, {"status": {}}) is goes
    assert not unhealthy_may_go(held, ready)


async def test_the_eviction_must_be_one_of_the_pod(local: LocalApi, evictions: Evictions) -> None:
    await running(local)
    for wrong in ({"metadata": {"name": "other"}}, {"kind": "Pod"}, {"deleteOptions": 3}):
        with pytest.raises(ApiError) as refused:
            await evictions.evict("default", "web", {**EVICTION, **wrong}, {})
        assert refused.value.code == 400
