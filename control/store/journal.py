"""Where acknowledged writes survive: SQLite in WAL mode, or nothing for tests.

A commit is one transaction; with `synchronous=NORMAL` it survives the death of the process at any
moment (not a power cut, which `FULL` would cost a disk flush a commit).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from control.store.record import ObjectKey, ResourceKey

MEMORY = ":memory:"
FORMAT = 1

SCHEMA = """
create table if not exists objects (
    api_group text not null, plural text not null, namespace text not null, name text not null,
    version integer not null, body blob not null,
    primary key (api_group, plural, namespace, name)
) without rowid;
create table if not exists facts (name text primary key, value integer not null) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as written: `body` None says that it is gone."""

    resource: ResourceKey
    key: ObjectKey
    version: int
    body: bytes | None


class Journal(Protocol):
    """What a store needs of its memory beyond death."""

    def load(self) -> tuple[int, Iterator[Entry]]:
        """The last version given out, and every object."""

    def commit(self, entries: Sequence[Entry], version: int) -> None:
        """Make all of these last, or none (OSError or sqlite3.Error)."""

    def close(self) -> None:
        """Let go of the file."""


class NoJournal:
    """Remembers nothing: a cluster for one test."""

    def load(self) -> tuple[int, Iterator[Entry]]:
        """Nothing."""
        return 0, iter(())

    def commit(self, entries: Sequence[Entry], version: int) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to close."""


class SqliteJournal:
    """One file, held exclusively."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._db.execute("pragma locking_mode=exclusive")
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.executescript(SCHEMA)
            self._check_format()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the store {path} cannot be opened: {error}; another control plane may use it, "
                "or it is damaged: choose another --data, or delete it to begin anew"
            ) from error

    def load(self) -> tuple[int, Iterator[Entry]]:
        """The last version given out, and every object."""
        row = self._db.execute("select value from facts where name = 'version'").fetchone()
        rows = self._db.execute(
            "select api_group, plural, namespace, name, version, body from objects"
        )
        entries = (
            Entry((group, plural), ObjectKey(namespace, name), version, body)
            for group, plural, namespace, name, version, body in rows
        )
        return (row[0] if row else 0), entries

    def commit(self, entries: Sequence[Entry], version: int) -> None:
        """All of these in one transaction."""
        db = self._db
        db.execute("begin immediate")
        try:
            db.executemany(
                "insert into objects values (?, ?, ?, ?, ?, ?) on conflict do update set "
                "version = excluded.version, body = excluded.body",
                _puts(entries),
            )
            db.executemany(
                "delete from objects "
                "where api_group = ? and plural = ? and namespace = ? and name = ?",
                _removals(entries),
            )
            db.execute("insert or replace into facts values ('version', ?)", (version,))
            db.execute("commit")
        except BaseException:
            if db.in_transaction:
                db.execute("rollback")
            raise

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self._db.close()

    def _check_format(self) -> None:
        row = self._db.execute("select value from facts where name = 'format'").fetchone()
        if row is None:
            self._db.execute("insert into facts values ('format', ?)", (FORMAT,))
        elif row[0] != FORMAT:
            raise ConfigError(
                f"the store {self._path} has format {row[0]}, this kubehop reads format {FORMAT}: "
                "delete it to begin anew"
            )


def journal_of(data: str) -> Journal:
    """The journal that `--data` names: a file, or ":memory:"."""
    return NoJournal() if data == MEMORY else SqliteJournal(Path(data))


# Within one commit the last entry of an object wins: a removal must not undo a later creation.
def _last(entries: Sequence[Entry]) -> Iterable[Entry]:
    return {(each.resource, each.key): each for each in entries}.values()


def _puts(entries: Sequence[Entry]) -> Iterator[tuple[str, str, str, str, int, bytes]]:
    for each in _last(entries):
        if each.body is not None:
            yield *each.resource, *each.key, each.version, each.body


def _removals(entries: Sequence[Entry]) -> Iterator[tuple[str, str, str, str]]:
    for each in _last(entries):
        if each.body is None:
            yield *each.resource, *each.key
