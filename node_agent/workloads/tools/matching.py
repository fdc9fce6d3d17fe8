"""Matching that ends: some expressions take longer than anybody waits, and a node has one thread.

Python's matcher lets signal handlers run while it works, so an alarm can end it. The alarm is a
process's only one (ITIMER_REAL): nothing else in a node sets it. Outside the main thread, where no
handler runs, nothing is bounded.
"""

import signal
import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

from node_agent.workloads.tools.process import Failed

MATCH_SECONDS_MAX = 0.25
EXIT_TROUBLE = 2

Found = TypeVar("Found")


class _Late(Exception):
    """The alarm."""


def in_time(match: Callable[[], Found], seconds_max: float = MATCH_SECONDS_MAX) -> Found:
    """What a match gives; Failed when it takes too long."""
    if threading.current_thread() is not threading.main_thread():
        return match()
    before = signal.signal(signal.SIGALRM, _late)
    try:
        return _timed(match, seconds_max)
    except _Late:
        raise Failed("the pattern takes too long to match", EXIT_TROUBLE) from None
    finally:
        signal.signal(signal.SIGALRM, before)


def _timed(match: Callable[[], Found], seconds_max: float) -> Found:
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds_max)
        return match()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _late(*_: object) -> NoReturn:
    raise _Late
