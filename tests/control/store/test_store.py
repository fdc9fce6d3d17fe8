"""The store: what is read, what is told, what lasts, and what a failed commit takes back."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.store.feed import Expired
from control.store.journal import Entry, NoJournal, SqliteJournal
from control.store.record import ObjectKey, ResourceKey
from control.store.store import Store, StoreFailed

PODS: ResourceKey = ("", "pods")


def pod(name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, **more}


class BrokenJournal(NoJournal):
    """A disk that is full."""

    def __init__(self) -> None:
        self.broken = False

    def commit(self, entries: Sequence[Entry], version: int) -> None:
        if self.broken:
            raise sqlite3.OperationalError("database or disk is full")


async def test_versions_rise_over_all_resources() -> None:
    store = Store(NoJournal())
    first = store.put(PODS, pod("a"))
    second = store.put(("", "services"), pod("a"))
    third = store.remove(PODS, first.key, first.document)
    assert first.version < second.version < third.version == store.version
    assert third.document["metadata"]["resourceVersion"] == str(third.version)


async def test_a_list_is_in_order_of_namespace_and_name() -> None:
    store = Store(NoJournal())
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.put(PODS, pod(name, namespace))
    assert [each.key for each in store.list(PODS)] == [("a", "y"), ("a", "z"), ("b", "x")]
    assert [each.key.name for each in store.list(PODS, "a")] == ["y", "z"]
    assert store.list(PODS, "none") == []


async def test_changes_are_told_after_the_commit_and_in_order() -> None:
    store = Store(NoJournal())
    watcher = store.feed(PODS).watch(store.version)
    made = store.put(PODS, pod("a"))
    store.put(PODS, {**made.document, "spec": {"nodeName": "node-1"}})
    store.remove(PODS, made.key, made.document)
    changes = await watcher.changes()
    assert [each.type for each in changes] == ["ADDED", "MODIFIED", "DELETED"]
    assert changes[0].before is None and changes[1].before is changes[0].record
    versions = [each.version for each in changes]
    assert versions == sorted(set(versions))


async def test_writes_of_one_turn_are_one_commit() -> None:
    commits: list[int] = []

    class Counting(NoJournal):
        def commit(self, entries: Sequence[Entry], version: int) -> None:
            commits.append(len(entries))

    store = Store(Counting())
    for number in range(10):
        store.put(PODS, pod(f"p{number}"))
    await store.committed()
    assert commits == [10]


async def test_a_failed_commit_takes_its_writes_back_and_tells_nobody() -> None:
    journal = BrokenJournal()
    store = Store(journal)
    kept = store.put(PODS, pod("kept"))
    await store.committed()
    watcher = store.feed(PODS).watch(store.version)
    journal.broken = True
    store.put(PODS, pod("lost"))
    store.put(PODS, {**kept.document, "spec": {}})
    store.remove(PODS, kept.key, kept.document)
    with pytest.raises(StoreFailed, match="disk is full"):
        await store.committed()
    assert store.list(PODS) == [kept]
    journal.broken = False
    store.put(PODS, pod("next"))
    assert [each.record.key.name for each in await watcher.changes()] == ["next"]


async def test_acknowledged_writes_outlive_the_process(tmp_path: Path) -> None:
    store = Store(SqliteJournal(tmp_path / "store"))
    kept = store.put(PODS, pod("kept", spec={"nodeName": "node-1"}))
    gone = store.put(PODS, pod("gone"))
    store.remove(PODS, gone.key, gone.document)
    again = store.put(PODS, pod("again"))
    store.remove(PODS, again.key, again.document)
    back = store.put(PODS, pod("again"))
    await store.committed()
    version = store.version
    store.close()
    restored = Store(SqliteJournal(tmp_path / "store"))
    assert [each.document for each in restored.list(PODS)] == [back.document, kept.document]
    assert restored.version == version
    assert restored.put(PODS, pod("new")).version == version + 1
    restored.close()


async def test_a_watch_from_before_the_restart_has_expired(tmp_path: Path) -> None:
    store = Store(SqliteJournal(tmp_path / "store"))
    store.put(PODS, pod("a"))
    await store.committed()
    store.close()
    restored = Store(SqliteJournal(tmp_path / "store"))
    with pytest.raises(Expired):
        restored.feed(PODS).watch(restored.version - 1)
    restored.feed(PODS).watch(restored.version).close()
    restored.close()


Steps = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "commit"]), st.sampled_from("abc")), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(Steps)
def test_a_watch_played_over_a_list_gives_the_list(steps: list[tuple[str, str]]) -> None:
    """Whatever the writes, list then watch ends where a second list does."""

    async def play() -> None:
        store = Store(NoJournal())
        store.put(PODS, pod("a"))
        await store.committed()
        seen = {each.key: each.document for each in store.list(PODS)}
        watcher = store.feed(PODS).watch(store.version)
        for number, (verb, name) in enumerate(steps):
            key = ObjectKey("shop", name)
            held = store.get(PODS, key)
            if verb == "put":
                store.put(PODS, pod(name, spec={"n": number}))
            elif verb == "remove" and held is not None:
                store.remove(PODS, key, held.document)
            elif verb == "commit":
                await store.committed()
        store.put(PODS, pod("end"))
        await store.committed()
        for change in await watcher.changes():
            if change.type == "DELETED":
                del seen[change.record.key]
            else:
                seen[change.record.key] = change.record.document
        assert seen == {each.key: each.document for each in store.list(PODS)}

    asyncio.run(play())


@settings(max_examples=60, deadline=None)
@given(Steps)
def test_what_was_at_each_version_can_be_listed(steps: list[tuple[str, str]]) -> None:
    """Whatever came after, committed or still waiting."""

    async def play() -> None:
        store = Store(NoJournal())
        store.put(PODS, pod("a"))
        seen = {store.version: store.list(PODS)}
        for number, (verb, name) in enumerate(steps):
            key = ObjectKey("shop", name)
            held = store.get(PODS, key)
            if verb == "put":
                store.put(PODS, pod(name, spec={"n": number}))
            elif verb == "remove" and held is not None:
                store.remove(PODS, key, held.document)
            elif verb == "commit":
                await store.committed()
            seen[store.version] = store.list(PODS)
        for version, records in seen.items():
            assert store.list_at(PODS, version) == records
            assert store.list_at(PODS, version, "shop") == records
            assert store.list_at(PODS, version, "other") == []
        await store.committed()

    asyncio.run(play())
