"""Objects and lists in the forms that clients accept."""

from typing import Any

import yaml

Client = Any

MAPS = "/api/v1/namespaces/shop/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


async def filled(client: Client, *names: str) -> None:
    for name in names:
        body = {"metadata": {"name": name, "labels": {"app": name}}, "data": {"a": "1"}}
        assert (await client("POST", MAPS, body)).status == 201


def names(document: dict[str, Any]) -> list[str]:
    return [each["metadata"]["name"] for each in document["items"]]


async def test_a_list_is_ordered_and_has_the_version_to_watch_from(client: Client) -> None:
    await filled(client, "b", "a")
    listed = (await client("GET", MAPS)).document
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert names(listed) == ["a", "b"]
    newest = max(int(each["metadata"]["resourceVersion"]) for each in listed["items"])
    assert int(listed["metadata"]["resourceVersion"]) >= newest


async def test_all_namespaces_are_one_list(client: Client) -> None:
    await filled(client, "a")
    elsewhere = MAPS.replace("shop", "default")
    await client("POST", elsewhere, {"metadata": {"name": "z"}})
    listed = (await client("GET", "/api/v1/configmaps")).document
    places = [each["metadata"]["namespace"] for each in listed["items"]]
    assert places == ["default", "shop"]


async def test_pages_are_of_one_state_and_say_what_remains(client: Client) -> None:
    await filled(client, "a", "b", "c")
    first = (await client("GET", f"{MAPS}?limit=2")).document
    assert names(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    await client("DELETE", f"{MAPS}/c")
    token = first["metadata"]["continue"]
    second = (await client("GET", f"{MAPS}?limit=2&continue={token}")).document
    assert names(second) == ["c"]
    assert "continue" not in second["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_an_old_page_is_expired_and_a_negative_limit_is_none(
    client: Client, clock: Any
) -> None:
    await filled(client, "a", "b")
    token = (await client("GET", f"{MAPS}?limit=1")).document["metadata"]["continue"]
    clock.elapsed = 3600.0
    reply = await client("GET", f"{MAPS}?limit=1&continue={token}")
    assert (reply.status, reply.document["reason"]) == (410, "Expired")
    assert (await client("GET", f"{MAPS}?continue=nonsense")).status == 400
    assert names((await client("GET", f"{MAPS}?limit=-1")).document) == ["a", "b"]


async def test_a_page_is_of_the_list_that_it_was_begun_in(client: Client) -> None:
    """A token names objects: with another path it would show what was not asked for."""
    await filled(client, "a", "b", "c")
    token = (await client("GET", f"{MAPS}?limit=1")).document["metadata"]["continue"]
    for path in (MAPS.replace("configmaps", "secrets"), MAPS.replace("shop", "default")):
        reply = await client("GET", f"{path}?limit=1&continue={token}")
        assert (reply.status, reply.document["reason"]) == (400, "BadRequest")
    rest = (await client("GET", f"{MAPS}?continue={token}")).document  # no limit: all that is left
    assert names(rest) == ["b", "c"]


async def test_a_table_of_a_list_of_pages(client: Client) -> None:
    await filled(client, "a", "b")
    reply = await client("GET", f"{MAPS}?limit=1", Accept=TABLE)
    made = reply.document
    assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [each["cells"][:2] for each in made["rows"]] == [["a", 1]]
    assert made["metadata"]["remainingItemCount"] == 1
    shown = made["rows"][0]["object"]
    assert shown["kind"] == "PartialObjectMetadata"
    assert shown["metadata"]["labels"] == {"app": "a"}


async def test_a_single_object_as_a_table(client: Client) -> None:
    await filled(client, "a")
    made = (await client("GET", f"{MAPS}/a?includeObject=Object", Accept=TABLE)).document
    assert made["rows"][0]["object"]["data"] == {"a": "1"}
    version = made["rows"][0]["object"]["metadata"]["resourceVersion"]
    assert made["metadata"]["resourceVersion"] == version
    reply = await client("GET", f"{MAPS}/a?includeObject=All", Accept=TABLE)
    assert (reply.status, reply.document["reason"]) == (400, "BadRequest")


async def test_metadata_alone(client: Client) -> None:
    await filled(client, "a")
    listed = (await client("GET", MAPS, Accept=METADATA)).document
    assert listed["kind"] == "PartialObjectMetadataList"
    assert "data" not in listed["items"][0]
    one = (await client("GET", f"{MAPS}/a", Accept=METADATA.replace("List", ""))).document
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")


async def test_yaml_where_it_is_asked_for(client: Client) -> None:
    await filled(client, "a")
    reply = await client("GET", f"{MAPS}/a", Accept="application/yaml")
    assert reply.headers["Content-Type"].startswith("application/yaml")
    assert yaml.safe_load(reply.document)["data"] == {"a": "1"}
    listed = await client("GET", MAPS, Accept="application/yaml")
    assert names(yaml.safe_load(listed.document)) == ["a"]


async def test_protobuf_first_and_json_second_gets_json(client: Client) -> None:
    accept = "application/vnd.kubernetes.protobuf,application/json"
    reply = await client("GET", MAPS, Accept=accept)
    assert reply.headers["Content-Type"] == "application/json"
    assert (await client("GET", MAPS, Accept="text/html")).status == 406


async def test_selectors_choose_from_a_list(client: Client) -> None:
    await filled(client, "a", "b")
    by_label = (await client("GET", f"{MAPS}?labelSelector=app+in+(a,z)")).document
    assert names(by_label) == ["a"]
    by_field = (await client("GET", f"{MAPS}?fieldSelector=metadata.name!%3Da")).document
    assert names(by_field) == ["b"]
    assert (await client("GET", f"{MAPS}?fieldSelector=data.a%3D1")).status == 400


async def test_one_object_is_at_least_as_new_as_the_version_that_is_asked_for(
    client: Client,
) -> None:
    await filled(client, "a")
    held = (await client("GET", f"{MAPS}/a")).document["metadata"]["resourceVersion"]
    for version in ("", "0", "1", held):
        assert (await client("GET", f"{MAPS}/a?resourceVersion={version}")).status == 200
    future = await client("GET", f"{MAPS}/a?resourceVersion=99999999")
    assert (future.status, future.document["reason"]) == (504, "Timeout")
    assert future.document["message"].startswith("Timeout: Too large resource version: 99999999")
    assert (await client("GET", f"{MAPS}/a?resourceVersion=abc")).status == 400
