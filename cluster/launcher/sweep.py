"""Removes what a killed launcher left behind, before its cluster is started again.

Whether a launcher lives is decided by the lock on its run directory, which the kernel releases with
it. Processes are ended only when pid and start time are those that cluster.json recorded.
"""

import fcntl
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from cluster.errors import ConfigError
from cluster.launcher.places import Places
from cluster.launcher.record import read_record, start_of

log = logging.getLogger(__name__)

KEPT = frozenset({"launcher.lock"})


def lock(places: Places) -> int:
    """Take a cluster's run directory for this process; the descriptor that holds the lock."""
    descriptor = os.open(places.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        name = places.run_dir.name
        raise ConfigError(
            f"the cluster {name!r} runs already: use it, end it with "
            f"`kubehop down --name {name}`, or choose another --name"
        ) from None
    return descriptor


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
            path.unlink(missing_ok=True)
            removed.append(str(path))
    if removed:
        log.info("swept what an earlier launcher left: %s", ", ".join(removed))
    return removed


def clear(places: Places, *, keep: bool) -> None:
    """After the end: the run directory goes; the state too, unless the next start is to have it."""
    for path in places.run_dir.iterdir():
        path.unlink(missing_ok=True)
    places.run_dir.rmdir()
    with suppress(OSError):  # other clusters run
        places.run_dir.parent.rmdir()
    if keep:
        return
    for path in sorted(places.state_dir.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    places.state_dir.rmdir()


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
