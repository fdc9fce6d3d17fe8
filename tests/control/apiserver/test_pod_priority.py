"""What a pod's class says of it, as the pod is made."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import PODS, SERVICE_ACCOUNTS, Resource
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry

CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)


@pytest.fixture
def local(registry: Registry) -> LocalApi:
    return LocalApi(registry)


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "echo"}]
    metadata = {"name": name, "namespace": "shop"}
    return {"metadata": metadata, "spec": {"containers": containers, **spec}}


def priority_class(name: str, value: int, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "value": value, **more}


async def test_a_pod_has_the_priority_of_the_class_that_it_names(local: LocalApi) -> None:
    await local.create(CLASSES, priority_class("high", 1000, preemptionPolicy="Never"))
    spec = (await local.create(PODS, pod("web", priorityClassName="high")))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")
    core = await local.create(PODS, pod("dns", priorityClassName="system-node-critical"))
    assert core["spec"]["priority"] == 2_000_001_000


async def test_a_pod_without_a_class_has_the_lowest_global_default(local: LocalApi) -> None:
    assert (await local.create(PODS, pod("early")))["spec"]["priority"] == 0
    await local.create(CLASSES, priority_class("b", 20, globalDefault=True))
    await local.create(CLASSES, priority_class("a", 10, globalDefault=True))
    spec = (await local.create(PODS, pod("late")))["spec"]
    assert (spec["priority"], spec["priorityClassName"]) == (10, "a")


async def test_a_class_that_is_not_there_is_refused(local: LocalApi) -> None:
    with pytest.raises(ApiError) as refused:
        await local.create(PODS, pod("web", priorityClassName="none"))
    words = 'pods "web" is forbidden: no PriorityClass with name none was found'
    assert (refused.value.code, refused.value.status["message"]) == (403, words)


async def test_an_account_that_is_not_there_is_refused_but_the_default(local: LocalApi) -> None:
    await local.create(PODS, pod("web"))
    with pytest.raises(ApiError) as refused:
        await local.create(PODS, pod("other", serviceAccountName="robot"))
    why = 'error looking up service account shop/robot: serviceaccount "robot" not found'
    words = f'pods "other" is forbidden: {why}'
    assert (refused.value.code, refused.value.status["message"]) == (403, words)
    account = {"metadata": {"name": "robot", "namespace": "shop"}}
    await local.create(SERVICE_ACCOUNTS, account)
    await local.create(PODS, pod("other", serviceAccountName="robot"))


async def test_a_runtime_class_that_is_not_there_is_refused(local: LocalApi) -> None:
    with pytest.raises(ApiError) as refused:
        await local.create(PODS, pod("web", runtimeClassName="gvisor"))
    words = 'pods "web" is forbidden: pod rejected: RuntimeClass "gvisor" not found'
    assert (refused.value.code, refused.value.status["message"]) == (403, words)
    kind = Resource("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", namespaced=False)
    await local.create(kind, {"metadata": {"name": "gvisor"}, "handler": "runsc"})
    await local.create(PODS, pod("web", runtimeClassName="gvisor"))
