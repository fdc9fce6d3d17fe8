"""Server-side apply and the managers of fields, as clients see them."""

import json
from typing import Any

import pytest

from control.resources.apply.last_applied import ANNOTATION
from tests.control.apiserver.conftest import Client, Reply

MAPS = "/api/v1/namespaces/shop/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def config(name: str = "one", **data: str) -> dict[str, Any]:
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    return {**made, "data": data} if data else made


async def apply(client: Client, body: Any, manager: str = "me", more: str = "") -> Reply:
    name = body["metadata"]["name"]
    path = f"{MAPS}/{name}?fieldManager={manager}{more}"
    return await client("PATCH", path, body, Content_Type=APPLY)


def managers(document: Any) -> dict[tuple[str, str], Any]:
    entries = document["metadata"].get("managedFields", ())
    return {(each["manager"], each["operation"]): each["fieldsV1"] for each in entries}


async def test_what_is_not_there_is_made_and_what_is_the_same_is_left(client: Client) -> None:
    first = await apply(client, config(a="1"))
    assert first.status == 201
    assert managers(first.document) == {("me", "Apply"): {"f:data": {"f:a": {}}}}
    again = await apply(client, config(a="1"))
    assert (again.status, again.document) == (200, first.document)
    left_out = await apply(client, config(b="2"))
    assert left_out.document["data"] == {"b": "2"}


async def test_yaml_is_read_too(client: Client) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: '1'}\n"
    path = f"{MAPS}/one?fieldManager=me"
    assert (await client("PATCH", path, data=text, Content_Type=APPLY)).status == 201


async def test_a_conflict_names_field_and_manager_and_force_takes(client: Client) -> None:
    await apply(client, config(a="1", b="1"))
    refused = await apply(client, config(a="2"), "you")
    assert (refused.status, refused.document["reason"]) == (409, "Conflict")
    assert refused.document["message"] == (
        'Apply failed with 1 conflict: conflict with "me": .data.a'
    )
    (cause,) = refused.document["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.a")
    forced = await apply(client, config(a="2"), "you", "&force=true")
    assert forced.document["data"] == {"a": "2", "b": "1"}
    assert managers(forced.document) == {
        ("me", "Apply"): {"f:data": {"f:b": {}}},
        ("you", "Apply"): {"f:data": {"f:a": {}}},
    }


async def test_updates_are_tracked_by_the_clients_name(client: Client) -> None:
    made = await client("POST", MAPS, config(a="1"), User_Agent="kubectl-create/v1.37 (linux)")
    assert managers(made.document) == {
        ("kubectl-create", "Update"): {"f:data": {".": {}, "f:a": {}}}
    }
    patch = {"data": {"a": "2"}}
    path = f"{MAPS}/one?fieldManager=patcher"
    patched = await client("PATCH", path, patch, Content_Type=MERGE)
    assert managers(patched.document) == {
        ("kubectl-create", "Update"): {"f:data": {}},
        ("patcher", "Update"): {"f:data": {"f:a": {}}},
    }
    conflict = await apply(client, config(a="3"))
    assert 'conflict with "patcher" using v1: ' in conflict.document["message"]


async def test_the_clusters_own_parts_manage_nothing(client: Client) -> None:
    made = await client("POST", MAPS, config(a="1"), User_Agent="kubehop/1")
    assert "managedFields" not in made.document["metadata"]


async def test_what_an_applier_has_to_say(client: Client) -> None:
    nobody = await client("PATCH", f"{MAPS}/one", config(), Content_Type=APPLY)
    assert nobody.status == 422 and "fieldManager: Required value" in nobody.document["message"]
    given = config()
    given["metadata"]["managedFields"] = [{"manager": "x"}]
    assert (await apply(client, given)).document["message"] == "metadata.managedFields must be nil"
    path = f"{MAPS}/other?fieldManager=me"
    other = await client("PATCH", path, config("one"), Content_Type=APPLY)
    assert other.status == 400 and "does not match the name on the URL" in other.document["message"]
    twice = {**config(), "kind": "Secret"}
    assert (await apply(client, twice)).status == 400


async def test_a_resource_version_in_a_configuration_is_a_lock(client: Client) -> None:
    made = await apply(client, config(a="1"))
    locked = config(a="2")
    locked["metadata"]["resourceVersion"] = made.document["metadata"]["resourceVersion"]
    assert (await apply(client, locked)).status == 200
    locked["data"]["a"] = "3"
    assert (await apply(client, locked)).status == 409


async def test_managers_can_be_forgotten_and_rewritten(client: Client) -> None:
    made = await apply(client, config(a="1"))
    entries = made.document["metadata"]["managedFields"]
    renamed = [{**entries[0], "manager": "heir"}]
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": renamed}]
    moved = await client("PATCH", f"{MAPS}/one", patch, Content_Type=JSON_PATCH)
    assert list(managers(moved.document)) == [("heir", "Apply")]
    reset = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
    gone = await client("PATCH", f"{MAPS}/one", reset, Content_Type=JSON_PATCH)
    assert managers(gone.document) == {}


async def test_kubectl_takes_over_what_its_client_side_left(client: Client) -> None:
    body = config(a="1", b="1")
    text = json.dumps(config(a="1", b="1"))
    body["metadata"]["annotations"] = {ANNOTATION: text}
    await client("POST", f"{MAPS}?fieldManager=kubectl-client-side-apply", body)
    await client("PATCH", f"{MAPS}/one?fieldManager=edit", {"data": {"b": "2"}}, Content_Type=MERGE)
    assert (await apply(client, config(a="9"), "kubectl")).document["data"]["a"] == "9"
    refused = await apply(client, config(a="9", b="9"), "kubectl")
    assert refused.status == 409 and '"edit"' in refused.document["message"]
    assert (await apply(client, config(a="8"), "helm")).status == 409


async def test_a_dry_run_shows_and_stores_nothing(client: Client) -> None:
    shown = await apply(client, config(a="1"), more="&dryRun=All")
    assert shown.status == 201 and managers(shown.document)
    assert (await client("GET", f"{MAPS}/one")).status == 404


async def test_items_that_cannot_be_told_apart_are_refused(client: Client) -> None:
    """A list of variables may have twins, but nobody can apply them."""
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    spec = {"containers": [{"name": "web", "image": "a", "env": env}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    path = "/api/v1/namespaces/shop/pods/web?fieldManager=me"
    refused = await client("PATCH", path, body, Content_Type=APPLY)
    assert refused.status == 422
    assert 'duplicate entries for key [{"name":"A"}]' in refused.document["message"]
    assert (await client("POST", "/api/v1/namespaces/shop/pods", body)).status == 201
    labelled = {"metadata": {"labels": {"x": "y"}}}
    patched = await client("PATCH", path, labelled, Content_Type=MERGE)
    assert patched.status == 200


async def test_status_is_applied_at_its_own_endpoint(client: Client) -> None:
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "web", "image": "a"}]},
        },
    }
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    await client("POST", DEPLOYMENTS, {**body, "spec": spec})
    status = {**body, "status": {"replicas": 3}}
    path = f"{DEPLOYMENTS}/web/status?fieldManager=me"
    applied = await client("PATCH", path, status, Content_Type=APPLY)
    assert applied.document["status"]["replicas"] == 3
    entry = applied.document["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["subresource"]) == ("me", "status")
    assert applied.document["metadata"]["generation"] == 1
    missing = f"{DEPLOYMENTS}/other/status?fieldManager=me"
    assert (
        await client(
            "PATCH", missing, {**status, "metadata": {"name": "other"}}, Content_Type=APPLY
        )
    ).status == 404


async def test_a_scale_is_a_part_with_managers_of_its_own(client: Client) -> None:
    body = deployment()
    path = f"{DEPLOYMENTS}/web"
    await client("PATCH", f"{path}?fieldManager=me", body, Content_Type=APPLY)
    scale = {"spec": {"replicas": 5}}
    scaler = f"{path}/scale?fieldManager=scaler"
    assert (await client("PATCH", scaler, scale, Content_Type=MERGE)).status == 200
    again = await client("PATCH", f"{path}?fieldManager=me", body, Content_Type=APPLY)
    assert again.status == 409
    words = 'conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    assert again.document["message"] == f"Apply failed with 1 conflict: {words}"


async def test_a_scale_is_applied(client: Client) -> None:
    path = f"{DEPLOYMENTS}/web"
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
    body = {**scale, "spec": {"replicas": 5}}
    scaler = f"{path}/scale?fieldManager=scaler"
    missing = await client("PATCH", scaler, body, Content_Type=APPLY)
    assert (missing.status, missing.document["reason"]) == (404, "NotFound")
    await client("PATCH", f"{path}?fieldManager=me", deployment(), Content_Type=APPLY)
    refused = await client("PATCH", scaler, body, Content_Type=APPLY)
    assert refused.status == 409 and '"me": .spec.replicas' in refused.document["message"]
    forced = await client("PATCH", f"{scaler}&force=true", body, Content_Type=APPLY)
    assert (forced.document["kind"], forced.document["spec"]) == ("Scale", {"replicas": 5})
    held = (await client("GET", path)).document
    assert held["spec"]["replicas"] == 5
    entries = {each["manager"]: each for each in held["metadata"]["managedFields"]}
    assert entries["scaler"]["subresource"] == "scale"
    assert entries["scaler"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in entries["me"]["fieldsV1"]["f:spec"]


@pytest.mark.parametrize(
    ("query", "content_type", "words"),
    [
        (f"fieldManager={'x' * 129}", MERGE, "fieldManager: Too long: may not be more than 128"),
        ("fieldManager=a%07", APPLY, "should only contain printable characters"),
        ("force=true", MERGE, "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
async def test_what_makes_no_sense_of_a_manager_is_refused(
    client: Client, query: str, content_type: str, words: str
) -> None:
    reply = await client("PATCH", f"{MAPS}/one?{query}", config(a="1"), Content_Type=content_type)
    assert (reply.status, reply.document["reason"]) == (422, "Invalid")
    assert words in reply.document["message"]


async def test_who_means_another_object_makes_none(client: Client) -> None:
    """A uid in a configuration is of an object that was there before."""
    body = config(a="1")
    body["metadata"]["uid"] = "5"
    refused = await apply(client, body, "me")
    assert refused.status == 409 and "uid mismatch" in refused.document["message"]
    assert (await client("GET", f"{MAPS}/one")).status == 404


def deployment() -> dict[str, Any]:
    labels = {"a": "b"}
    containers = [{"name": "web", "image": "a"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
