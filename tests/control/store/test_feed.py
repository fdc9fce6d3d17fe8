"""Feeds: who is told what, how long changes are kept, and what becomes of the slow."""

import asyncio

import pytest

from cluster.client.interface import EventType
from control.store import feed as feed_module
from control.store.feed import Expired, Feed
from control.store.record import Change, ObjectKey, Record


def change(version: int, namespace: str = "shop", name: str = "a", body: bytes = b"{}") -> Change:
    record = Record(ObjectKey(namespace, name), version, {"metadata": {}}, body)
    return Change(EventType.ADDED, None, record)


async def test_a_watcher_sees_only_where_it_looks() -> None:
    feed = Feed(1)
    watchers = {
        "all": feed.watch(1),
        "namespace": feed.watch(1, namespace="shop"),
        "one": feed.watch(1, namespace="shop", name="a"),
        "name anywhere": feed.watch(1, name="a"),
    }
    feed.publish(change(2, "shop", "a"))
    feed.publish(change(3, "shop", "b"))
    feed.publish(change(4, "other", "a"))
    seen = {who: [c.version for c in await w.changes()] for who, w in watchers.items()}
    assert seen == {
        "all": [2, 3, 4],
        "namespace": [2, 3],
        "one": [2],
        "name anywhere": [2, 4],
    }


async def test_a_watch_begins_after_the_version_it_names() -> None:
    feed = Feed(1)
    for version in (2, 3, 4):
        feed.publish(change(version))
    watcher = feed.watch(3)
    assert [each.version for each in await watcher.changes()] == [4]


async def test_what_is_too_old_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "CHANGES_KEPT_MAX", 2)
    feed = Feed(1)
    for version in range(2, 6):
        feed.publish(change(version))
    with pytest.raises(Expired, match=r"too old resource version: 2 \(3\)"):
        feed.watch(2)
    assert [each.version for each in await feed.watch(3).changes()] == [4, 5]


async def test_a_watcher_that_stays_behind_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WATCHER_CHANGES_MAX", 2)
    feed = Feed(1)
    slow, other = feed.watch(1), feed.watch(1)
    feed.publish(change(2))
    assert len(await other.changes()) == 1
    feed.publish(change(3))
    feed.publish(change(4))
    assert await slow.changes() == [] and slow.behind
    assert [each.version for each in await other.changes()] == [3, 4]


async def test_a_watcher_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WATCHER_BYTES_MAX", 25)
    feed, ended = Feed(1), []
    slow, other = feed.watch(1), feed.watch(1)
    slow.on_end = lambda: ended.append("slow")
    for version in (2, 3):
        feed.publish(change(version, body=b"x" * 10))
        assert len(await other.changes()) == 1
    assert not slow.behind
    feed.publish(change(4, body=b"x" * 10))
    assert slow.behind and ended == ["slow"]
    feed.publish(change(5))
    assert await slow.changes() == [] and slow.idle and ended == ["slow"]
    assert [each.version for each in await other.changes()] == [4, 5]


async def test_what_was_taken_counts_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WATCHER_BYTES_MAX", 15)
    feed = Feed(1)
    watcher = feed.watch(1)
    for version in range(2, 10):
        feed.publish(change(version, body=b"x" * 10))
        assert [each.version for each in await watcher.changes()] == [version]


async def test_changes_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "BYTES_KEPT_MAX", 25)
    feed = Feed(1)
    for version in range(2, 6):
        feed.publish(change(version, body=b"x" * 10))
    with pytest.raises(Expired, match=r"too old resource version: 2 \(3\)"):
        feed.watch(2)
    assert [each.version for each in await feed.watch(3).changes()] == [4, 5]
    feed.publish(change(6, body=b"x" * 100))  # one that is larger than all there is room for
    with pytest.raises(Expired):
        feed.watch(5)
    feed.watch(6).close()


async def test_closing_wakes_whoever_waits() -> None:
    feed = Feed(1)
    watcher = feed.watch(1)
    waiting = asyncio.ensure_future(watcher.changes())
    await asyncio.sleep(0)
    feed.close()
    assert await waiting == []


async def test_a_watcher_that_left_costs_nothing() -> None:
    feed = Feed(1)
    watcher = feed.watch(1, namespace="shop")
    watcher.close()
    watcher.close()
    assert len(feed) == 0


async def test_a_watcher_is_idle_when_all_that_happened_was_taken() -> None:
    feed = Feed(1)
    watcher = feed.watch(1)
    assert watcher.idle
    feed.publish(change(2))
    assert not watcher.idle
    await watcher.changes()
    assert watcher.idle


async def test_within_a_time_there_are_changes_or_not() -> None:
    feed = Feed(1)
    watcher = feed.watch(1)
    assert await watcher.changes_within(0) is None
    waiting = asyncio.ensure_future(watcher.changes_within(60))
    await asyncio.sleep(0)
    feed.publish(change(2))
    assert [each.version for each in await waiting or ()] == [2]
    feed.publish(change(3))
    assert [each.version for each in await watcher.changes_within(0) or ()] == [3]
    watcher.end()
    assert await watcher.changes_within(60) == []


async def test_where_many_watch_changes_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WATCHERS_MANY", 2)
    feed = Feed(1)
    watchers = [feed.watch(1), feed.watch(1), feed.watch(1, name="other")]
    waiting = [asyncio.ensure_future(each.changes()) for each in watchers]
    await asyncio.sleep(0)
    feed.publish(change(2))
    await asyncio.sleep(0)  # as another request's turn
    assert not any(each.done() for each in waiting)
    feed.publish(change(3))
    told = await asyncio.gather(*waiting[:2])
    assert [[each.version for each in changes] for changes in told] == [[2, 3], [2, 3]]
    assert not waiting[2].done()
    watchers[2].end()
    assert await waiting[2] == []
