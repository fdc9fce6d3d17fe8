"""What kind of cluster a test wants: the marker before the command line, that before the ini file.

    @pytest.mark.kubehop(nodes=2, images=["registry.example/cart:*=python://shop.cart:app"])
    pytest --kubehop-nodes 2 --kubehop-image ... --kubehop-app-dir examples
    [tool.pytest.ini_options] kubehop_nodes = "2"

Pure: no I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from cluster.errors import ConfigError

Number = TypeVar("Number", int, float)

NODES_DEFAULT = 3
NODES_MAX = 250
TIME_SCALE_DEFAULT = 0.1  # leases, grace periods and back-off in a tenth of their time
SETTLED_SECONDS_DEFAULT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The cluster that is wanted."""

    nodes: int = NODES_DEFAULT
    images: tuple[str, ...] = ()  # PATTERN=WORKLOAD
    app_dir: Path = Path()  # where python://module:attribute is found, and manifests
    manifests: tuple[str, ...] = ()
    time_scale: float = TIME_SCALE_DEFAULT
    zones: tuple[str, ...] = ()
    settled_seconds: float = SETTLED_SECONDS_DEFAULT
    durable: bool = False  # a store on disk, so that it survives its process

    def with_marker(self, arguments: Mapping[str, Any]) -> "Wishes":
        """The wishes of a test's marker on top of these; ConfigError names what it can take."""
        unknown = sorted(set(arguments) - MARKER_ARGUMENTS)
        if unknown:
            known = ", ".join(sorted(MARKER_ARGUMENTS))
            raise ConfigError(f"kubehop marker: {unknown[0]} is unknown; it takes {known}")
        taken = dict(arguments)
        for name in _LISTS & taken.keys():
            taken[name] = _texts(taken[name])
        if "app_dir" in taken:
            taken["app_dir"] = self.app_dir / taken["app_dir"]
        return replace(self, **taken).checked()

    def checked(self) -> "Wishes":
        """These wishes, if a cluster can be made of them."""
        if not 1 <= self.nodes <= NODES_MAX:
            raise ConfigError(f"nodes={self.nodes}: a cluster has 1 to {NODES_MAX} nodes")
        for image in self.images:
            if "=" not in image:
                raise ConfigError(f"image {image!r} is not PATTERN=WORKLOAD")
        for name in ("time_scale", "settled_seconds"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}={getattr(self, name)}: must be above 0")
        return self


def parse_wishes(texts: Mapping[str, str], images: tuple[str, ...], root: Path) -> Wishes:
    """The wishes of a command line or ini file; an empty text wishes nothing."""
    given = {name: text for name, text in texts.items() if text}
    wishes = Wishes(
        nodes=_number(given, "nodes", NODES_DEFAULT, int),
        images=images,
        app_dir=root / given.get("app_dir", ""),
        time_scale=_number(given, "time_scale", TIME_SCALE_DEFAULT, float),
        settled_seconds=_number(given, "settled_seconds", SETTLED_SECONDS_DEFAULT, float),
    )
    return wishes.checked()


def _number(
    given: Mapping[str, str], name: str, default: Number, read: Callable[[str], Number]
) -> Number:
    try:
        return read(given[name]) if name in given else default
    except ValueError:
        raise ConfigError(f"kubehop {name}: {given[name]!r} is not a number") from None


_LISTS = frozenset({"images", "manifests", "zones"})
MARKER_ARGUMENTS = frozenset(Wishes.__slots__)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))
