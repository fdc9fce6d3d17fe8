"""Garbage collection: background, foreground, orphan."""

from typing import Any

import pytest

from cluster.objects.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from control.controllers import garbage_collector
from control.controllers.garbage_collector import GarbageCollector
from control.controllers.settings import WATCHED
from control.controllers.view import key_of
from control.controllers.writes import Delete, EmitEvent, Patch


@pytest.fixture
def collector() -> GarbageCollector:
    return GarbageCollector(WATCHED)


def family(simulation: Any, build: Any) -> dict[str, Any]:
    """A Deployment with its ReplicaSet and that one's pod."""
    store = simulation.store
    top = store.create(DEPLOYMENTS, build.deployment("web"))
    owners = {"ownerReferences": [build.owner(DEPLOYMENTS, top)]}
    middle = store.create(REPLICA_SETS, build.replica_set("web-1", metadata=owners))
    pod = build.pod("web-1-a", node=None, owner=build.owner(REPLICA_SETS, middle))
    return {"top": top, "middle": middle, "pod": store.create(PODS, pod)}


def settle(simulation: Any) -> set[str]:
    simulation.settle([garbage_collector.controller(WATCHED)])
    return {key.name for key in simulation.store.objects}


def test_background_deletion_takes_the_family_down_from_the_top(
    simulation: Any, build: Any
) -> None:
    family(simulation, build)
    simulation.store.delete(DEPLOYMENTS, "web", "default", propagation="Background")
    assert settle(simulation) == set()


def test_a_services_own_slices_go_and_a_users_slice_stays(simulation: Any, build: Any) -> None:
    """S-23."""
    service = simulation.store.create(SERVICES, build.service("web"))
    for name, owners in (("web-own", [build.owner(SERVICES, service)]), ("manual", [])):
        metadata = {"name": name, "namespace": "default", "ownerReferences": owners}
        simulation.store.create(ENDPOINT_SLICES, {"kind": "EndpointSlice", "metadata": metadata})
    simulation.store.delete(SERVICES, "web", "default")
    assert settle(simulation) == {"manual"}


def test_foreground_deletion_takes_the_owner_last(simulation: Any, build: Any) -> None:
    held = family(simulation, build)
    simulation.store.patch(PODS, "web-1-a", {"spec": {"nodeName": "node-1"}}, "default")
    simulation.store.delete(DEPLOYMENTS, "web", "default", propagation="Foreground")
    assert settle(simulation) == {"web", "web-1", "web-1-a"}
    middle = simulation.store.get(REPLICA_SETS, "web-1", "default")["metadata"]
    assert middle["finalizers"] == ["foregroundDeletion"]
    name = held["pod"]["metadata"]["name"]
    simulation.store.delete(PODS, name, "default", grace_seconds=0)
    assert settle(simulation) == set()


def test_a_dependent_that_does_not_block_is_not_waited_for(simulation: Any, build: Any) -> None:
    service = simulation.store.create(SERVICES, build.service("web"))
    loose = {**build.owner(SERVICES, service), "blockOwnerDeletion": False}
    pod = build.pod("a", owner=loose)
    simulation.store.create(PODS, pod)
    simulation.store.delete(SERVICES, "web", "default", propagation="Foreground")
    assert settle(simulation) == {"a"}
    assert simulation.store.get(PODS, "a", "default")["metadata"]["deletionTimestamp"]


def test_orphans_live_on_without_their_owner(simulation: Any, build: Any) -> None:
    family(simulation, build)
    simulation.store.delete(DEPLOYMENTS, "web", "default", propagation="Orphan")
    assert settle(simulation) == {"web-1", "web-1-a"}
    assert (
        "ownerReferences" not in simulation.store.get(REPLICA_SETS, "web-1", "default")["metadata"]
    )


def test_one_living_owner_is_enough(simulation: Any, build: Any) -> None:
    one = simulation.store.create(SERVICES, build.service("one"))
    two = simulation.store.create(SERVICES, build.service("two"))
    pod = build.pod("a", owner=build.owner(SERVICES, one))
    pod["metadata"]["ownerReferences"].append(build.owner(SERVICES, two))
    simulation.store.create(PODS, pod)
    simulation.store.delete(SERVICES, "one", "default")
    assert settle(simulation) == {"two", "a"}
    [left] = simulation.store.get(PODS, "a", "default")["metadata"]["ownerReferences"]
    assert left["name"] == "two"


def test_a_namesake_is_not_the_owner(simulation: Any, build: Any) -> None:
    old = build.service("web")
    simulation.store.create(SERVICES, build.service("web"))
    simulation.store.create(PODS, build.pod("a", node=None, owner=build.owner(SERVICES, old)))
    assert settle(simulation) == {"web"}


def test_an_owner_of_an_unknown_kind_is_never_presumed_gone(simulation: Any, build: Any) -> None:
    owner = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "x", "uid": "x"}
    simulation.store.create(PODS, build.pod("a", owner=owner))
    assert settle(simulation) == {"a"}


def test_an_unknown_owner_beside_one_that_is_gone_keeps_the_object(
    build: Any, view: Any, collector: GarbageCollector
) -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "x", "uid": "x"}
    pod = build.pod("a", owner=build.owner(SERVICES, build.service("gone")))
    pod["metadata"]["ownerReferences"].append(unknown)
    assert collector.reconcile(view(pod), key_of(PODS, pod)) == ()


def test_every_owner_is_asked_of_the_api_before_a_deletion(
    build: Any, view: Any, collector: GarbageCollector
) -> None:
    """Another informer may lag: the cache alone does not condemn."""
    owner = build.service("web")
    pod = build.pod("a", owner=build.owner(SERVICES, owner))
    [deletion] = collector.reconcile(view(pod), key_of(PODS, pod))
    assert isinstance(deletion, Delete)
    [absent] = deletion.provided
    assert (absent.resource, absent.name, absent.uid) == (
        SERVICES,
        "web",
        owner["metadata"]["uid"],
    )


def test_an_owner_in_deletion_waits_with_its_finalizer(
    build: Any, view: Any, collector: GarbageCollector
) -> None:
    metadata = {"finalizers": ["foregroundDeletion"], "deletionTimestamp": build.stamp()}
    owner = build.service("web", metadata=metadata)
    pod = build.pod("a", owner=build.owner(SERVICES, owner), deletionTimestamp=build.stamp())
    assert collector.reconcile(view(owner, pod), key_of(SERVICES, owner)) == []
    [patch] = collector.reconcile(view(owner), key_of(SERVICES, owner))
    assert isinstance(patch, Patch)
    assert patch.changes["metadata"]["finalizers"] is None


def test_whom_a_deletion_concerns(build: Any, view: Any) -> None:
    row = garbage_collector.controller(WATCHED)
    owner = build.service("web")
    pod = build.pod("a", owner=build.owner(SERVICES, owner))
    held = view(owner, pod).objects
    assert list(row.watches[SERVICES](held, owner, None)) == [key_of(PODS, pod)]
    assert key_of(SERVICES, owner) in list(row.watches[PODS](held, pod, None))
    plain = {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default", "uid": "x"}}
    assert list(row.watches[CONFIG_MAPS](held, None, plain)) == []


def test_what_a_custom_object_owns_goes_with_it(build: Any, view: Any) -> None:
    names = {"plural": "widgets", "kind": "Widget"}
    definition = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com", "uid": "d", "resourceVersion": "1"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
        "status": {
            "acceptedNames": names,
            "conditions": [{"type": "Established", "status": "True"}],
        },
    }
    widgets = Resource("example.com", "v1", "widgets", "Widget")
    owner = {
        "apiVersion": "example.com/v1beta1",
        "kind": "Widget",
        "name": "w",
        "uid": "owner",
        "controller": True,
    }
    pod = build.pod("a", owner=owner)
    collector = GarbageCollector(WATCHED)
    assert collector.reconcile(view(pod), key_of(PODS, pod)) == (), "of no kind that is known"
    [deletion] = collector.reconcile(view(pod, definition), key_of(PODS, pod))
    assert isinstance(deletion, Delete)
    assert [(each.resource, each.uid) for each in deletion.provided] == [(widgets, "owner")]
    row = garbage_collector.controller(WATCHED)
    assert row.watches_custom is not None
    held = {"metadata": {"name": "w", "namespace": "default", "uid": "owner"}}
    keys = row.watches_custom(widgets)(view(pod).objects, held, None)
    assert key_of(PODS, pod) in list(keys)


def test_an_owner_in_another_namespace_is_no_owner(
    build: Any, view: Any, collector: GarbageCollector
) -> None:
    """Source: kubernetes.io, "Owners and Dependents", OwnerRefInvalidNamespace."""
    owner = build.service("web", namespace="other")
    pod = build.pod("a", node=None, owner=build.owner(SERVICES, owner))
    told, deletion = collector.reconcile(view(owner, pod), key_of(PODS, pod))
    assert isinstance(told, EmitEvent)
    assert (told.reason, told.type) == ("OwnerRefInvalidNamespace", "Warning")
    assert told.message.endswith('does not exist in namespace "default"')
    assert isinstance(deletion, Delete)


def test_what_has_no_namespace_is_never_collected_for_an_owner_in_one(
    build: Any, view: Any, collector: GarbageCollector
) -> None:
    owner = build.owner(SERVICES, build.service("gone"))
    metadata = {"name": "n", "uid": "n", "resourceVersion": "1", "ownerReferences": [owner]}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata}
    [told] = collector.reconcile(view(node), key_of(NODES, node))
    assert isinstance(told, EmitEvent)
    assert told.reason == "OwnerRefInvalidNamespace"
