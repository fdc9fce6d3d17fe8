"""The verbs on stored objects, called without HTTP."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import (
    CONFIG_MAPS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from control.apiserver.options import DeleteOptions, FieldValidation, WriteOptions
from control.apiserver.registry import Registry, key_of
from control.apiserver.selection import Selection
from control.resources.kinds import Kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store

Kinds = Callable[[Resource], Kind]
PLAIN = WriteOptions()


def document(resource: Resource, name: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **fields.pop("metadata", {})}
    typed = {"apiVersion": resource.api_version, "kind": resource.kind}
    return {**typed, "metadata": metadata, **fields}


async def refused(work: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await work
    return caught.value


async def test_generated_names_avoid_those_that_are_taken(registry: Registry, kind: Kinds) -> None:
    maps, names = kind(CONFIG_MAPS), set()
    for _ in range(20):
        given = document(CONFIG_MAPS, "", metadata={"generateName": "made-"})
        written = await registry.create(maps, "shop", given, PLAIN)
        names.add(written.record.key.name)
    assert len(names) == 20
    assert all(each.startswith("made-") for each in names)


async def test_nothing_is_made_in_a_namespace_that_goes(registry: Registry, kind: Kinds) -> None:
    written = await registry.delete(kind(NAMESPACES), None, "shop", DeleteOptions())
    assert not written.gone
    assert written.record.document["status"]["phase"] == "Terminating"
    given = document(CONFIG_MAPS, "late")
    error = await refused(registry.create(kind(CONFIG_MAPS), "shop", given, PLAIN))
    assert (error.code, error.reason) == (403, "Forbidden")
    assert error.status["details"]["causes"][0]["reason"] == "NamespaceTerminating"


async def test_a_strict_write_names_every_unknown_field(registry: Registry, kind: Kinds) -> None:
    strict = WriteOptions(field_validation=FieldValidation.STRICT)
    given = document(CONFIG_MAPS, "one", dada={}, more=1)
    error = await refused(registry.create(kind(CONFIG_MAPS), "shop", given, strict))
    assert error.code == 400
    assert 'unknown field "dada"' in str(error)
    assert 'unknown field "more"' in str(error)


async def test_services_have_addresses_that_come_back(registry: Registry, kind: Kinds) -> None:
    def service(name: str) -> dict[str, Any]:
        return document(SERVICES, name, spec={"ports": [{"port": 80}]})

    services = kind(SERVICES)
    tried = await registry.create(services, "shop", service("a"), WriteOptions(dry_run=True))
    first = await registry.create(services, "shop", service("a"), PLAIN)
    address = first.record.document["spec"]["clusterIP"]
    assert tried.record.document["spec"]["clusterIP"] == address
    second = await registry.create(services, "shop", service("b"), PLAIN)
    assert second.record.document["spec"]["clusterIP"] != address
    assert (await registry.delete(services, "shop", "a", DeleteOptions())).gone
    third = await registry.create(services, "shop", service("c"), PLAIN)
    assert third.record.document["spec"]["clusterIP"] == address


async def test_an_address_that_is_taken_is_refused_by_field(
    registry: Registry, kind: Kinds
) -> None:
    spec = {"ports": [{"port": 80}], "clusterIP": "10.96.0.77"}
    services = kind(SERVICES)
    await registry.create(services, "shop", document(SERVICES, "a", spec=spec), PLAIN)
    error = await refused(
        registry.create(services, "default", document(SERVICES, "b", spec=spec), PLAIN)
    )
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.status["details"]["causes"][0]["field"].startswith("spec.clusterIP")


async def test_a_range_that_is_used_up_says_so(kind: Kinds, clock: Any) -> None:
    """10.96.0.0/30 has two addresses, and the API's own Service has the first."""
    addresses = ServiceAddresses("10.96.0.0/30", lambda count: 0)
    small = Registry(Store(NoJournal()), addresses, clock, random.Random(7))
    await small.create(kind(NAMESPACES), None, document(NAMESPACES, "shop"), PLAIN)
    spec = {"ports": [{"port": 80}]}
    services = kind(SERVICES)
    await small.create(services, "shop", document(SERVICES, "a", spec=spec), PLAIN)
    error = await refused(small.create(services, "shop", document(SERVICES, "b", spec=spec), PLAIN))
    assert (error.code, error.reason) == (500, "InternalError")
    assert "range is full" in str(error)
    await small.delete(services, "shop", "a", DeleteOptions())
    await small.create(services, "shop", document(SERVICES, "b", spec=spec), PLAIN)


async def test_a_refused_create_leaves_nothing_behind(registry: Registry, kind: Kinds) -> None:
    before = registry.store.version
    await refused(
        registry.create(kind(SERVICES), "nowhere", document(SERVICES, "a", spec={}), PLAIN)
    )
    assert registry.store.version == before
    assert registry.list(kind(SERVICES), None, Selection(kind(SERVICES), None)) == []


async def test_the_last_finalizer_takes_the_object_with_it(registry: Registry, kind: Kinds) -> None:
    maps = kind(CONFIG_MAPS)
    held = document(CONFIG_MAPS, "held", metadata={"finalizers": ["example.com/hold"]})
    await registry.create(maps, "shop", held, PLAIN)
    marked = await registry.delete(maps, "shop", "held", DeleteOptions())
    assert not marked.gone
    stamp = marked.record.document["metadata"]["deletionTimestamp"]
    again = await registry.delete(maps, "shop", "held", DeleteOptions())
    assert (again.gone, again.changed) == (False, False)

    def released(old: Any) -> dict[str, Any]:
        metadata = {key: old["metadata"][key] for key in old["metadata"] if key != "finalizers"}
        return {**old, "metadata": metadata}

    written = await registry.update(maps, "shop", "held", released, PLAIN)
    assert written.gone
    assert written.record.document["metadata"]["deletionTimestamp"] == stamp
    assert (await refused(_get(registry, maps, "held"))).reason == "NotFound"


async def _get(registry: Registry, kind: Kind, name: str) -> Any:
    return registry.get(kind, "shop", name)


async def test_a_pod_on_a_node_goes_when_its_kubelet_says_so(
    registry: Registry, kind: Kinds
) -> None:
    pods = kind(PODS)
    spec = {"containers": [{"name": "web", "image": "nginx"}]}
    await registry.create(pods, "shop", document(PODS, "web", spec=spec), PLAIN)
    await registry.bind("shop", "web", "node-1")
    marked = await registry.delete(pods, "shop", "web", DeleteOptions())
    assert not marked.gone
    assert marked.record.document["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked.record.document["metadata"]["deletionTimestamp"] == "2026-01-01T12:00:30Z"
    assert (await registry.delete(pods, "shop", "web", DeleteOptions(grace_seconds=0))).gone


async def test_writes_of_one_turn_are_one_commit_and_all_of_them_last(
    registry: Registry, kind: Kinds
) -> None:
    maps, commits = kind(CONFIG_MAPS), []
    journal: Any = registry.store._journal
    journal.commit = lambda entries, version: commits.append(len(entries))
    given = [document(CONFIG_MAPS, f"m{number}") for number in range(10)]
    await asyncio.gather(*(registry.create(maps, "shop", each, PLAIN) for each in given))
    assert sum(commits) == 10
    assert len(commits) < 10


def test_versions_of_a_kind_share_their_objects(kind: Kinds) -> None:
    assert key_of(kind(NODES)) == ("", "nodes")
