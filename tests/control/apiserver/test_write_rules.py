"""What every write keeps to, whatever the kind: versions, generations, finalizers, preconditions.

Source: kubernetes.io, "Kubernetes API Concepts"; "Finalizers".
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, NAMESPACES, Resource
from control.apiserver.options import DeleteOptions, WriteOptions
from control.apiserver.registry import NAME_ATTEMPTS, Registry
from control.resources.kinds import Kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store, StoreFailed

Client = Any
Kinds = Callable[[Resource], Kind]

SHOP = "/api/v1/namespaces/shop"
MAPS, PODS = f"{SHOP}/configmaps", f"{SHOP}/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"

MAP = {"metadata": {"name": "one"}, "data": {"a": "1"}}
POD_SPEC = {"containers": [{"name": "web", "image": "echo"}]}
POD = {"metadata": {"name": "web"}, "spec": POD_SPEC}
DEPLOYMENT = {
    "metadata": {"name": "cart"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "cart"}},
        "template": {"metadata": {"labels": {"app": "cart"}}, "spec": POD_SPEC},
    },
}
HELD = {**MAP, "metadata": {"name": "one", "finalizers": ["example.com/hold"]}}


async def version(client: Client) -> str:
    """The store's version: it rises with every write of anything."""
    return str((await client("GET", MAPS)).document["metadata"]["resourceVersion"])


async def made(client: Client, path: str, body: Any) -> dict[str, Any]:
    reply = await client("POST", path, body)
    assert reply.status == 201, reply.document
    document: dict[str, Any] = reply.document
    return document


async def patched(client: Client, path: str, change: Any, code: int = 200) -> dict[str, Any]:
    reply = await client("PATCH", path, change, Content_Type=MERGE)
    assert reply.status == code, reply.document
    document: dict[str, Any] = reply.document
    return document


# -- versions


async def test_a_conflict_is_said_in_the_words_that_clients_match(client: Client) -> None:
    for path, body, kind, name in (
        (MAPS, MAP, {"kind": "configmaps"}, "configmaps"),
        (DEPLOYMENTS, DEPLOYMENT, {"kind": "deployments", "group": "apps"}, "deployments.apps"),
    ):
        old = await made(client, path, body)
        where = f"{path}/{old['metadata']['name']}"
        await patched(client, where, {"metadata": {"labels": {"a": "b"}}})
        reply = await client("PUT", where, old)
        assert (reply.status, reply.document["code"]) == (409, 409)
        assert reply.document["reason"] == "Conflict"
        assert reply.document["details"] == {"name": old["metadata"]["name"], **kind}
        assert reply.document["message"] == (
            f'Operation cannot be fulfilled on {name} "{old["metadata"]["name"]}": the object has '
            "been modified; please apply your changes to the latest version and try again"
        )


async def test_a_write_without_a_version_overwrites(client: Client) -> None:
    await made(client, MAPS, MAP)
    await patched(client, f"{MAPS}/one", {"data": {"a": "2"}})
    reply = await client("PUT", f"{MAPS}/one", {**MAP, "data": {"a": "3"}})
    assert (reply.status, reply.document["data"]) == (200, {"a": "3"})


async def test_a_status_and_a_scale_are_compared_by_version_too(client: Client) -> None:
    old = await made(client, DEPLOYMENTS, DEPLOYMENT)
    scale = (await client("GET", f"{DEPLOYMENTS}/cart/scale")).document
    await patched(client, f"{DEPLOYMENTS}/cart", {"metadata": {"labels": {"a": "b"}}})
    told = {**old, "status": {"replicas": 2}}
    assert (await client("PUT", f"{DEPLOYMENTS}/cart/status", told)).status == 409
    assert (await client("PUT", f"{DEPLOYMENTS}/cart/scale", scale)).status == 409
    stale = {"metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]}}
    assert (await patched(client, f"{DEPLOYMENTS}/cart/scale", stale, 409))["reason"] == "Conflict"


async def test_what_changes_nothing_writes_nothing(client: Client) -> None:
    deployment = await made(client, DEPLOYMENTS, DEPLOYMENT)
    await made(client, MAPS, HELD)
    await client("DELETE", f"{MAPS}/one")
    before = await version(client)
    where = f"{DEPLOYMENTS}/cart"
    writes: tuple[tuple[str, str, Any, str], ...] = (
        ("PUT", where, deployment, "application/json"),
        ("PUT", where, DEPLOYMENT, "application/json"),
        ("PATCH", where, {}, MERGE),
        ("PATCH", where, {"metadata": {"labels": None, "annotations": {}}}, MERGE),
        ("PATCH", where, [], JSON_PATCH),
        ("PATCH", where, {"status": {"replicas": 7}}, MERGE),  # not the status's own path
        ("PUT", f"{where}/status", deployment, "application/json"),
        ("PATCH", f"{where}/status", {"spec": {"replicas": 9}}, MERGE),
        ("PATCH", f"{where}/scale", {"spec": {"replicas": 2}}, MERGE),
        ("DELETE", f"{MAPS}/one", None, "application/json"),  # is going already
    )
    for method, path, body, content_type in writes:
        reply = await client(method, path, body, Content_Type=content_type)
        assert reply.status == 200, (method, path, reply.document)
        assert await version(client) == before, (method, path, body)


async def test_a_generation_counts_what_is_wanted(client: Client) -> None:
    where = f"{DEPLOYMENTS}/cart"
    assert (await made(client, DEPLOYMENTS, DEPLOYMENT))["metadata"]["generation"] == 1
    steps: tuple[tuple[str, Any, int], ...] = (
        (where, {"metadata": {"labels": {"a": "b"}}}, 1),
        (f"{where}/status", {"status": {"replicas": 2, "observedGeneration": 1}}, 1),
        (where, {"spec": {"replicas": 3}}, 2),
        (where, {"spec": {"replicas": 3}}, 2),
        (where, {"metadata": {"generation": 40}}, 2),
        (where, {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}, 3),
    )
    for path, change, generation in steps:
        assert (await patched(client, path, change))["metadata"]["generation"] == generation


async def test_what_the_server_writes_stays_as_it_was(client: Client) -> None:
    first = (await made(client, MAPS, MAP))["metadata"]
    lies = {
        "creationTimestamp": "1999-01-01T00:00:00Z",
        "deletionTimestamp": "1999-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 7,
        "selfLink": "/nowhere",
    }
    kept = await patched(client, f"{MAPS}/one", {"metadata": lies, "data": {"a": "2"}})
    names = ("uid", "creationTimestamp", "name", "namespace")
    assert {key: kept["metadata"][key] for key in names} == {key: first[key] for key in names}
    assert not {"deletionTimestamp", "selfLink"} & set(kept["metadata"])
    born = await made(client, MAPS, {"metadata": {"name": "two", "uid": "mine", **lies}})
    assert born["metadata"]["uid"] != "mine"
    assert born["metadata"]["creationTimestamp"] == first["creationTimestamp"]
    assert not {"deletionTimestamp", "selfLink"} & set(born["metadata"])


async def test_an_update_makes_nothing_that_is_not_there(client: Client) -> None:
    for method, content_type in (("PUT", "application/json"), ("PATCH", MERGE)):
        reply = await client(method, f"{MAPS}/one", MAP, Content_Type=content_type)
        assert (reply.status, reply.document["reason"]) == (404, "NotFound")
        assert reply.document["message"] == 'configmaps "one" not found'
        assert reply.document["details"] == {"name": "one", "kind": "configmaps"}


async def test_an_object_keeps_its_kind_and_its_namespace(client: Client) -> None:
    await made(client, MAPS, MAP)
    for other, words in (
        ({"kind": "Secret"}, "does not match the expected API version (v1, Kind=ConfigMap)"),
        ({"apiVersion": "v2"}, "does not match the expected API version (v1, Kind=ConfigMap)"),
        ({"metadata": {"name": "one", "namespace": "default"}}, "does not match the namespace"),
    ):
        sent = await client("PUT", f"{MAPS}/one", {**MAP, **other})
        changed = await client("PATCH", f"{MAPS}/one", other, Content_Type=MERGE)
        assert sent.status == 400 and words in sent.document["message"]
        if "metadata" not in other:
            assert changed.status == 400 and words in changed.document["message"]


async def test_no_write_is_acknowledged_that_does_not_last(registry: Registry, kind: Kinds) -> None:
    """Not even one that changes nothing, of an object that somebody else has just changed."""
    maps, plain = kind(CONFIG_MAPS), WriteOptions()
    typed = {"apiVersion": "v1", "kind": "ConfigMap"}
    given = {**typed, "metadata": {"name": "one", "finalizers": ["example.com/hold"]}}
    held = (await registry.create(maps, "shop", given, plain)).record.document
    journal: Any = registry.store._journal

    def full(*arguments: Any) -> None:
        raise OSError("no space left on device")

    journal.commit = full
    changed = {**held, "data": {"a": "2"}}
    with pytest.raises(StoreFailed):
        await registry.update(maps, "shop", "one", lambda old: changed, plain)
    registry.store.put(("", "configmaps"), changed)
    with pytest.raises(StoreFailed):
        await registry.update(maps, "shop", "one", lambda old: old, plain)
    going = {"deletionTimestamp": "2026-01-01T12:00:00Z", "deletionGracePeriodSeconds": 0}
    registry.store.put(("", "configmaps"), {**held, "metadata": {**held["metadata"], **going}})
    with pytest.raises(StoreFailed):
        await registry.delete(maps, "shop", "one", DeleteOptions())
    assert registry.get(maps, "shop", "one").document == held


# -- dry runs and unknown fields


async def test_a_dry_run_of_anything_writes_nothing(client: Client) -> None:
    for path, body in ((MAPS, MAP), (PODS, POD), (DEPLOYMENTS, DEPLOYMENT)):
        await made(client, path, body)
    before, dry = await version(client), "dryRun=All"
    binding = {"target": {"name": "node-1"}}
    writes: tuple[tuple[str, str, Any, str], ...] = (
        ("POST", MAPS, {"metadata": {"generateName": "two-"}}, ""),
        ("POST", f"{PODS}/web/binding", binding, ""),
        ("PATCH", f"{MAPS}/one", {"data": {"a": "2"}}, MERGE),
        ("PATCH", f"{DEPLOYMENTS}/cart/scale", {"spec": {"replicas": 9}}, MERGE),
        ("PATCH", f"{PODS}/web/status", {"status": {"phase": "Running"}}, MERGE),
        ("DELETE", f"{MAPS}/one", None, ""),
        ("DELETE", MAPS, None, ""),
        ("DELETE", SHOP, None, ""),
    )
    for method, path, body, content_type in writes:
        content_type = content_type or "application/json"
        reply = await client(method, f"{path}?{dry}", body, Content_Type=content_type)
        assert reply.status < 300, (path, reply.document)
        assert await version(client) == before, (method, path)
    assert (await client("DELETE", MAPS, {"dryRun": ["All"]})).status == 200
    assert await version(client) == before


async def test_a_dry_run_is_refused_as_the_write_would_be(client: Client) -> None:
    old = await made(client, MAPS, HELD)
    await patched(client, f"{MAPS}/one", {"data": {"a": "2"}})
    assert (await client("POST", f"{MAPS}?dryRun=All", MAP)).status == 409
    assert (await client("PUT", f"{MAPS}/one?dryRun=All", old)).status == 409
    assert (await client("DELETE", f"{MAPS}/two?dryRun=All")).status == 404
    nowhere = MAPS.replace("shop", "nowhere")
    assert (await client("POST", f"{nowhere}?dryRun=All", MAP)).status == 404


async def test_unknown_fields_of_a_change_are_told_as_well(client: Client) -> None:
    await made(client, DEPLOYMENTS, DEPLOYMENT)
    change = {"spec": {"replicas": 3, "replica": 4, "template": {"spec": {"node": "n"}}}}
    where = f"{DEPLOYMENTS}/cart"
    strict = await client("PATCH", f"{where}?fieldValidation=Strict", change, Content_Type=MERGE)
    assert (strict.status, strict.document["reason"]) == (400, "BadRequest")
    for path in ("spec.replica", "spec.template.spec.node"):
        assert f'unknown field "{path}"' in strict.document["message"]
    warned = await client("PATCH", f"{where}?dryRun=All", change, Content_Type=MERGE)
    assert len(warned.warnings) == 2
    silent = await client("PATCH", f"{where}?fieldValidation=Ignore", change, Content_Type=MERGE)
    assert silent.warnings == ()
    assert (await client("GET", where)).document["spec"]["replicas"] == 3


# -- names


class SameDice(random.Random):
    """Draws the same suffix for ever."""

    def choices(self, population: Any, *arguments: Any, k: int = 1, **more: Any) -> list[Any]:
        self.draws = getattr(self, "draws", 0) + 1
        return [population[0]] * k


async def test_a_generated_name_that_is_always_taken_is_given_up(clock: Any, kind: Kinds) -> None:
    dice = SameDice(1)
    addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
    registry = Registry(Store(NoJournal()), addresses, clock, dice)
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await registry.create(kind(NAMESPACES), None, space, WriteOptions())
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    await registry.create(kind(CONFIG_MAPS), "shop", given, WriteOptions())
    assert dice.draws == 1
    with pytest.raises(ApiError, match="already exists") as caught:
        await registry.create(kind(CONFIG_MAPS), "shop", given, WriteOptions())
    assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")
    assert dice.draws == 1 + NAME_ATTEMPTS


# -- deletions


async def test_finalizers_hold_an_object_until_the_last_is_gone(client: Client) -> None:
    await made(client, MAPS, {"metadata": {"name": "one", "finalizers": ["e.com/a", "e.com/b"]}})
    lines = client.lines(f"{MAPS}?watch=true&resourceVersion={await version(client)}")
    marked = await client("DELETE", f"{MAPS}/one")
    assert marked.status == 200
    assert marked.document["kind"] == "ConfigMap"  # not a Status: it is still there
    stamp = marked.document["metadata"]["deletionTimestamp"]
    added = {"metadata": {"finalizers": ["e.com/a", "e.com/b", "e.com/c"]}}
    refused = await patched(client, f"{MAPS}/one", added, 422)
    assert "no new finalizers can be added if the object is being deleted" in refused["message"]
    one = await patched(client, f"{MAPS}/one", {"metadata": {"finalizers": ["e.com/b"]}})
    assert one["metadata"]["deletionTimestamp"] == stamp
    last = await patched(client, f"{MAPS}/one", {"metadata": {"finalizers": []}})
    assert last["metadata"]["deletionTimestamp"] == stamp
    assert (await client("GET", f"{MAPS}/one")).status == 404
    events = [(await anext(lines))["type"] for _ in range(3)]
    assert events == ["MODIFIED", "MODIFIED", "DELETED"]
    await lines.aclose()


async def test_a_dry_run_without_the_last_finalizer_takes_nothing_away(client: Client) -> None:
    await made(client, MAPS, HELD)
    await client("DELETE", f"{MAPS}/one")
    before = await version(client)
    await patched(client, f"{MAPS}/one?dryRun=All", {"metadata": {"finalizers": []}})
    assert await version(client) == before
    assert (await client("GET", f"{MAPS}/one")).status == 200


async def test_preconditions_name_what_they_found(client: Client) -> None:
    held = (await made(client, MAPS, MAP))["metadata"]
    uid, now = held["uid"], held["resourceVersion"]
    for wrong, words in (
        ({"uid": "other"}, f"UID in precondition: other, UID in object meta: {uid}"),
        (
            {"uid": uid, "resourceVersion": "1"},
            f"ResourceVersion in precondition: 1, ResourceVersion in object meta: {now}",
        ),
    ):
        reply = await client("DELETE", f"{MAPS}/one", {"preconditions": wrong})
        assert (reply.status, reply.document["reason"]) == (409, "Conflict")
        assert f'on configmaps "one": Precondition failed: {words}' in reply.document["message"]
    right = {"preconditions": {"uid": uid, "resourceVersion": now}}
    assert (await client("DELETE", f"{MAPS}/one", right)).status == 200
    assert (await client("GET", f"{MAPS}/one")).status == 404


@pytest.mark.parametrize(
    ("propagation", "finalizer"),
    [("Foreground", "foregroundDeletion"), ("Orphan", "orphan"), ("Background", None)],
)
async def test_a_propagation_is_the_finalizer_that_carries_it_out(
    client: Client, propagation: str, finalizer: str | None
) -> None:
    await made(client, MAPS, MAP)
    for given in ({"propagationPolicy": propagation}, None):
        query = "" if given else f"?propagationPolicy={propagation}"
        reply = await client("DELETE", f"{MAPS}/one{query}", given)
        assert reply.status == 200
        if finalizer is None:
            assert reply.document["status"] == "Success"
            return
        assert reply.document["metadata"]["finalizers"] == [finalizer]


async def test_a_namespace_stays_until_its_finalizer_is_gone(client: Client) -> None:
    going = (await client("DELETE", SHOP)).document
    assert going["status"]["phase"] == "Terminating"
    assert going["spec"]["finalizers"] == ["kubernetes"]
    reply = await client("POST", MAPS, MAP)
    assert (reply.status, reply.document["reason"]) == (403, "Forbidden")
    assert reply.document["message"] == (
        'configmaps "one" is forbidden: unable to create new content in namespace shop because '
        "it is being terminated"
    )
    emptied = {**going, "spec": {"finalizers": []}}
    assert (await client("PUT", f"{SHOP}/finalize", emptied)).status == 200
    assert (await client("GET", SHOP)).status == 404
    missing = await client("POST", MAPS, MAP)
    assert missing.document["message"] == 'namespaces "shop" not found'


async def test_many_are_deleted_as_each_would_be(client: Client) -> None:
    await made(client, MAPS, HELD)
    for name in ("two", "three"):
        await made(client, MAPS, {"metadata": {"name": name}})
    chosen = await client("DELETE", f"{MAPS}?fieldSelector=metadata.name%3Dtwo")
    assert [each["metadata"]["name"] for each in chosen.document["items"]] == ["two"]
    answer = (await client("DELETE", MAPS)).document
    assert answer["kind"] == "ConfigMapList"
    assert [each["metadata"]["name"] for each in answer["items"]] == ["one", "three"]
    left = (await client("GET", MAPS)).document["items"]
    assert [each["metadata"]["name"] for each in left] == ["one"]
    assert "deletionTimestamp" in left[0]["metadata"]
    assert (await client("DELETE", f"{MAPS}?labelSelector=((")).status == 400
