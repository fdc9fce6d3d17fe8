"""Limit ranges at the door."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import LIMIT_RANGES, PODS
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry


@pytest.fixture
def local(registry: Registry) -> LocalApi:
    return LocalApi(registry)


def pod(name: str, **resources: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "echo", "resources": resources}
    metadata = {"name": name, "namespace": "shop"}
    return {"metadata": metadata, "spec": {"containers": [container]}}


async def test_a_pod_gets_its_namespaces_defaults_and_keeps_within_its_bounds(
    local: LocalApi,
) -> None:
    item = {"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "1"}}
    metadata = {"name": "l", "namespace": "shop"}
    await local.create(LIMIT_RANGES, {"metadata": metadata, "spec": {"limits": [item]}})
    made = await local.create(PODS, pod("silent"))
    [container] = made["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "500m"}
    with pytest.raises(ApiError) as refused:
        await local.create(PODS, pod("greedy", limits={"cpu": "2"}))
    words = 'pods "greedy" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
    assert (refused.value.code, refused.value.status["message"]) == (403, words)
