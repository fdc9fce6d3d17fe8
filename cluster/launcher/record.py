"""cluster.json: what runs, for whoever wants to talk to it or has to sweep up after it."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from cluster.errors import ConfigError

ENDED = frozenset("ZX")  # states of a process that only waits for its parent to look


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Replace the file; a reader sees the old or the new one, never half."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".cluster-")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(record, file, indent=1)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def read_record(path: Path) -> dict[str, Any] | None:
    """What the file says; None when there is none."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; remove it") from error
    return record


def start_of(pid: int) -> str:
    """When a process began, as the kernel counts; "" when it does not run.

    A pid alone proves nothing: it may have been given to another process since.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if not _alive(pid) else "unknown"
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ENDED else fields[19]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
