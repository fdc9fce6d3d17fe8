"""Finds objects by a label that they carry.

Pure: no I/O. A selector's rarest pair narrows the search, so that one workload's look at its pods
costs what it has, not what its namespace has.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
Place = tuple[str, str, str]  # namespace, label, value


class LabelIndex(Generic[K]):
    """Keys by namespace and label."""

    def __init__(self) -> None:
        self._keys: dict[Place, dict[K, None]] = {}

    def put(self, key: K, namespace: str, labels: Mapping[str, str]) -> None:
        """An object with these labels is there."""
        for pair in labels.items():
            self._keys.setdefault((namespace, *pair), {})[key] = None

    def remove(self, key: K, namespace: str, labels: Mapping[str, str]) -> None:
        """It is gone, or has other labels."""
        for pair in labels.items():
            keys = self._keys.get((namespace, *pair), {})
            keys.pop(key, None)
            if not keys:
                self._keys.pop((namespace, *pair), None)

    def candidates(self, namespace: str, labels: Mapping[str, str]) -> Collection[K]:
        """The objects with the rarest of these pairs, at least one; all that match are there."""
        found: Iterable[Collection[K]] = (
            self._keys.get((namespace, *pair), {}) for pair in labels.items()
        )
        return min(found, key=len)
