"""Watches over a real socket: what is told, in which form, and how they end."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from cluster.objects.resources import CONFIG_MAPS, Resource
from control.apiserver import watch as module
from control.apiserver.codec import Accepted
from control.apiserver.reads import Reader
from control.apiserver.registry import Registry
from control.apiserver.watch import TIMEOUT_SECONDS_MAX, TIMEOUT_SECONDS_MIN, Watches, WatchRequest
from control.resources.kinds import Kind
from control.store import feed as feed_module
from control.store.feed import Watcher

MAPS = "/api/v1/namespaces/shop/configmaps"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

STREAMING = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
MARK = {"k8s.io/initial-events-end": "true"}
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

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


async def test_a_version_of_another_store_is_expired_in_the_stream(client: Client) -> None:
    unknown = int(await newest(client)) + 1000
    [event] = [e async for e in client.lines(f"{MAPS}?watch=true&resourceVersion={unknown}")]
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_a_version_whose_changes_are_no_longer_kept_is_expired_in_the_stream(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "CHANGES_KEPT_MAX", 2)
    versions = []
    for number in range(4):
        made = await client("POST", MAPS, config_map(f"m{number}"))
        versions.append(made.document["metadata"]["resourceVersion"])
    [event] = [e async for e in client.lines(f"{MAPS}?watch=true&resourceVersion={versions[0]}")]
    assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {versions[0]}")
    lines = client.lines(f"{MAPS}?watch=true&resourceVersion={versions[1]}")
    assert [await told(lines), await told(lines)] == [("ADDED", "m2"), ("ADDED", "m3")]
    await lines.aclose()


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


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Watcher]:
    """The watchers that the server has let go of."""
    told: asyncio.Queue[Watcher] = asyncio.Queue()
    close = Watcher.close

    def closing(watcher: Watcher) -> None:
        close(watcher)
        told.put_nowait(watcher)

    monkeypatch.setattr(Watcher, "close", closing)
    return told


async def deaf(directory: Path, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asks for a watch, reads its head, and nothing more."""
    reader, writer = await asyncio.open_unix_connection(str(directory / "api.sock"), limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: api\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_a_client_that_leaves_is_forgotten(
    client: Client,
    registry: Registry,
    directory: Path,
    closed: asyncio.Queue[Watcher],
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = registry.store.feed(("", "configmaps"))
    _, writer = await deaf(directory, f"{MAPS}?watch=true")
    assert len(feed) == 1
    writer.transport.abort()
    await closed.get()
    assert len(feed) == 0
    assert (await client("POST", MAPS, config_map("one"))).status == 201
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_client_that_takes_nothing_is_cut_and_the_others_miss_nothing(
    client: Client,
    registry: Registry,
    directory: Path,
    closed: asyncio.Queue[Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "WATCHER_BYTES_MAX", 2_000_000)
    version = await newest(client)
    reader, writer = await deaf(directory, f"{MAPS}?watch=true&resourceVersion={version}")
    other = client.lines(f"{MAPS}?watch=true&resourceVersion={version}")
    written = 0
    while closed.empty():
        assert written < 100, "more than the limit, the sockets and their buffers can hold"
        body = {**config_map(f"m{written}"), "data": {"a": "x" * 200_000}}
        assert (await client("POST", MAPS, body)).status == 201
        assert await told(other) == ("ADDED", f"m{written}")
        written += 1
    assert closed.get_nowait().behind
    assert len(registry.store.feed(("", "configmaps"))) == 1
    assert written > 10  # the limit is not reached before
    await client("POST", MAPS, config_map("last"))
    assert await told(other) == ("ADDED", "last")
    await other.aclose()
    assert not (await _rest(reader)).endswith(b"0\r\n\r\n")  # no whole stream: it was cut
    writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    read = b""
    try:
        while part := await reader.read(65_536):
            read = read[-100:] + part
    except ConnectionResetError:
        pass  # cut, as some systems tell it
    return read


async def test_a_client_that_reads_is_let_go_politely_when_its_watch_is_behind(
    client: Client, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "WATCHER_CHANGES_MAX", 3)
    version = await newest(client)
    lines = client.lines(f"{MAPS}?watch=true&resourceVersion={version}")
    first = asyncio.ensure_future(anext(lines))
    await client("POST", MAPS, config_map("one"))
    assert (await first)["object"]["metadata"]["name"] == "one"
    for number in range(5):  # in one turn of the loop
        metadata = {"name": f"m{number}", "namespace": "shop"}
        registry.store.put(("", "configmaps"), {"metadata": metadata})
    assert [each async for each in lines] == []


async def test_a_watch_goes_on_where_the_last_one_ended(client: Client) -> None:
    """Whatever was cut off in between: nothing is missed, nothing comes twice."""
    version, seen = await newest(client), []
    for turn in range(4):
        lines = client.lines(f"{MAPS}?watch=true&resourceVersion={version}")
        for number in range(3):
            await client("POST", MAPS, config_map(f"m{turn}-{number}"))
        for _ in range(2):  # the third is left to the next watch
            event = await anext(lines)
            seen.append(event["object"]["metadata"]["name"])
            version = event["object"]["metadata"]["resourceVersion"]
        await lines.aclose()
    everything = [f"m{turn}-{number}" for turn in range(4) for number in range(3)]
    assert seen == everything[:8]


async def test_a_streaming_list_says_where_it_ends_and_goes_on(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    version = await newest(client)
    for given in ("", f"&resourceVersion={version}", "&resourceVersion=0"):
        lines = client.lines(f"{MAPS}?{STREAMING}&allowWatchBookmarks=true{given}")
        assert await told(lines) == ("ADDED", "one")
        end = await anext(lines)
        assert (end["type"], end["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
        metadata = end["object"]["metadata"]
        assert metadata["annotations"] == MARK
        assert metadata["resourceVersion"] == await newest(client)
        await client("POST", MAPS, config_map("two"))
        assert await told(lines) == ("ADDED", "two")
        await client("DELETE", f"{MAPS}/two")
        await lines.aclose()


async def test_an_empty_streaming_list_ends_at_once(client: Client) -> None:
    lines = client.lines(f"{MAPS}?{STREAMING}&allowWatchBookmarks=true")
    assert (await anext(lines))["object"]["metadata"]["annotations"] == MARK
    await lines.aclose()


async def test_streaming_lists_come_in_every_form(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    path = f"{MAPS}?{STREAMING}&allowWatchBookmarks=true"
    lines = client.lines(path, Accept=METADATA)
    assert (await anext(lines))["object"]["kind"] == "PartialObjectMetadata"
    end = (await anext(lines))["object"]
    assert (end["kind"], end["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert end["metadata"]["annotations"] == MARK
    await lines.aclose()
    lines = client.lines(path, Accept=TABLE)
    assert (await anext(lines))["object"]["kind"] == "Table"
    end = (await anext(lines))["object"]
    assert (end["kind"], end["metadata"]["resourceVersion"]) == ("Table", await newest(client))
    assert end["rows"][0]["object"]["metadata"]["annotations"] == MARK
    await lines.aclose()


async def test_who_takes_no_bookmarks_is_told_no_end(client: Client) -> None:
    await client("POST", MAPS, config_map("one"))
    lines = client.lines(f"{MAPS}?{STREAMING}")
    assert await told(lines) == ("ADDED", "one")
    await client("POST", MAPS, config_map("two"))
    assert await told(lines) == ("ADDED", "two")
    await lines.aclose()


async def test_without_initial_events_a_watch_begins_now(
    client: Client, registry: Registry, directory: Path
) -> None:
    await client("POST", MAPS, config_map("one"))
    query = STREAMING.replace("Events=true", "Events=false")
    reader, writer = await deaf(directory, f"{MAPS}?{query}")
    assert len(registry.store.feed(("", "configmaps"))) == 1  # it began
    await client("POST", MAPS, config_map("two"))
    await reader.readline()  # a chunk's size
    assert orjson.loads(await reader.readline())["object"]["metadata"]["name"] == "two"
    writer.transport.abort()


async def test_a_streaming_list_of_the_future_is_expired(client: Client) -> None:
    later = int(await newest(client)) + 1000
    path = f"{MAPS}?{STREAMING}&allowWatchBookmarks=true&resourceVersion={later}"
    [event] = [each async for each in client.lines(path)]
    assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "sendInitialEvents=true",
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
            "resourceVersionMatch to NotOlderThan",
        ),
        (
            "resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
            "sendInitialEvents is provided",
        ),
        (
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is "
            "provided",
        ),
    ],
)
async def test_what_cannot_be_streamed_is_refused(client: Client, query: str, words: str) -> None:
    reply = await client("GET", f"{MAPS}?watch=true&{query}")
    assert (reply.status, reply.document["reason"]) == (422, "Invalid")
    assert reply.document["message"] == f'ListOptions.meta.k8s.io "" is invalid: {words}'


async def test_a_last_bookmark_comes_shortly_before_the_end(
    client: Client, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_BOOKMARK_SECONDS", 4.999)
    query = "watch=true&allowWatchBookmarks=true&timeoutSeconds=5"
    lines = client.lines(f"{MAPS}?{query}&resourceVersion={await newest(client)}")
    assert (await anext(lines))["type"] == "BOOKMARK"
    clock.elapsed = 6.0
    await client("POST", MAPS, config_map("one"))
    rest = [each async for each in lines if each["type"] != "BOOKMARK"]
    assert len(rest) <= 1


@pytest.mark.parametrize(
    "query",
    [
        "resourceVersion=abc",
        "timeoutSeconds=soon",
        "labelSelector=((",
        "fieldSelector=data.a%3D1",
        "includeObject=All",
    ],
)
async def test_what_makes_no_sense_is_refused(client: Client, query: str) -> None:
    reply = await client("GET", f"{MAPS}?watch=true&{query}", Accept=TABLE)
    assert (reply.status, reply.document["reason"]) == (400, "BadRequest")


async def test_a_fault_of_ours_ends_the_stream_in_words(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any, **more: Any) -> Any:
        raise LookupError("a bug")

    lines = client.lines(f"{MAPS}?watch=true", Accept=TABLE)
    await client("POST", MAPS, config_map("one"))
    assert (await anext(lines))["type"] == "ADDED"
    with monkeypatch.context() as patched:
        patched.setattr(Reader, "form", broken)
        await client("POST", MAPS, config_map("two"))
        [event] = [each async for each in lines]
    assert (event["type"], event["object"]["code"]) == ("ERROR", 500)
    assert "a bug" in caplog.text and "a bug" not in event["object"]["message"]
    assert (await client("GET", MAPS)).status == 200


async def test_watchers_of_the_same_form_share_what_they_are_sent(
    client: Client, registry: Registry
) -> None:
    version = await newest(client)
    path = f"{MAPS}?watch=true&resourceVersion={version}"
    watches = [client.lines(f"{path}&includeObject=x{number}") for number in range(3)]
    await client("POST", MAPS, config_map("one"))
    for each in watches:
        assert await told(each) == ("ADDED", "one")
    [change] = await registry.store.feed(("", "configmaps")).watch(int(version)).changes()
    assert len(change.lines) == 1
    for each in watches:
        await each.aclose()


class Told:
    """A watch without a socket, over a disk that is full: what its client is sent."""

    def __init__(self, registry: Registry, clock: Any, kind: Kinds) -> None:
        def full(*arguments: Any) -> None:
            raise OSError("no space left on device")

        self.registry = registry
        self.events: list[dict[str, Any]] = []
        self._kind, self._clock = kind(CONFIG_MAPS), clock
        journal: Any = registry.store._journal
        journal.commit = full

    def write(self) -> None:
        metadata = {"name": "lost", "namespace": "shop"}
        self.registry.store.put(("", "configmaps"), {"metadata": metadata})

    async def watch(self, **query: str) -> list[tuple[str, Any]]:
        dice = random.Random(7)
        request = WatchRequest.of(self._kind, "shop", None, query, Accepted(), dice)
        watches = Watches(self.registry, Reader(self.registry, self._clock), self._clock)
        with contextlib.suppress(ConnectionResetError):
            await watches.serve(request, self._take, lambda: None)
        return [(each["type"], each["object"].get("code")) for each in self.events]

    async def _take(self, lines: bytes) -> None:
        self.events += [orjson.loads(each) for each in lines.splitlines()]
        if self.events[-1]["type"] != "ERROR":
            raise ConnectionResetError("one event is enough")


async def test_what_is_there_is_shown_when_it_lasts(
    registry: Registry, clock: Any, kind: Kinds
) -> None:
    told = Told(registry, clock, kind)
    told.write()  # in this turn of the loop: not yet on the disk, where it will never be
    assert await told.watch() == [("ERROR", 500)]


async def test_a_bookmark_is_of_a_version_that_lasts(
    registry: Registry, clock: Any, kind: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(registry, clock, kind)

    async def time_out(watcher: Watcher, seconds: float) -> None:
        told.write()

    monkeypatch.setattr(Watcher, "changes_within", time_out)
    assert await told.watch(allowWatchBookmarks="true") == [("ERROR", 500)]


def seconds(kind: Kind, **query: str) -> float:
    dice = random.Random(7)
    return WatchRequest.of(kind, "shop", None, query, Accepted(), dice).seconds


def test_without_a_time_it_lasts_for_half_an_hour_or_more(kind: Kinds) -> None:
    maps = kind(CONFIG_MAPS)
    assert TIMEOUT_SECONDS_MIN <= seconds(maps) <= 2 * TIMEOUT_SECONDS_MIN
    assert seconds(maps, timeoutSeconds="0") >= TIMEOUT_SECONDS_MIN
    assert seconds(maps, timeoutSeconds="7") == 7.0
    assert seconds(maps, timeoutSeconds="9" * 400) == TIMEOUT_SECONDS_MAX
