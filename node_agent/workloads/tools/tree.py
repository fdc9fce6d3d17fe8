"""A walk through a directory and all below it: for find, grep -r, du, cp -r, rm -r, tar."""

import os
import stat
from collections.abc import Iterator

from cluster.dataclass import dataclass
from node_agent.workloads.tools.files import Files

DEPTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A file on the way."""

    path: str
    found: os.stat_result
    depth: int = 0

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory itself, not a link to one."""
        return stat.S_ISDIR(self.found.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.found.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.found.st_mode)


def walk(
    files: Files, path: str, *, bottom_up: bool = False, depth_max: int = DEPTH_MAX
) -> Iterator[Entry]:
    """The file itself and everything below it; links are not followed. OSErrors are the caller's
    for the first, a file that vanishes meanwhile is skipped."""
    yield from _walk(files, Entry(path, files.stat(path, follow=False)), bottom_up, depth_max)


def _walk(files: Files, entry: Entry, bottom_up: bool, depth_max: int) -> Iterator[Entry]:
    if not bottom_up:
        yield entry
    if entry.is_directory and entry.depth < min(depth_max, DEPTH_MAX):
        for name in files.names(entry.path):
            path = below(entry.path, name)
            found = files.find(path, follow=False)
            if found is not None:
                yield from _walk(files, Entry(path, found, entry.depth + 1), bottom_up, depth_max)
    if bottom_up:
        yield entry


def below(directory: str, name: str) -> str:
    """The path of a name in a directory."""
    return directory + name if directory.endswith("/") else f"{directory}/{name}"
