"""Carrying out plans: together what may go together, in order what must not."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from control.controllers.caches import Caches
from control.controllers.carry import Carrier, NotYet
from control.controllers.view import Key, deleting
from control.controllers.writes import (
    WARNING,
    Absent,
    Announce,
    Create,
    Delete,
    DeleteAll,
    EmitEvent,
    FinalizeDefinition,
    FinalizeNamespace,
    LookAgain,
    Patch,
    Update,
    Write,
)
from control.resources.custom.acceptance import FINALIZER

NOW = "2030-01-01T00:00:00Z"


class Told:
    """A recorder that only remembers."""

    def __init__(self) -> None:
        self.events: list[EmitEvent] = []

    def record(self, event: EmitEvent) -> None:
        self.events.append(event)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def carrier(api: Any, caches: Caches, told: Any) -> Carrier:
    return Carrier(api, caches, told)


def refusal(code: int, reason: str) -> ApiError:
    return ApiError({"code": code, "reason": reason, "message": "no"})


def deletion(pod: Any, **more: Any) -> Delete:
    metadata = pod["metadata"]
    return Delete(
        resource=PODS, namespace="default", name=metadata["name"], uid=metadata["uid"], **more
    )


async def test_creations_go_out_together(carrier: Carrier, api: Any, build: Any) -> None:
    writes: list[Write] = [Create(PODS, build.pod(name)) for name in ("a", "b")]
    order: list[str] = []
    api.refuse = lambda verb, resource, name: order.append(f"{verb} {name} lands")
    await carrier.carry([*writes, Patch(PODS, "default", "a", {"metadata": {"labels": {}}})])
    assert [call[0] for call in api.calls] == ["create", "create", "patch"]
    assert order == ["create a lands", "create b lands", "patch a lands"]


async def test_the_answer_is_in_the_caches_at_once(
    carrier: Carrier, caches: Caches, build: Any
) -> None:
    await carrier.carry([Create(PODS, build.pod("a"))])
    held = caches.objects.get(PODS, "default", "a")
    assert held is not None
    changed = {**held, "metadata": {**held["metadata"], "labels": {"x": "y"}}}
    await carrier.carry([Update(PODS, changed)])
    held = caches.objects.get(PODS, "default", "a")
    assert held is not None and held["metadata"]["labels"] == {"x": "y"}
    await carrier.carry([deletion(held)])
    held = caches.objects.get(PODS, "default", "a")
    assert held is not None and deleting(held)


async def test_a_refused_write_ends_the_plan_but_not_its_neighbours(
    carrier: Carrier, api: Any, store: Any, build: Any
) -> None:
    api.refuse = lambda verb, resource, name: refusal(403, "Forbidden") if name == "a" else None
    plan = [Create(PODS, build.pod("a")), Create(PODS, build.pod("b")), deletion(build.pod("c"))]
    with pytest.raises(ApiError, match="no"):
        await carrier.carry(plan)
    assert Key(PODS, "default", "b") in store.objects
    assert ("delete", "pods", "c") not in api.calls


async def test_what_is_gone_needs_no_write(carrier: Carrier, build: Any) -> None:
    await carrier.carry([deletion(build.pod("a")), Patch(PODS, "default", "a", {"spec": {}})])


async def test_a_deletion_by_uid_spares_the_successor(
    carrier: Carrier, store: Any, build: Any
) -> None:
    old = build.pod("a")
    store.create(PODS, build.pod("a"))
    with pytest.raises(ApiError):
        await carrier.carry([deletion(old)])
    assert Key(PODS, "default", "a") in store.objects


@pytest.mark.parametrize(("same", "spared"), [(True, True), (False, False)])
async def test_a_deletion_provided_an_owner_is_gone_asks_first(
    carrier: Carrier, store: Any, build: Any, same: bool, spared: bool
) -> None:
    pod = store.create(PODS, build.pod("a", node=None))
    owner = store.create(SERVICES, build.service("web"))
    uid = owner["metadata"]["uid"] if same else "the former one"
    condition = (Absent(SERVICES, "default", "web", uid),)
    await carrier.carry([deletion(pod, provided=condition)])
    assert (Key(PODS, "default", "a") in store.objects) is spared


async def test_an_owner_named_without_uid_spares_whoever_has_its_name(
    carrier: Carrier, store: Any, build: Any
) -> None:
    """P-77: a node that joined again."""
    pod = store.create(PODS, build.pod("a", node=None))
    store.create(NODES, build.node("node-1"))
    await carrier.carry([deletion(pod, provided=(Absent(NODES, "", "node-1", ""),))])
    assert Key(PODS, "default", "a") in store.objects


async def test_a_write_is_announced_when_done_and_when_refused(
    carrier: Carrier, api: Any, told: Told, build: Any
) -> None:
    owner = build.replica_set("web")
    announce = Announce(
        about=owner,
        done=("SuccessfulCreate", "Created pod: {name}"),
        refused=("FailedCreate", "Error creating: {error}"),
    )
    await carrier.carry([Create(PODS, build.pod("a"), announce)])
    api.refuse = lambda *_: refusal(403, "Forbidden")
    with pytest.raises(ApiError):
        await carrier.carry([Create(PODS, build.pod("b"), announce)])
    assert [(e.reason, e.message, e.type) for e in told.events] == [
        ("SuccessfulCreate", "Created pod: a", "Normal"),
        ("FailedCreate", "Error creating: no", WARNING),
    ]


async def test_a_conflict_is_no_news(carrier: Carrier, api: Any, told: Told, build: Any) -> None:
    api.refuse = lambda *_: refusal(409, "Conflict")
    announce = Announce(about=build.pod("a"), refused=("X", "y"))
    with pytest.raises(ApiError):
        await carrier.carry([Create(PODS, build.pod("a"), announce)])
    assert told.events == []


async def test_the_earliest_date_counts(carrier: Carrier, build: Any, told: Told) -> None:
    event = EmitEvent(build.pod("a"), "X", "y")
    assert await carrier.carry([event, LookAgain(7.0), LookAgain(3.0)]) == 3.0
    assert told.events == [event]
    assert await carrier.carry([]) is None


async def test_a_namespace_is_emptied_and_finalized_once_nothing_is_left(
    carrier: Carrier, store: Any, build: Any
) -> None:
    """kube_api section 6."""
    store.create(NAMESPACES, {"metadata": {"name": "shop"}})
    store.create(PODS, build.pod("a", namespace="shop"))
    store.create(PODS, build.pod("b", namespace="other"))
    store.create(CONFIG_MAPS, {"metadata": {"name": "c", "namespace": "shop"}})
    going = store.delete(NAMESPACES, "shop")
    plan: list[Write] = [DeleteAll(PODS, "shop"), DeleteAll(CONFIG_MAPS, "shop")]
    plan.append(FinalizeNamespace(going, (PODS, CONFIG_MAPS), NOW))
    with pytest.raises(NotYet, match="1 pods"):  # it terminates on its node
        await carrier.carry(plan)
    told = {each["type"]: each for each in store.get(NAMESPACES, "shop")["status"]["conditions"]}
    assert told["NamespaceContentRemaining"]["message"].endswith("pods. has 1 resource instances")
    assert told["NamespaceContentRemaining"]["lastTransitionTime"] == NOW
    store.delete(PODS, "a", "shop", grace_seconds=0)
    await carrier.carry(plan)
    assert store.all(NAMESPACES) == []
    assert len(store.all(PODS)) == 1


async def test_a_finalizer_of_others_holds_an_empty_namespace(carrier: Carrier, store: Any) -> None:
    spec = {"finalizers": ["kubernetes", "example.com/mine"]}
    store.create(NAMESPACES, {"metadata": {"name": "shop"}, "spec": spec})
    going = store.delete(NAMESPACES, "shop")
    await carrier.carry([FinalizeNamespace(going, (PODS,), NOW)])
    left = store.get(NAMESPACES, "shop")
    assert left["spec"]["finalizers"] == ["example.com/mine"]
    assert {each["status"] for each in left["status"]["conditions"]} == {"False"}


async def test_of_several_dates_the_first_counts(carrier: Carrier, build: Any) -> None:
    told = EmitEvent(build.pod("a"), "X", "x")
    assert await carrier.carry([LookAgain(3), LookAgain(5), told, LookAgain(9)]) == 3


WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


async def test_a_definition_goes_once_none_of_its_objects_is_left(
    carrier: Carrier, store: Any
) -> None:
    metadata = {"name": "widgets.example.com", "finalizers": [FINALIZER, "example.com/other"]}
    definition = store.create(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": metadata})
    for namespace in ("shop", "bank"):
        held = {"name": "a", "namespace": namespace, "finalizers": ["example.com/hold"]}
        store.create(WIDGETS, {"metadata": held})
    plan: list[Write] = [DeleteAll(WIDGETS, ""), FinalizeDefinition(definition, WIDGETS)]
    with pytest.raises(NotYet):
        await carrier.carry(plan)
    for namespace in ("shop", "bank"):
        assert deleting(store.get(WIDGETS, "a", namespace))
        store.patch(WIDGETS, "a", {"metadata": {"finalizers": None}}, namespace)
    await carrier.carry(plan)
    left = store.get(CUSTOM_RESOURCE_DEFINITIONS, "widgets.example.com")["metadata"]["finalizers"]
    assert left == ["example.com/other"]
