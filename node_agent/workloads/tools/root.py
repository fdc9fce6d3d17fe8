"""A container's root directory: where a path of the container lies on the disk, and nowhere else.

A real directory stands for `/`; mounts put other real directories or files at paths in it. Paths
are walked part by part here: `..` stops at the root, and a symbolic link is read and continued
inside the root, whatever it names. What the operating system is given in the end has no link in it
(`files` opens with O_NOFOLLOW), so nothing leads out of the container's files.

A few files have no content on the disk but are made at each reading: /proc/net/tcp and its like.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path, PurePosixPath

from cluster.dataclass import dataclass

LINKS_MAX = 40  # as Linux
NAME_BYTES_MAX = 255
PATH_BYTES_MAX = 4096
WRITTEN_BYTES_MAX = 1 << 30  # what the files of one container, with its volumes, may take
ENTRY_BYTES = 512  # what a file takes besides what it holds, as it is counted


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory or a file that lies elsewhere, at a path of the container."""

    path: str  # absolute, without links
    source: Path
    read_only: bool = False
    within: Path | None = None  # above the source, writable by containers: links there lead nowhere


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: in the container, and on the disk."""

    path: str
    real: Path
    read_only: bool = False


@dataclass(slots=True)
class Root:
    """One container's files."""

    directory: Path
    mounts: Mapping[str, Mount] = field(default_factory=dict)  # by path
    virtual: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    written: int = 0  # bytes, since the disk was last measured

    @classmethod
    def of(
        cls,
        directory: Path,
        mounts: Iterable[Mount] = (),
        virtual: Mapping[str, Callable[[], bytes]] | None = None,
    ) -> "Root":
        """A root with its mounts, each with something at its path to be seen in its directory."""
        root = cls(directory, virtual=virtual or {})
        for mount in sorted(mounts, key=lambda each: each.path.count("/")):
            root._mount(mount)
        return root

    def _mount(self, mount: Mount) -> None:
        """Mount at where the path leads now: a link on the way is followed inside the root."""
        self._make_directories(str(PurePosixPath(mount.path).parent))
        place = self.locate(mount.path)
        _stand_for(place.real, mount.source)
        self.mounts = {**self.mounts, place.path: replace(mount, path=place.path)}

    def _make_directories(self, path: str) -> None:
        made = "/"
        for part in PurePosixPath(path).parts[1:]:
            made = f"{made.rstrip('/')}/{part}"
            real = self.locate(made).real
            if not real.exists():
                real.mkdir(mode=0o755)

    def locate(self, path: str, directory: str = "/", *, follow: bool = True) -> Place:
        """Where a path leads; its last part need not exist. OSErrors are those of Linux."""
        if not path:
            raise _error(errno.ENOENT, path)
        if len(os.fsencode(path)) > PATH_BYTES_MAX:
            raise _error(errno.ENAMETOOLONG, path)
        absolute = path if path.startswith("/") else f"{directory}/{path}"
        waiting = [part for part in absolute.split("/") if part not in ("", ".")][::-1]
        must_be_directory = path.endswith(("/", "/."))
        here, links = "/", 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                here = here.rpartition("/")[0] or "/"
                continue
            there = f"{here.rstrip('/')}/{part}"
            mode = _mode(self._real(there))
            if mode is not None and stat.S_ISLNK(mode) and (follow or waiting or must_be_directory):
                links += 1
                if links > LINKS_MAX:
                    raise _error(errno.ELOOP, path)
                target = str(self._real(there).readlink())
                here = "/" if target.startswith("/") else here
                waiting += [each for each in target.split("/") if each not in ("", ".")][::-1]
                continue
            if waiting:
                _check_directory(mode, path)
            here = there
        return Place(here, self._real(here), self._read_only(here))

    def _real(self, path: str) -> Path:
        """On the disk, by the nearest mount; the path has no link in it, but for its last part."""
        mount = self._mount_of(path)
        if mount is None:
            return self.directory / path.lstrip("/")
        _check_way(mount, path)
        rest = path[len(mount.path) :].lstrip("/")
        return mount.source / rest if rest else mount.source

    def _read_only(self, path: str) -> bool:
        mount = self._mount_of(path)
        return mount is not None and mount.read_only

    def _mount_of(self, path: str) -> Mount | None:
        above = path
        while above != "/":
            if above in self.mounts:
                return self.mounts[above]
            above = above.rpartition("/")[0] or "/"
        return None

    def is_mount(self, path: str) -> bool:
        """Whether something is mounted at a path or below it: it cannot be removed."""
        return any(each == path or each.startswith(path + "/") for each in self.mounts)

    def grow(self, size: int) -> None:
        """So many bytes are to be written; ENOSPC when the container's files take too much."""
        self.written += size
        if self.written > WRITTEN_BYTES_MAX:
            writable = [each.source for each in self.mounts.values() if not each.read_only]
            self.written = sum(map(disk_usage, [self.directory, *writable])) + size
            if self.written > WRITTEN_BYTES_MAX:
                raise _error(errno.ENOSPC, "")


def disk_usage(directory: Path) -> int:
    """The bytes of all files below a directory."""
    total = 0
    for place, directories, names in os.walk(directory):
        for name in (*directories, *names):
            try:
                found = (Path(place) / name).lstat()
                total += ENTRY_BYTES + (found.st_size if stat.S_ISREG(found.st_mode) else 0)
            except FileNotFoundError:
                continue
    return total


def _check_way(mount: Mount, path: str) -> None:
    """Whoever mounts what lies above may have put a link in the way since: it is not followed."""
    here = mount.source
    while mount.within is not None and here != mount.within:
        if here.is_symlink():
            raise _error(errno.ENOENT, path)
        here = here.parent


def _mode(real: Path) -> int | None:
    try:
        return os.lstat(real).st_mode
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None


def _check_directory(mode: int | None, path: str) -> None:
    if mode is None:
        raise _error(errno.ENOENT, path)
    if not stat.S_ISDIR(mode):
        raise _error(errno.ENOTDIR, path)


def _stand_for(real: Path, source: Path) -> None:
    """Something at a mount's path, to be seen in its directory.

    It is a link to what is mounted, for programs inside the agent, which see the machine's paths;
    commands of the container never come to it: they see the mount.
    """
    if real.is_dir() and not real.is_symlink() and not any(real.iterdir()):
        real.rmdir()
    if not real.exists() and not real.is_symlink():
        real.symlink_to(source)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
