"""Ends the clusters that a test run has left behind: `python -m` this, with a pipe.

    start NAME       this cluster is being started
    stopped NAME     it is gone

At the end of its standard input it takes down whatever was started and not stopped. So no cluster
outlives the pytest that wanted it, not even after `kill -9`: the kernel closes the pipe.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable

from cluster.aio.clock import Clock, SystemClock
from cluster.errors import ClusterError
from cluster.launcher.places import Places
from cluster.launcher.running import Running, find
from cluster.launcher.sweep import running

START_SECONDS_MAX = 30.0  # for a launcher to say what it runs, before it is given up
RETRY_SECONDS = 0.1

START, STOPPED = "start", "stopped"


def left_behind(lines: Iterable[str]) -> list[str]:
    """The names that were started and not stopped, in order."""
    names: dict[str, None] = {}
    for line in lines:
        verb, _, name = line.strip().partition(" ")
        if verb == START:
            names[name] = None
        elif verb == STOPPED:
            names.pop(name, None)
    return list(names)


async def take_down(
    name: str,
    clock: Clock,
    *,
    look: Callable[[str], Running] = find,
    lives: Callable[[Places], bool] = running,
) -> None:
    """End a cluster, also one whose launcher has only begun."""
    deadline = clock.monotonic() + START_SECONDS_MAX
    while lives(Places.of(name)) and clock.monotonic() < deadline:
        try:
            await look(name).down()
        except (ClusterError, TimeoutError, OSError) as error:
            print(f"cluster {name} is not down yet: {error}", file=sys.stderr)
            await clock.sleep(RETRY_SECONDS)


async def end(names: Iterable[str]) -> None:
    """End all at once."""
    await asyncio.gather(*(take_down(name, SystemClock()) for name in names))


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it has to outlive its pytest
    asyncio.run(end(left_behind(sys.stdin)))
