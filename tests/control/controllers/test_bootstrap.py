"""A new cluster's first objects, made once."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NAMESPACES,
    SERVICES,
    STORAGE_CLASSES,
)
from control.controllers.bootstrap import bootstrap
from control.controllers.settings import ControllerSettings

SETTINGS = ControllerSettings()


async def test_a_new_cluster_has_its_namespaces_its_service_and_its_dns(
    api: Any, store: Any
) -> None:
    """S-21."""
    await bootstrap(api, SETTINGS)
    names = {held["metadata"]["name"] for held in store.all(NAMESPACES)}
    assert names == {"default", "kube-system", "kube-public", "kube-node-lease"}
    assert store.get(SERVICES, "kubernetes", "default")
    assert store.get(SERVICES, "kube-dns", "kube-system")
    assert store.get(DEPLOYMENTS, "coredns", "kube-system")["spec"]["replicas"] == 2
    [storage] = store.all(STORAGE_CLASSES)
    assert storage["metadata"]["name"] == "standard"


async def test_a_second_time_changes_nothing(api: Any, store: Any) -> None:
    await bootstrap(api, SETTINGS)
    version = store.version
    await bootstrap(api, SETTINGS)
    assert store.version == version


async def test_the_api_servers_address_is_set_right_and_the_rest_is_the_users(
    api: Any, store: Any
) -> None:
    await bootstrap(api, SETTINGS)
    store.patch(DEPLOYMENTS, "coredns", {"spec": {"replicas": 5}}, "kube-system")
    await bootstrap(api, ControllerSettings(api_port=7443))
    assert store.get(ENDPOINT_SLICES, "kubernetes", "default")["ports"][0]["port"] == 7443
    assert store.get(DEPLOYMENTS, "coredns", "kube-system")["spec"]["replicas"] == 5


async def test_a_refusal_is_not_swallowed(api: Any) -> None:
    error = ApiError({"code": 500, "reason": "InternalError", "message": "range is full"})
    api.refuse = lambda verb, resource, name: error if resource == SERVICES else None
    with pytest.raises(ApiError, match="range is full"):
        await bootstrap(api, SETTINGS)
