"""Quotas at the door."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, PODS, RESOURCE_QUOTAS
from control.apiserver.local import LocalApi
from control.apiserver.registry import Registry


@pytest.fixture
def local(registry: Registry) -> LocalApi:
    return LocalApi(registry)


def named(name: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, **fields}


def pod(name: str, **resources: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "echo", "resources": resources}
    return named(name, spec={"containers": [container]})


async def test_what_is_too_much_is_not_made(local: LocalApi) -> None:
    await local.create(RESOURCE_QUOTAS, named("q", spec={"hard": {"configmaps": "1"}}))
    await local.create(CONFIG_MAPS, named("one"))
    with pytest.raises(ApiError) as refused:
        await local.create(CONFIG_MAPS, named("two"))
    assert refused.value.code == 403
    assert refused.value.status["message"] == (
        'configmaps "two" is forbidden: exceeded quota: q, requested: configmaps=1, '
        "used: configmaps=1, limited: configmaps=1"
    )
    await local.delete(CONFIG_MAPS, "one", namespace="shop")
    await local.create(CONFIG_MAPS, named("two"))


async def test_pods_say_what_they_take(local: LocalApi) -> None:
    await local.create(RESOURCE_QUOTAS, named("q", spec={"hard": {"requests.cpu": "1"}}))
    with pytest.raises(ApiError, match=r"must specify requests\.cpu for: main"):
        await local.create(PODS, pod("silent"))
    await local.create(PODS, pod("first", requests={"cpu": "600m"}))
    with pytest.raises(ApiError, match=r"requested: requests\.cpu=600m"):
        await local.create(PODS, pod("second", requests={"cpu": "600m"}))
