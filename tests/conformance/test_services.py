"""Services, where a clause spans a client and the API server."""

import random
from collections.abc import Mapping
from typing import Any, cast

import pytest

from cluster.client.api import ApiClient
from cluster.errors import ApiError
from cluster.launcher.manifests import apply
from cluster.objects.resources import NAMESPACES, SERVICES, Resource
from control.apiserver.options import WriteOptions
from control.apiserver.registry import Registry
from control.resources.kinds import Kind, find_kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store


class StillClock:
    scale = 1.0

    def now(self) -> float:
        return 1_767_225_600.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


def kind_of(resource: Resource) -> Kind:
    found = find_kind(resource.group, resource.version, resource.plural)
    assert found is not None
    return found


class Cluster:
    """As much of an API as applying one new Service asks for."""

    def __init__(self) -> None:
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        self.registry = Registry(Store(NoJournal()), addresses, StillClock(), random.Random(1))

    async def call(self, method: str, path: str) -> Any:
        return {"resources": [{"name": "services", "kind": "Service", "namespaced": True}]}

    async def create(self, resource: Resource, document: Mapping[str, Any]) -> Any:
        namespace = document["metadata"].get("namespace") if resource.namespaced else None
        written = await self.registry.create(kind_of(resource), namespace, document, WriteOptions())
        return written.record.document


async def test_what_was_written_out_of_one_cluster_is_applied_to_another() -> None:
    """S-169: a version is refused where there is none yet, so applying leaves it out."""
    cluster = Cluster()
    shop = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await cluster.create(NAMESPACES, shop)
    exported = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "cart", "namespace": "shop", "resourceVersion": "4711"},
        "spec": {"ports": [{"port": 80}]},
    }
    with pytest.raises(ApiError) as refused:
        await cluster.create(SERVICES, exported)
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    told = await apply(cast(ApiClient, cluster), [("shop.yaml", exported)])
    assert told == ["Service shop/cart created"]
    assert cluster.registry.get(kind_of(SERVICES), "shop", "cart").version != 4711
