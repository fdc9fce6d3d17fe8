"""Processes bound to one processor for a while, and then as they were."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def pinned(pids: Iterable[int]) -> Iterator[int]:
    """Every thread of these on the last processor that this one may use; its number."""
    processor = max(os.sched_getaffinity(0))
    before: dict[int, set[int]] = {}
    try:
        for thread in _threads(pids):
            with suppress(ProcessLookupError):  # a thread may end while it is looked at
                before[thread] = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, {processor})
        yield processor
    finally:
        for thread, processors in before.items():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, processors)


def _threads(pids: Iterable[int]) -> Iterator[int]:
    for pid in pids:
        with suppress(OSError):
            yield from [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
