"""Puts a volume's files on the disk, all at once: readers see the old ones or the new ones.

    VOLUME/..2026_11_25_1/KEY    the files
    VOLUME/..data -> ..2026_11_25_1
    VOLUME/KEY -> ..data/KEY

As the kubelet's atomic writer does it: a change writes a new directory, then renames a new `..data`
over the old one.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from node_agent.kubelet.volume_content import FileContent

DATA, NEW_DATA = "..data", "..data_tmp"


def publish(directory: Path, files: Mapping[str, FileContent]) -> bool:
    """Make a volume hold these files; whether that changed anything."""
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    if (directory / DATA).is_symlink() and _held(directory / DATA) == dict(files):
        return False
    old = _present(directory)
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=directory))
    fresh.chmod(0o755)
    try:
        for path, content in files.items():
            _write(fresh / path, content)
    except OSError:  # two items in each other's way, a full disk: it will be tried again and again
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    (directory / NEW_DATA).unlink(missing_ok=True)
    (directory / NEW_DATA).symlink_to(fresh.name)
    (directory / NEW_DATA).rename(directory / DATA)
    _link(directory, {path.partition("/")[0] for path in files})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _present(directory: Path) -> Path | None:
    link = directory / DATA
    return directory / link.readlink() if link.is_symlink() else None


def _write(path: Path, content: FileContent) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_bytes(content.data)
    path.chmod(content.mode & 0o777 | 0o400)


def _link(directory: Path, names: set[str]) -> None:
    """The names that a person sees; those that are no more go."""
    for name in names:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{DATA}/{name}")
    for each in directory.iterdir():
        if each.name not in names and not each.name.startswith(".."):
            each.unlink()


def _held(data: Path) -> dict[str, FileContent]:
    found = {}
    for place, _, names in os.walk(data):
        for name in names:
            path = Path(place) / name
            mode = path.stat().st_mode & 0o777
            found[str(path.relative_to(data))] = FileContent(path.read_bytes(), mode)
    return found
