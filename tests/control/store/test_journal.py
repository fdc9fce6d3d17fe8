"""The journal: whole commits or none, one owner, a clear word about files it cannot read."""

import sqlite3
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from control.store.journal import Entry, NoJournal, SqliteJournal, journal_of
from control.store.record import ObjectKey

PODS = ("", "pods")


def entry(name: str, version: int, body: bytes | None = b"{}") -> Entry:
    return Entry(PODS, ObjectKey("shop", name), version, body)


def test_what_was_committed_is_loaded(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "store")
    journal.commit([entry("a", 1), entry("b", 2), entry("a", 3, b'{"new": 1}')], 3)
    journal.commit([entry("b", 4, None)], 4)
    journal.close()
    version, entries = SqliteJournal(tmp_path / "store").load()
    assert version == 4
    assert list(entries) == [entry("a", 3, b'{"new": 1}')]


def test_the_last_entry_of_an_object_wins_within_a_commit(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "store")
    journal.commit([entry("a", 1), entry("a", 2, None), entry("a", 3), entry("b", 4, None)], 4)
    _, entries = journal.load()
    assert list(entries) == [entry("a", 3)]
    journal.close()


def test_a_commit_that_fails_leaves_nothing_half(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "store")
    broken = Entry(PODS, ObjectKey("shop", "b"), None, b"{}")  # type: ignore[arg-type]
    with pytest.raises(sqlite3.Error):
        journal.commit([entry("a", 1), broken], 2)
    version, entries = journal.load()
    assert (version, list(entries)) == (0, [])
    journal.commit([entry("a", 1)], 1)
    assert journal.load()[0] == 1
    journal.close()


def test_two_control_planes_cannot_share_a_store(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "store")
    first.commit([entry("a", 1)], 1)
    with pytest.raises(ConfigError, match=r"locked.*choose another --data"):
        SqliteJournal(tmp_path / "store")
    first.close()


def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"this is no database, but long enough to be looked at" * 20)
    with pytest.raises(ConfigError, match="delete it to begin anew"):
        SqliteJournal(tmp_path / "store")


def test_a_store_of_another_format_is_not_touched(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "store").close()
    with sqlite3.connect(tmp_path / "store") as db:
        db.execute("update facts set value = 99 where name = 'format'")
    db.close()
    with pytest.raises(ConfigError, match="has format 99, this kubehop reads format 1"):
        SqliteJournal(tmp_path / "store")


def test_memory_is_asked_for_by_name(tmp_path: Path) -> None:
    assert isinstance(journal_of(":memory:"), NoJournal)
    journal = journal_of(str(tmp_path / "deep" / "store"))
    assert isinstance(journal, SqliteJournal)
    journal.close()
