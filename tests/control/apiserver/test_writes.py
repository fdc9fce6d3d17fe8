"""POST, PUT, PATCH and DELETE over a real socket."""

import asyncio
from typing import Any

import pytest

Client = Any

MAPS = "/api/v1/namespaces/shop/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
PODS = "/api/v1/namespaces/shop/pods"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

MAP = {"metadata": {"name": "one"}, "data": {"a": "1"}}
POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
DEPLOYMENT = {
    "metadata": {"name": "cart"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "cart"}},
        "template": {"metadata": {"labels": {"app": "cart"}}, "spec": POD["spec"]},
    },
}


async def test_a_new_object_is_complete(client: Client) -> None:
    reply = await client("POST", MAPS, MAP)
    assert reply.status == 201
    made = reply.document
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert made["metadata"]["namespace"] == "shop"
    assert made["metadata"]["creationTimestamp"] == "2026-01-01T12:00:00Z"
    assert {"uid", "resourceVersion"} <= set(made["metadata"])
    again = await client("POST", MAPS, MAP)
    assert (again.status, again.document["reason"]) == (409, "AlreadyExists")


async def test_a_manifest_may_be_yaml(client: Client) -> None:
    manifest = b"metadata: {name: one}\ndata: {a: '1'}\n"
    reply = await client("POST", MAPS, data=manifest, Content_Type="application/yaml")
    assert reply.document["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/v1/configmaps", MAP, 400, "namespace"),
        (MAPS.replace("shop", "nowhere"), MAP, 404, 'namespaces "nowhere" not found'),
        (MAPS, {**MAP, "kind": "Secret"}, 400, "does not match"),
        (MAPS, {"metadata": {"name": "a", "namespace": "default"}}, 400, "namespace"),
        (MAPS, [], 400, "not an object"),
        (f"{MAPS}/one", MAP, 405, "method"),
        (MAPS, {"metadata": {"name": "Not Valid"}}, 422, "metadata.name"),
    ],
)
async def test_what_cannot_be_created_says_why(
    client: Client, path: str, body: Any, status: int, words: str
) -> None:
    reply = await client("POST", path, body)
    assert reply.status == status
    assert words in reply.document["message"]
    assert reply.document["kind"] == "Status"


async def test_unknown_fields_are_told_refused_or_ignored_and_never_stored(client: Client) -> None:
    body = {**MAP, "dada": {}}
    strict = await client("POST", f"{MAPS}?fieldValidation=Strict", body)
    assert strict.status == 400
    assert 'strict decoding error: unknown field "dada"' in strict.document["message"]
    warned = await client("POST", MAPS, body)
    assert warned.status == 201
    assert warned.warnings == ('299 - "unknown field \\"dada\\""',)
    assert "dada" not in warned.document
    ignored = await client("PUT", f"{MAPS}/one?fieldValidation=Ignore", body)
    assert (ignored.status, ignored.warnings) == (200, ())
    assert (await client("POST", f"{MAPS}?fieldValidation=Perhaps", MAP)).status == 422


async def test_a_dry_run_answers_and_stores_nothing(client: Client) -> None:
    tried = await client("POST", f"{MAPS}?dryRun=All", MAP)
    assert tried.status == 201
    assert (await client("GET", f"{MAPS}/one")).status == 404
    await client("POST", MAPS, MAP)
    changed = await client("PUT", f"{MAPS}/one?dryRun=All", {**MAP, "data": {"a": "2"}})
    assert changed.document["data"] == {"a": "2"}
    assert (await client("DELETE", f"{MAPS}/one", {"dryRun": ["All"]})).status == 200
    kept = await client("GET", f"{MAPS}/one")
    assert kept.document["data"] == {"a": "1"}
    assert (await client("POST", f"{MAPS}?dryRun=Some", MAP)).status == 422


async def test_an_update_that_changes_nothing_writes_nothing(client: Client) -> None:
    made = (await client("POST", MAPS, MAP)).document
    same = (await client("PUT", f"{MAPS}/one", made)).document
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    other = (await client("PUT", f"{MAPS}/one", {**made, "data": {"a": "2"}})).document
    assert int(other["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert other["metadata"]["uid"] == made["metadata"]["uid"]


async def test_an_old_version_conflicts(client: Client) -> None:
    made = (await client("POST", MAPS, MAP)).document
    await client("PUT", f"{MAPS}/one", {**made, "data": {"a": "2"}})
    for method, body in (("PUT", made), ("PATCH", {"metadata": made["metadata"]})):
        kind = MERGE if method == "PATCH" else "application/json"
        reply = await client(method, f"{MAPS}/one", body, Content_Type=kind)
        assert (reply.status, reply.document["reason"]) == (409, "Conflict")
        assert "the object has been modified" in reply.document["message"]


async def test_an_update_keeps_to_its_object(client: Client) -> None:
    await client("POST", MAPS, MAP)
    renamed = await client("PUT", f"{MAPS}/one", {**MAP, "metadata": {"name": "two"}})
    assert renamed.status == 400
    other = {**MAP, "metadata": {"name": "one", "uid": "another"}}
    assert (await client("PUT", f"{MAPS}/one", other)).status == 409
    assert (await client("PUT", f"{MAPS}/nobody", MAP)).status in (400, 404)


async def test_racing_patches_are_all_kept(client: Client) -> None:
    await client("POST", MAPS, MAP)
    patches = [{"data": {f"k{number}": "v"}} for number in range(20)]
    sent = [client("PATCH", f"{MAPS}/one", each, Content_Type=MERGE) for each in patches]
    assert {each.status for each in await asyncio.gather(*sent)} == {200}
    held = (await client("GET", f"{MAPS}/one")).document["data"]
    assert set(held) == {"a", *(f"k{number}" for number in range(20))}


async def test_the_status_and_the_rest_are_written_apart(client: Client) -> None:
    made = (await client("POST", PODS, POD)).document
    assert made["status"]["phase"] == "Pending"
    told = {"status": {"phase": "Running"}, "metadata": {"name": "web"}, "spec": {"nodeName": "n"}}
    reported = await client("PUT", f"{PODS}/web/status", {**made, **told})
    assert reported.document["status"]["phase"] == "Running"
    assert "nodeName" not in reported.document["spec"]
    lied = {"status": {"phase": "Failed"}, "metadata": {"labels": {"a": "b"}}}
    changed = await client("PATCH", f"{PODS}/web", lied, Content_Type=MERGE)
    assert changed.document["status"]["phase"] == "Running"
    assert changed.document["metadata"]["labels"] == {"a": "b"}


async def test_the_scale_of_a_deployment(client: Client) -> None:
    made = (await client("POST", DEPLOYMENTS, DEPLOYMENT)).document
    scale = (await client("GET", f"{DEPLOYMENTS}/cart/scale")).document
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 2)
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    shown = (await client("GET", f"{DEPLOYMENTS}/cart/scale", Accept=table)).document
    assert [each["name"] for each in shown["columnDefinitions"]][1:3] == ["Desired", "Available"]
    assert shown["rows"][0]["cells"] == ["cart", 2, 0, "0s"]
    wanted = {"spec": {"replicas": 5}}
    reply = await client("PATCH", f"{DEPLOYMENTS}/cart/scale", wanted, Content_Type=MERGE)
    assert reply.document["spec"]["replicas"] == 5
    held = (await client("GET", f"{DEPLOYMENTS}/cart")).document
    assert held["spec"]["replicas"] == 5
    assert held["metadata"]["generation"] == made["metadata"]["generation"] + 1
    old = {**scale, "spec": {"replicas": 1}}
    assert (await client("PUT", f"{DEPLOYMENTS}/cart/scale", old)).status == 409


async def test_a_binding_puts_a_pod_on_a_node_once(client: Client) -> None:
    await client("POST", PODS, POD)
    binding = {"target": {"kind": "Node", "name": "node-1"}}
    reply = await client("POST", f"{PODS}/web/binding", binding)
    assert (reply.status, reply.document["status"]) == (201, "Success")
    assert (await client("GET", f"{PODS}/web")).document["spec"]["nodeName"] == "node-1"
    assert (await client("POST", f"{PODS}/web/binding", binding)).status == 409
    assert (await client("POST", f"{PODS}/web/binding", {"target": "node-1"})).status == 400


async def test_a_deletion_answers_with_the_object_or_a_status_by_kind(client: Client) -> None:
    uid = (await client("POST", MAPS, MAP)).document["metadata"]["uid"]
    gone = (await client("DELETE", f"{MAPS}/one")).document
    assert (gone["kind"], gone["status"]) == ("Status", "Success")
    assert (gone["details"]["name"], gone["details"]["uid"]) == ("one", uid)
    await client("POST", PODS, POD)
    pod = (await client("DELETE", f"{PODS}/web")).document
    assert (pod["kind"], pod["metadata"]["name"]) == ("Pod", "web")
    assert (await client("DELETE", f"{PODS}/web")).status == 404


async def test_a_deletion_only_of_the_object_that_is_meant(client: Client) -> None:
    await client("POST", MAPS, MAP)
    for wrong in ({"uid": "another"}, {"resourceVersion": "1"}):
        reply = await client("DELETE", f"{MAPS}/one", {"preconditions": wrong})
        assert (reply.status, reply.document["reason"]) == (409, "Conflict")
    assert (await client("GET", f"{MAPS}/one")).status == 200


async def test_many_are_deleted_by_their_labels(client: Client) -> None:
    for name, app in (("a", "cart"), ("b", "cart"), ("c", "web")):
        await client("POST", MAPS, {"metadata": {"name": name, "labels": {"app": app}}})
    reply = await client("DELETE", f"{MAPS}?labelSelector=app%3Dcart")
    assert [each["metadata"]["name"] for each in reply.document["items"]] == ["a", "b"]
    left = (await client("GET", MAPS)).document["items"]
    assert [each["metadata"]["name"] for each in left] == ["c"]
    assert (await client("DELETE", "/api/v1/configmaps")).status == 405


async def test_two_who_delete_many_at_once_both_succeed(client: Client) -> None:
    for number in range(10):
        await client("POST", MAPS, {"metadata": {"name": f"m{number}"}})
    replies = await asyncio.gather(*(client("DELETE", MAPS) for _ in range(3)))
    assert {each.status for each in replies} == {200}
    assert (await client("GET", MAPS)).document["items"] == []


async def test_patches_of_types_that_are_not_served(client: Client) -> None:
    await client("POST", MAPS, MAP)
    reply = await client("PATCH", f"{MAPS}/one", MAP, Content_Type="application/cbor")
    assert (reply.status, reply.document["reason"]) == (415, "UnsupportedMediaType")
    assert (await client("PATCH", f"{MAPS}/one", {}, Content_Type="text/plain")).status == 415
    assert (await client("PATCH", MAPS, {}, Content_Type=MERGE)).status == 405


async def test_strategic_patches_merge_lists_by_their_keys(client: Client) -> None:
    await client("POST", DEPLOYMENTS, DEPLOYMENT)
    more = {"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "fluentd"}]}}}}
    reply = await client("PATCH", f"{DEPLOYMENTS}/cart", more, Content_Type=STRATEGIC)
    containers = reply.document["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in containers} == {"web", "log"}
