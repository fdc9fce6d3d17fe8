"""The kinds that are served now: those built in, and those of CustomResourceDefinitions.

Pure: a table that changes as a whole. Whoever keeps something made of it compares `generation`,
which rises with each change. Without definitions it is the built-in table and costs nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from control.resources.kinds import Kind, kinds

Path = tuple[str, str, str]  # group, version, plural

_STABILITY = {"": 3, "beta": 2, "alpha": 1}
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Catalogue:
    """Every served version of every kind, by its path and by its name."""

    def __init__(self, built_in: Sequence[Kind] | None = None) -> None:
        self.generation = 0
        self.built_in = tuple(kinds() if built_in is None else built_in)
        self._custom: dict[str, tuple[Kind, ...]] = {}
        self._index()

    def __iter__(self) -> Iterator[Kind]:
        """In discovery's order: built-in kinds, then custom ones, the preferred version first."""
        return iter(self._all)

    @property
    def custom(self) -> Sequence[Kind]:
        """The kinds of definitions."""
        return self._all[len(self.built_in) :]

    @property
    def definitions(self) -> frozenset[str]:
        """The names of the definitions that serve something."""
        return frozenset(self._custom)

    def of(self, definition: str) -> Sequence[Kind]:
        """The kinds of one definition."""
        return self._custom.get(definition, ())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at a path, if it is served."""
        return self._by_path.get((group, version, plural))

    def define(self, definition: str, found: Iterable[Kind]) -> None:
        """The kinds that one definition serves from now on; none takes them away."""
        made = tuple(found)
        if made:
            self._custom[definition] = made
        elif self._custom.pop(definition, None) is None:
            return
        self.generation += 1
        self._index()

    def _index(self) -> None:
        more = [each for _, found in sorted(self._custom.items()) for each in found]
        more.sort(key=lambda each: (each.resource.group, version_rank(each.resource.version)))
        self._all = (*self.built_in, *more)
        # what is built in wins: no definition can take its place
        self._by_path = {_path(each): each for each in reversed(self._all)}


def version_rank(name: str) -> tuple[int, int, int, str]:
    """Kubernetes' order of versions: stable before beta before alpha, the higher number first."""
    match = _VERSION.fullmatch(name)
    if match is None:
        return 0, 0, 0, name  # after those that are named as versions are
    return -_STABILITY[match[2] or ""], -int(match[1]), -int(match[3] or 0), name


def _path(kind: Kind) -> Path:
    return kind.resource.group, kind.resource.version, kind.resource.plural
