"""An immutable mapping whose successors share what did not change.

Pure: values only.
The items lie in shards, plain dicts chosen by hash. A successor copies the shards that change and
the list of shards, both about the square root of the size: a hundred thousand items cost a few
microseconds a change, and a lookup is one dict lookup.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

SHARDS_MIN = 16
FILL_MAX = 1  # items a shard holds on average, at most, times the number of shards
GROWTH = 4


class SharedMap(Mapping[K, V]):
    """A persistent mapping; None is no value, since None removes a key."""

    __slots__ = ("_mask", "_shards", "_size")

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._shards: tuple[dict[K, V], ...] = ({},) * SHARDS_MIN
        self._mask = SHARDS_MIN - 1
        self._size = 0
        if items:
            full = self.updated(items)
            self._shards, self._mask, self._size = full._shards, full._mask, full._size

    def updated(self, changes: Mapping[K, V | None]) -> "SharedMap[K, V]":
        """A map with these items set, or removed where the value is None; this one if no item is
        another than it was."""
        mine, mask, size = self._shards, self._mask, self._size
        edited: dict[int, dict[K, V]] = {}
        for key, value in changes.items():
            index = hash(key) & mask
            shard = edited.get(index)
            if shard is None:
                if mine[index].get(key) is value:
                    continue
                shard = edited[index] = dict(mine[index])
            size -= key in shard
            if value is None:
                shard.pop(key, None)
            else:
                shard[key] = value
                size += 1
        return self._edited(edited, size) if edited else self

    def _edited(self, edited: dict[int, dict[K, V]], size: int) -> "SharedMap[K, V]":
        shards = list(self._shards)
        for index, shard in edited.items():
            shards[index] = shard
        return _map(shards, size)

    def changed_keys(self, before: "SharedMap[K, V]") -> set[K]:
        """The keys whose values differ from an earlier map's, looking at changed shards only."""
        if self is before:
            return set()
        if self._mask != before._mask:
            pairs = [(dict(self.items()), dict(before.items()))]
        else:
            both = zip(self._shards, before._shards, strict=True)
            pairs = [(mine, theirs) for mine, theirs in both if mine is not theirs]
        changed: set[K] = set()
        for mine, theirs in pairs:
            changed |= _differing(mine, theirs)
        return changed

    def get(self, key: object, default: V | None = None) -> V | None:  # type: ignore[override]
        """The value of a key, or None."""
        shard: dict[object, V] = self._shards[hash(key) & self._mask]  # type: ignore[assignment]
        return shard.get(key, default)

    def __getitem__(self, key: K) -> V:
        return self._shards[hash(key) & self._mask][key]

    def __contains__(self, key: object) -> bool:
        return key in self._shards[hash(key) & self._mask]

    def __iter__(self) -> Iterator[K]:
        for shard in self._shards:
            yield from shard

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"SharedMap({dict(self)!r})"


def _map(shards: list[dict[K, V]], size: int) -> SharedMap[K, V]:
    """A map of these shards, dealt out anew when they hold too much."""
    count = len(shards)
    while size > FILL_MAX * count * count:
        count *= GROWTH
    if count != len(shards):
        dealt: list[dict[K, V]] = [{} for _ in range(count)]
        for shard in shards:
            for key, value in shard.items():
                dealt[hash(key) & (count - 1)][key] = value
        shards = dealt
    made: SharedMap[K, V] = SharedMap()
    made._shards, made._mask, made._size = tuple(shards), count - 1, size
    return made


def _differing(mine: dict[K, V], theirs: dict[K, V]) -> set[K]:
    """The keys whose values differ; a value shared by both is not compared."""
    find = theirs.get
    others = [(key, new) for key, new in mine.items() if find(key) is not new]
    changed = {key for key, new in others if find(key) != new}
    if len(mine) - len(others) < len(theirs):
        changed |= theirs.keys() - mine.keys()
    return changed
