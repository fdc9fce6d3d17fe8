"""Watches over a real socket: what is told, in which form, and how they end."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.objects.resources import CONFIG_MAPS, Resource
from control.apiserver import watch as module
from control.apiserver.codec import Accepted
from control.apiserver.registry import Registry
from control.apiserver.watch import TIMEOUT_SECONDS_MIN, WatchRequest
from control.resources.kinds import Kind

MAPS = "/api/v1/namespaces/shop/configmaps"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

Kinds = Callable[[Resource], Kind]
Client = Any


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"a": "1"}}


async def told(lines: AsyncIterator[dict[str, Any]]) -> tuple[str, str]:
    event = await anext(lines)
    return event["type"], event["object"]["metadata"]["name"]


async def newest(client: Client) -> str:
    return str((await client("GET", MAPS)).document["metadata"]["resourceVersion"])


async def test_without_a_version_it_begins_with_what_is_there(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    for query in ("watch=true", "watch=1&resourceVersion=0", "watch=True&resourceVersion="):
        lines = client.lines(f"{MAPS}?{query}")
        assert await told(lines) == ("ADDED", "one")
        await lines.aclose()


async def test_with_a_version_it_tells_what_came_after(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    version = await newest(client)
    await client("POST", MAPS, config_map("two"))
    lines = client.lines(f"{MAPS}?watch=true&resourceVersion={version}")
    assert await told(lines) == ("ADDED", "two")
    await client("PATCH", f"{MAPS}/one", {"data": {"a": "2"}}, Content_Type=MERGE)
    assert await told(lines) == ("MODIFIED", "one")
    await client("DELETE", f"{MAPS}/two")
    assert await told(lines) == ("DELETED", "two")
    await lines.aclose()


async def test_a_selection_sees_who_comes_and_who_goes(client: Client) -> None:
    lines = client.lines(f"{MAPS}?watch=true&labelSelector=app%3Dcart")
    await client("POST", MAPS, config_map("one", app="cart"))
    assert await told(lines) == ("ADDED", "one")
    away = {"metadata": {"labels": {"app": "web"}}}
    await client("PATCH", f"{MAPS}/one", away, Content_Type=MERGE)
    event = await anext(lines)
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"app": "cart"}
    await client("PATCH", f"{MAPS}/one", {"data": {"a": "3"}}, Content_Type=MERGE)
    back = {"metadata": {"labels": {"app": "cart"}}}
    await client("PATCH", f"{MAPS}/one", back, Content_Type=MERGE)
    assert await told(lines) == ("ADDED", "one")
    await lines.aclose()


async def test_one_object_is_watched_by_its_path_or_its_name(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    await client("POST", MAPS, config_map("two"))
    for path in (f"{MAPS}/two?watch=true", f"{MAPS}?watch=true&fieldSelector=metadata.name%3Dtwo"):
        lines = client.lines(path)
        assert await told(lines) == ("ADDED", "two")
        await client("PATCH", f"{MAPS}/one", {"data": {"b": path}}, Content_Type=MERGE)
        await client("PATCH", f"{MAPS}/two", {"data": {"b": path}}, Content_Type=MERGE)
        assert await told(lines) == ("MODIFIED", "two")
        await lines.aclose()


async def test_a_table_has_its_columns_once(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    lines = client.lines(f"{MAPS}?watch=true", Accept=TABLE)
    first = (await anext(lines))["object"]
    await client("POST", MAPS, config_map("two"))
    second = (await anext(lines))["object"]
    assert [each["name"] for each in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["columnDefinitions"] == []
    assert second["rows"][0]["cells"] == ["two", 1, "0s"]
    assert second["metadata"]["resourceVersion"] == await newest(client)
    await lines.aclose()


async def test_a_version_that_is_forgotten_or_of_another_store_is_expired_in_the_stream(
    client: Client,
) -> None:
    version = int(await newest(client))
    for unknown in (version + 1000, 0 - 1):
        events = [e async for e in client.lines(f"{MAPS}?watch=true&resourceVersion={unknown}")]
        [event] = events
        assert event["type"] == "ERROR"
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_its_time_ends_it(client: Client, clock: Any, registry: Registry) -> None:
    lines = client.lines(f"{MAPS}?watch=true&timeoutSeconds=5")
    await client("POST", MAPS, config_map("one"))
    assert await told(lines) == ("ADDED", "one")
    clock.elapsed = 6.0
    await client("POST", MAPS, config_map("two"))
    assert await told(lines) == ("ADDED", "two")
    assert [each async for each in lines] == []


async def test_bookmarks_come_only_to_who_asks_and_say_how_far_it_is(
    client: Client, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOOKMARK_SECONDS", 0.001)
    await client("POST", MAPS, config_map("one"))
    path = f"{MAPS}?watch=true&resourceVersion={await newest(client)}"
    lines = client.lines(f"{path}&allowWatchBookmarks=true")
    event = await anext(lines)
    assert event["type"] == "BOOKMARK"
    assert event["object"]["kind"] == "ConfigMap"
    assert event["object"]["metadata"]["resourceVersion"] == await newest(client)
    await lines.aclose()
    silent = client.lines(path)
    await client("POST", MAPS, config_map("two"))
    assert await told(silent) == ("ADDED", "two")
    await silent.aclose()


async def test_the_stores_end_ends_it(client: Client, registry: Registry) -> None:
    await client("POST", MAPS, config_map("one"))
    lines = client.lines(f"{MAPS}?watch=true")
    assert await told(lines) == ("ADDED", "one")
    registry.store.close()
    assert [each async for each in lines] == []


async def test_streaming_lists_are_refused_so_that_clients_list(client: Client) -> None:
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    reply = await client("GET", f"{MAPS}?{query}")
    assert (reply.status, reply.document["reason"]) == (422, "Invalid")


@pytest.mark.parametrize(
    "query", ["resourceVersion=abc", "timeoutSeconds=soon", "labelSelector=(("]
)
async def test_what_makes_no_sense_is_refused(client: Client, query: str) -> None:
    reply = await client("GET", f"{MAPS}?watch=true&{query}")
    assert (reply.status, reply.document["reason"]) == (400, "BadRequest")


def seconds(kind: Kind, **query: str) -> float:
    dice = random.Random(7)
    return WatchRequest.of(kind, "shop", None, query, Accepted(), dice).seconds


def test_without_a_time_it_lasts_for_half_an_hour_or_more(kind: Kinds) -> None:
    maps = kind(CONFIG_MAPS)
    assert TIMEOUT_SECONDS_MIN <= seconds(maps) <= 2 * TIMEOUT_SECONDS_MIN
    assert seconds(maps, timeoutSeconds="0") >= TIMEOUT_SECONDS_MIN
    assert seconds(maps, timeoutSeconds="7") == 7.0
