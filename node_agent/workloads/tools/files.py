"""What a command does with files: the calls of an operating system, inside the container's root.

Every OSError carries the path as the command named it, never a path of the machine.
"""

# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH115, PTH208, PTH211

import asyncio
import errno
import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from cluster.dataclass import dataclass
from node_agent.workloads.tools.process import READ_BYTES, BufferedInput
from node_agent.workloads.tools.root import ENTRY_BYTES, NAME_BYTES_MAX, Place, Root

ENTRIES_MAX = 100_000  # of one listing


@dataclass(frozen=True, slots=True)
class Files:
    """The container's files as seen from a directory."""

    root: Root
    directory: str = "/"
    umask: int = 0o022

    def place(self, path: str, *, follow: bool = True) -> Place:
        """Where a path leads."""
        with _named(path):
            return self.root.locate(path, self.directory, follow=follow)

    def absolute(self, path: str) -> str:
        """The path with all links followed, as the container sees it."""
        return self.place(path).path

    def stat(self, path: str, *, follow: bool = True) -> os.stat_result:
        """What is known of a file."""
        with _named(path):
            found = os.lstat(self.place(path, follow=follow).real)
            if path.endswith("/") and not stat.S_ISDIR(found.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            return found

    def find(self, path: str, *, follow: bool = True) -> os.stat_result | None:
        """What is known of a file; None when there is none."""
        try:
            return self.stat(path, follow=follow)
        except OSError:
            return None

    def is_directory(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        found = self.find(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def names(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        with _named(path):
            found = sorted(os.listdir(self.place(path).real))
            if len(found) > ENTRIES_MAX:
                raise OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW))
            return found

    def readlink(self, path: str) -> str:
        """What a symbolic link names."""
        with _named(path):
            return os.readlink(self.place(path, follow=False).real)

    # Reading

    def open(self, path: str) -> "FileInput":
        """Open for reading."""
        with _named(path):
            place = self.place(path)
            made = self.root.virtual.get(place.path)
            if made is not None:
                return FileInput(io.BytesIO(made()))
            number = os.open(place.real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            kind = os.fstat(number).st_mode
            if not stat.S_ISREG(kind):
                os.close(number)
                wrong = errno.EISDIR if stat.S_ISDIR(kind) else errno.ENXIO
                raise OSError(wrong, os.strerror(wrong))
            return FileInput(os.fdopen(number, "rb"))

    def read(self, path: str, limit: int = 1 << 26) -> bytes:
        """All of a file, at most `limit` bytes."""
        source = self.open(path)
        try:
            return source.now(limit)
        finally:
            source.close()

    # Writing

    def create(
        self, path: str, *, append: bool = False, exclusive: bool = False, mode: int = 0o666
    ) -> "FileOutput":
        """Open for writing; what it held is gone unless `append`."""
        with _named(path):
            place = self._writable(path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            flags |= os.O_APPEND if append else os.O_TRUNC
            flags |= os.O_EXCL if exclusive else 0
            self.root.grow(ENTRY_BYTES)
            number = os.open(place.real, flags, 0o600)
            os.fchmod(number, self._mode_of(number, mode))
            return FileOutput(os.fdopen(number, "ab" if append else "wb", buffering=0), self.root)

    def _mode_of(self, number: int, mode: int) -> int:
        """The mode of a file just opened: its own, or that of a new one (0600 by our opening)."""
        found = os.fstat(number)
        kept = found.st_mode & 0o7777
        is_new = found.st_size == 0 and kept == 0o600
        return mode & ~self.umask if is_new else kept

    def _writable(self, path: str, *, follow: bool = True) -> Place:
        place = self.place(path, follow=follow)
        name = place.path.rpartition("/")[2]
        if len(os.fsencode(name)) > NAME_BYTES_MAX:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        if place.read_only or place.path in self.root.virtual:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return place

    def touch(self, path: str) -> None:
        """Make it if there is none; its time is now."""
        if self.find(path) is None:
            self.create(path).close()
        self.set_times(path, None)

    def set_times(self, path: str, times: tuple[float, float] | None) -> None:
        """Access and modification time; None is now."""
        with _named(path):
            os.utime(self._writable(path).real, times, follow_symlinks=False)

    def chmod(self, path: str, mode: int) -> None:
        """Change the mode."""
        with _named(path):
            os.chmod(self._writable(path).real, (mode & 0o1777) | self._owner_bits(path))

    def _owner_bits(self, path: str) -> int:
        """A directory stays one that its owner, which is the node, can enter and remove."""
        return 0o700 if self.is_directory(path) else 0

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        """Make a directory."""
        with _named(path):
            self.root.grow(ENTRY_BYTES)
            os.mkdir(self._writable(path.rstrip("/") or "/").real, mode & ~self.umask | 0o700)

    def make_directories(self, path: str) -> None:
        """Make a directory and those above it that are missing."""
        made = "/" if path.startswith("/") else ""
        for part in path.split("/"):
            if not part:
                continue
            made = f"{made}{'' if made.endswith('/') or not made else '/'}{part}"
            found = self.find(made)
            if found is None:
                self.mkdir(made)
            elif not stat.S_ISDIR(found.st_mode):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    def symlink(self, target: str, path: str) -> None:
        """Make a symbolic link; it is followed inside the root."""
        with _named(path):
            self.root.grow(ENTRY_BYTES)
            os.symlink(target, self._writable(path, follow=False).real)

    def link(self, source: str, path: str) -> None:
        """Make a hard link."""
        with _named(path):
            real = self._writable(source, follow=False).real
            os.link(real, self._writable(path, follow=False).real, follow_symlinks=False)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with _named(path):
            os.unlink(self._removable(path).real)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        with _named(path):
            os.rmdir(self._removable(path.rstrip("/") or "/").real)

    def _removable(self, path: str) -> Place:
        place = self._writable(path, follow=False)
        if place.path == "/" or self.root.is_mount(place.path):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return place

    def rename(self, source: str, target: str) -> None:
        """Rename; EXDEV between mounts."""
        with _named(source):
            os.rename(self._removable(source).real, self._writable(target, follow=False).real)

    def usage(self, path: str) -> Any:
        """Total, used and free bytes of the disk beneath."""
        with _named(path):
            return shutil.disk_usage(self.place(path).real)


class FileInput(BufferedInput):
    """A file that is read."""

    isatty = False

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.source: BinaryIO = source

    async def more(self) -> bytes:
        await asyncio.sleep(0)  # a file is always there: others get their turn all the same
        return self.source.read(READ_BYTES)

    def now(self, limit: int) -> bytes:
        """Up to `limit` bytes at once: reading a file does not wait."""
        return self.source.read(limit)

    def close(self) -> None:
        """Read no more."""
        self.source.close()


class FileOutput:
    """A file that is written."""

    isatty = False

    def __init__(self, target: Any, root: Root) -> None:
        self._target = target
        self._root = root

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.put(data)

    def put(self, data: bytes) -> None:
        """Write at once: writing to a file does not wait."""
        self._root.grow(len(data))
        view = memoryview(data)
        while view:
            view = view[self._target.write(view) :]

    def close(self) -> None:
        """Write no more."""
        self._target.close()


@contextmanager
def _named(path: str) -> Iterator[None]:
    """An OSError from here names the path as the command has it."""
    try:
        yield
    except OSError as error:
        number = error.errno or errno.EIO
        raise OSError(number, os.strerror(number), path) from None
    except ValueError:  # a null byte in a name
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
