"""Where the files of a node's pods lie on the disk: owner-only, gone with the pod.

    DIRECTORY/tools-VERSION/             what every container sees at /bin; shared by all nodes
    DIRECTORY/NODE/UID/roots/CONTAINER   a container's root directory, new at each run
    DIRECTORY/NODE/UID/volumes/VOLUME    the pod's volumes, shared by its containers
    DIRECTORY/NODE/host/PATH             what stands for the node's own files, for hostPath
    DIRECTORY/persistent/NAME            a PersistentVolume; shared by all nodes

A root directory is made when somebody first looks into it, so that a pod starts without touching
the disk.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from cluster.dataclass import dataclass
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Mount, Root

log = logging.getLogger(__name__)

TAIL_BYTES_MAX = 4096

Virtual = Mapping[str, Callable[[], bytes]]


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """All files of one node's pods."""

    directory: Path
    node_name: str

    @property
    def node(self) -> Path:
        """The directory of this node's pods."""
        return self.directory / self.node_name

    def volume(self, uid: str, name: str) -> Path:
        """A volume of a pod."""
        return self.node / uid / "volumes" / name

    @property
    def host(self) -> Path:
        """What stands for the node's own files."""
        return self.node / "host"

    def persistent(self, name: str) -> Path:
        """A PersistentVolume."""
        return self.directory / "persistent" / name

    def root(self, uid: str, container: str) -> Path:
        """The root directory of a container."""
        return self.node / uid / "roots" / container

    def remove(self, uid: str) -> None:
        """A pod is gone, and so are its files."""
        _remove(self.node / uid)

    def keep_only(self, uids: Iterable[str]) -> None:
        """Remove what pods have left that ended while no agent ran."""
        if self.node.is_dir():
            for each in set(os.listdir(self.node)) - {*uids, "host"}:  # noqa: PTH208
                _remove(self.node / each)


@dataclass(slots=True, kw_only=True)
class LazyRoot:
    """The root of one run of a container, made when it is first asked for."""

    files: NodeFiles
    uid: str
    container: str
    texts: Callable[[], Mapping[str, str]]
    virtual: Virtual
    mounts: Callable[[], Awaitable[Sequence[Mount]]]
    _made: Root | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.files.root(self.uid, self.container)

    async def __call__(self) -> Root:
        """The root; what `mounts` raises when it is first made is the caller's."""
        from node_agent.workloads.tools.furnishing import furnish, tools_mount

        async with self._lock:
            if self._made is None:
                mounts = [tools_mount(self.files.directory), *await self.mounts()]
                _remove(self.directory)
                furnish(self.directory, self.texts(), self.virtual)
                self._made = Root.of(self.directory, mounts, self.virtual)
        return self._made

    def read_now(self, path: str) -> bytes:
        """The beginning of one of its files; nothing where there is none, or no root yet."""
        if self._made is None:
            return b""
        try:
            return Files(self._made).read(path, TAIL_BYTES_MAX)
        except OSError:
            return b""


def _remove(directory: Path) -> None:
    """Remove a tree; what cannot be removed is told and stays."""
    if not directory.is_symlink() and directory.is_dir():
        shutil.rmtree(directory, onerror=_told)


def _told(_: object, path: str, error: object) -> None:
    log.warning("file of a pod not removed path=%s error=%s", path, error)
