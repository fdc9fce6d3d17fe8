"""Address slots: cluster S has 127.64.S.0/24, and no two clusters of the machine share one.

A slot is leased by a lock on a file, which the kernel gives back when its holder dies, however it
dies. All users of the machine share the directory, so nothing in it is trusted: no link is followed
and no mode changed but of what was made here.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

SLOTS = range(254)
SLOTS_DIR = Path("/tmp/kubehop-slots")
# Made by another user before its mode was widened, a link, or anything but a file: passed over.
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP)


@dataclass(slots=True)
class Slot:
    """A leased slot, until `release`."""

    number: int
    _descriptor: int

    def address(self, host: int) -> str:
        """The real address of a node, or of the control plane (254)."""
        return f"127.64.{self.number}.{host}"

    @property
    def load_balancers(self) -> str:
        """The real addresses of load balancers."""
        return f"127.65.{self.number}.0/24"

    def release(self) -> None:
        """Give the slot back."""
        os.close(self._descriptor)


def lease_slot(directory: Path = SLOTS_DIR, preferred: int | None = None) -> Slot:
    """The first free slot, or the preferred one if it is free."""
    _shared(directory)
    for number in _order(preferred):
        slot = _try(directory, number)
        if slot is not None:
            return slot
    raise ConfigError(f"all {len(SLOTS)} address slots in {directory} are taken: end a cluster")


def remember_slot(path: Path, slot: Slot) -> None:
    """For the next start of the same cluster."""
    path.write_text(f"{slot.number}\n")


def remembered_slot(path: Path) -> int | None:
    """The slot that the cluster had when it ran last; None when it is new."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _order(preferred: int | None) -> Iterator[int]:
    if preferred is not None and preferred in SLOTS:
        yield preferred
    yield from (number for number in SLOTS if number != preferred)


def _shared(directory: Path) -> None:
    try:
        with suppress(FileExistsError):
            directory.mkdir()
            directory.chmod(0o1777)
    except OSError as error:
        raise ConfigError(f"the directory {directory} cannot be made: {error}") from error
    if directory.is_symlink() or not directory.is_dir():
        raise ConfigError(f"{directory} is no directory: whoever made it has to remove it")


def _try(directory: Path, number: int) -> Slot | None:
    try:
        descriptor = _opened(directory / f"{number}.lock")
    except OSError as error:
        if error.errno in _NOT_OURS:
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(number, descriptor)


def _opened(path: Path) -> int:
    """A lock file, made if need be; one that is there is opened without O_CREAT, which Linux may
    refuse for other users' files (fs.protected_regular)."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, flags)
    os.fchmod(descriptor, 0o666)  # whatever the umask
    return descriptor
