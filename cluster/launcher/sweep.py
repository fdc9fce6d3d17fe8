"""Removes what a killed launcher left behind, before its cluster is started again.

Whether a launcher lives is decided by the lock on its run directory, which the kernel releases with
it. Processes are ended only when pid and start time are those that cluster.json recorded.
"""

import fcntl
import logging
import os
import shutil
import signal
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from cluster.errors import ConfigError
from cluster.launcher.places import Places
from cluster.launcher.record import read_record, start_of

log = logging.getLogger(__name__)

KEPT = frozenset({"launcher.lock"})
LOCK_TRIES = 20  # who looks whether a cluster runs holds its lock for an instant
LOCK_PAUSE_SECONDS = 0.005


class Leave(StrEnum):
    """What a cluster leaves when it ends."""

    NOTHING = "nothing"
    LOGS = "logs"  # after a failure
    STATE = "state"  # all that the next start goes on with


def lock(places: Places) -> int:
    """Take a cluster's run directory for this process; the descriptor that holds the lock."""
    for attempt in range(LOCK_TRIES):
        time.sleep(LOCK_PAUSE_SECONDS if attempt else 0.0)
        descriptor = _try_lock(places)
        if descriptor is not None:
            return descriptor
    name = places.run_dir.name
    raise ConfigError(
        f"the cluster {name!r} runs already: use it, end it with "
        f"`kubehop down --name {name}`, or choose another --name"
    )


def _try_lock(places: Places) -> int | None:
    """Lock the file; not one that a launcher has removed as it went, which nobody else sees."""
    places.make()
    descriptor = os.open(places.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), places.lock_file.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def running(places: Places) -> bool:
    """Whether a launcher holds the run directory."""
    try:
        descriptor = os.open(places.lock_file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sweep(places: Places) -> list[str]:
    """Clear a run directory whose lock we hold; what was removed."""
    removed = []
    record = read_record_or_nothing(places.cluster_file)
    for process in (record or {}).get("processes", ()):
        if _ours(process):
            with suppress(ProcessLookupError):
                os.kill(process["pid"], signal.SIGKILL)
                removed.append(f"process {process['pid']} ({process['name']})")
    for path in places.run_dir.iterdir():
        if path.name not in KEPT:
            _remove(path)
            removed.append(str(path))
    if removed:
        log.info("swept what an earlier launcher left: %s", ", ".join(removed))
    return removed


def clear(places: Places, leave: Leave = Leave.NOTHING) -> None:
    """After the end: the run directory goes, and of the state what is not to be left."""
    for path in places.run_dir.iterdir():
        _remove(path)
    places.run_dir.rmdir()
    with suppress(OSError):  # other clusters run
        places.run_dir.parent.rmdir()
    if leave is Leave.STATE:
        return
    for path in places.state_dir.iterdir():
        if path != places.logs:
            _remove(path)
    if leave is Leave.NOTHING:
        shutil.rmtree(places.state_dir)


def _remove(path: Path) -> None:
    """A file, a socket, or a directory that somebody has made beside them."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_record_or_nothing(path: Path) -> dict[str, Any] | None:
    """cluster.json, or None where a killed launcher left none that can be read."""
    try:
        return read_record(path)
    except ConfigError as error:
        log.warning("%s", error)
        return None


def _ours(process: dict[str, Any]) -> bool:
    pid, start = process.get("pid"), process.get("start")
    return isinstance(pid, int) and bool(start) and start == start_of(pid)
