"""What an answer was read from, so that it can be told whether it would still be the same.

    Z' = witnessed(zone)   the same zone; whatever is looked up in Z' is noted
    holds(facts, later)    whether a later zone says the same of everything that was noted

Nothing has to be known about how names are looked up, so nothing can be forgotten here. A change
of the zone costs nothing by itself; an answer is looked at again when it is next asked for, with as
many lookups as it took. The zone's serial is no fact: `cluster.dns.prepared` writes it anew.
Pure: values in, values out.
"""

from dataclasses import replace
from typing import Any, TypeVar

from cluster.dataplane.shared_map import SharedMap
from cluster.dns.zone import Zone

K = TypeVar("K")
V = TypeVar("V")

Notes = dict[
    tuple[int, Any], Any
]  # what was looked up: which map of the zone and which key -> value
Facts = tuple[tuple[int, Any, Any], ...]  # the same, for keeping
Maps = tuple[SharedMap[Any, Any], ...]


def maps_of(zone: Zone) -> Maps:
    """What an answer may be read from, in the order that facts count them."""
    return (
        zone.namespaces,
        zone.services,
        zone.slices,
        zone.owners,
        zone.endpoint_owners,
        zone.pods,
    )


def witnessed(zone: Zone) -> tuple[Zone, Notes]:
    """The zone, and the notes that fill with what is looked up in it."""
    notes: Notes = {}
    namespaces, services, slices, owners, endpoint_owners, pods = (
        _Witness(each, index, notes) for index, each in enumerate(maps_of(zone))
    )
    same = replace(
        zone,
        namespaces=namespaces,
        services=services,
        slices=slices,
        owners=owners,
        endpoint_owners=endpoint_owners,
        pods=pods,
    )
    return same, notes


def kept(notes: Notes) -> Facts:
    """Notes as an answer keeps them."""
    return tuple((index, key, value) for (index, key), value in notes.items())


def holds(facts: Facts, maps: Maps) -> bool:
    """Whether everything that was noted is still so.

    A value that did not change is the same object in a zone's successor, so none is compared.
    """
    return all(maps[index].get(key) is value for index, key, value in facts)


class _Witness(SharedMap[K, V]):
    """A map that tells what is asked of it; only single keys may be asked for."""

    __slots__ = ("_index", "_notes")

    def __init__(self, base: SharedMap[K, V], index: int, notes: Notes) -> None:
        self._shards, self._mask, self._size = base._shards, base._mask, base._size
        self._index = index
        self._notes = notes

    def get(self, key: object, default: V | None = None) -> V | None:  # type: ignore[override]
        value = super().get(key)
        self._notes[self._index, key] = value
        return default if value is None else value

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Any:
        raise TypeError("an answer that reads a whole map would change with every change")
