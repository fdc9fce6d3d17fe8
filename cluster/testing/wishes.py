"""What kind of cluster a test wants: the marker before the command line, that before the ini file.

    @pytest.mark.kubehop(nodes=2, images=["registry.example/cart:*=python://shop.cart:app"])
    pytest --kubehop-nodes 2 --kubehop-image ... --kubehop-app-dir examples
    [tool.pytest.ini_options] kubehop_nodes = "2"

Pure: no I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.clients import NODES_MAX

NODES_DEFAULT = 3
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
    audit: bool = False  # each request to the API is written down
    hand_over: bool = True  # sockets change hands; False: every connection is relayed

    def with_marker(self, positional: Sequence[Any], arguments: Mapping[str, Any]) -> "Wishes":
        """The wishes of a test's marker on top of these; ConfigError names what it can take."""
        known = ", ".join(f"{name}=" for name in sorted(WISHED))
        if positional:
            raise ConfigError(f"marker kubehop: {positional[0]!r} has no name; it takes {known}")
        unknown = sorted(set(arguments) - WISHED)
        if unknown:
            raise ConfigError(f"marker kubehop: {unknown[0]}= is unknown; it takes {known}")
        return self.on_top(arguments, "marker kubehop: ")

    def on_top(self, given: Mapping[str, Any], where: str = "") -> "Wishes":
        """These wishes with others in their place; `where` those stand, for messages."""
        taken = {name: _read(name, value, where) for name, value in given.items()}
        if "app_dir" in taken:
            taken["app_dir"] = self.app_dir / taken["app_dir"]
        return replace(self, **taken).checked()

    def checked(self) -> "Wishes":
        """These wishes, if a cluster can be made of them."""
        if not 1 <= self.nodes <= NODES_MAX:
            raise ConfigError(f"nodes={self.nodes}: a cluster has 1 to {NODES_MAX} nodes")
        for image in self.images:
            if "=" not in image:
                raise ConfigError(f"image {image!r}: it must be PATTERN=WORKLOAD")
        for name in ("time_scale", "settled_seconds"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}={getattr(self, name)}: it must be above 0")
        return self


def parse_wishes(texts: Mapping[str, str], images: tuple[str, ...], root: Path) -> Wishes:
    """The wishes of an ini file, by its own names; an empty text wishes nothing."""
    given = {
        name.removeprefix(INI_PREFIX): _number(name, text) if name in _NUMBERS else text
        for name, text in texts.items()
        if text
    }
    return Wishes(app_dir=root, images=images).on_top(given)


INI_PREFIX = "kubehop_"
WISHED = frozenset(Wishes.__slots__)
_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "kubehop_nodes": int,
    "kubehop_time_scale": float,
    "kubehop_settled_seconds": float,
}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "nodes": (int,),
    "time_scale": (int, float),
    "settled_seconds": (int, float),
    "app_dir": (str, Path),
    "durable": (bool,),
    "audit": (bool,),
    "hand_over": (bool,),
}
_EXPECTED = {
    "nodes": "a number",
    "time_scale": "a number",
    "settled_seconds": "a number",
    "app_dir": "a path",
    "durable": "True or False",
    "audit": "True or False",
    "hand_over": "True or False",
}


def _number(name: str, text: str) -> float:
    try:
        return _NUMBERS[name](text)
    except ValueError:
        raise ConfigError(f"{name} = {text}: it must be a number") from None


def _read(name: str, value: Any, where: str) -> Any:
    """A value of the kind that a wish has; a text stands for a list of one."""
    if name not in _KINDS:
        return _texts(name, value, where)
    if isinstance(value, _KINDS[name]) and (bool in _KINDS[name]) == isinstance(value, bool):
        return value
    raise ConfigError(f"{where}{name}={value!r}: it must be {_EXPECTED[name]}")


def _texts(name: str, value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(each, str | Path) for each in value):
        return tuple(map(str, value))
    raise ConfigError(f"{where}{name}={value!r}: it must be a list of texts")
