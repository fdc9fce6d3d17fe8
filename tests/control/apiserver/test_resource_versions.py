"""Which version a list or a watch shows, by upstream's rules."""

from typing import Any

import pytest

from cluster.errors import ApiError
from control.apiserver.resource_versions import Begin, list_version, number_of, watch_begin
from control.store import feed as feed_module

MAPS = "/api/v1/namespaces/shop/configmaps"

Client = Any


def config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": {"a": "1"}}


async def names(client: Client, query: str) -> list[str]:
    reply = await client("GET", f"{MAPS}?{query}")
    assert reply.status == 200, reply.document
    return [each["metadata"]["name"] for each in reply.document["items"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, (None, False)),
        ({"resourceVersion": "0"}, (None, False)),
        ({"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}, (None, False)),
        ({"resourceVersion": "7"}, (7, False)),
        ({"resourceVersion": "7", "limit": "5"}, (7, True)),
        ({"resourceVersion": "0", "limit": "5"}, (None, False)),
        (
            {"resourceVersion": "7", "limit": "5", "resourceVersionMatch": "NotOlderThan"},
            (7, False),
        ),
        ({"resourceVersion": "7", "resourceVersionMatch": "Exact"}, (7, True)),
    ],
)
def test_what_a_list_has_to_show(query: dict[str, str], wanted: tuple[int | None, bool]) -> None:
    assert list_version(query) == wanted


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422),
        ({"resourceVersionMatch": "Newest", "resourceVersion": "7"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "7", "continue": "x"}, 422),
        ({"sendInitialEvents": "true"}, 422),
        ({"resourceVersion": "7", "continue": "x"}, 400),
        ({"resourceVersion": "new"}, 400),
    ],
)
def test_lists_that_make_no_sense(query: dict[str, str], code: int) -> None:
    with pytest.raises(ApiError) as caught:
        list_version(query)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("query", "begin"),
    [
        ("", Begin(None, present=True)),
        ("0", Begin(None, present=True)),
        ("7", Begin(7, present=False)),
    ],
)
def test_where_an_ordinary_watch_begins(query: str, begin: Begin) -> None:
    assert watch_begin({"resourceVersion": query}) == begin


def test_where_a_streaming_list_begins() -> None:
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    assert watch_begin(query) == Begin(None, present=True)
    marked = {**query, "allowWatchBookmarks": "true", "resourceVersion": "7"}
    assert watch_begin(marked) == Begin(7, present=True, marked=True)
    assert watch_begin({**marked, "sendInitialEvents": "false"}) == Begin(7, present=False)


def test_versions_are_whole_numbers() -> None:
    assert (number_of(""), number_of("0"), number_of("12")) == (None, None, 12)


@pytest.mark.parametrize("text", ["1.5", "-1", "+1", " 1", "1_0", "\uff11", "9" * 5_000])
def test_what_python_alone_takes_for_a_number_is_no_version(text: str) -> None:
    with pytest.raises(ApiError):
        number_of(text)


async def test_an_exact_list_shows_what_was(client: Client) -> None:
    made = await client("POST", MAPS, config_map("one"))
    first = made.document["metadata"]["resourceVersion"]
    await client("POST", MAPS, config_map("two"))
    changed = {"data": {"a": "2"}}
    await client("PATCH", f"{MAPS}/one", changed, Content_Type="application/merge-patch+json")
    await client("DELETE", f"{MAPS}/one")
    exact = f"resourceVersion={first}&resourceVersionMatch=Exact"
    reply = await client("GET", f"{MAPS}?{exact}")
    assert reply.document["metadata"]["resourceVersion"] == first
    [held] = reply.document["items"]
    assert (held["metadata"]["name"], held["data"]) == ("one", {"a": "1"})
    assert await names(client, f"resourceVersion={first}&limit=5") == ["one"]
    assert await names(client, f"resourceVersion={first}") == ["two"]
    assert await names(client, f"{exact}&fieldSelector=metadata.name%3Dtwo") == []


async def test_an_exact_list_of_what_is_forgotten_is_expired(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "CHANGES_KEPT_MAX", 1)
    made = await client("POST", MAPS, config_map("one"))
    first = made.document["metadata"]["resourceVersion"]
    for name in ("two", "three"):
        await client("POST", MAPS, config_map(name))
    exact = f"resourceVersion={first}&resourceVersionMatch=Exact"
    reply = await client("GET", f"{MAPS}?{exact}")
    assert (reply.status, reply.document["reason"]) == (410, "Expired")


async def test_a_list_of_the_future_is_not_there_yet(client: Client) -> None:
    held = int((await client("GET", MAPS)).document["metadata"]["resourceVersion"])
    reply = await client("GET", f"{MAPS}?resourceVersion={held + 10}")
    assert (reply.status, reply.document["reason"]) == (504, "Timeout")
    [cause] = reply.document["details"]["causes"]
    assert cause["reason"] == "ResourceVersionTooLarge"
