"""Where the example application lies: beside the sources, or where an installation put it.

`examples/` is one directory of the repository; installing kubehop copies it to
`<prefix>/share/kubehop/examples`, whatever prefix it is installed under.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cluster.errors import ConfigError

DISTRIBUTION = "kubehop"
MANIFEST = Path("shop", "shop.yaml")
ROOT = Path(__file__).resolve().parents[3]


def examples_directory(root: Path = ROOT) -> Path:
    """The directory that holds `shop`; ConfigError says where it was looked for."""
    tried = [root / "examples", *_installed()]
    for directory in tried:
        if (directory / MANIFEST).is_file():
            return directory
    places = ", ".join(map(str, tried))
    raise ConfigError(f"the example application is not there (looked in {places}): reinstall")


def _installed() -> Iterator[Path]:
    """Where the installation's own list of files has the manifest."""
    try:
        files = distribution(DISTRIBUTION).files or ()
    except PackageNotFoundError:
        return
    for each in files:
        if each.parts[-2:] == MANIFEST.parts:
            yield Path(str(each.locate())).resolve().parent.parent
