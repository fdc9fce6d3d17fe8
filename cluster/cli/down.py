"""End a cluster: every process, socket and file of it goes.

With --keep its store stays, and the next `kubehop up` of the same name goes on
where it was.
"""

import argparse
import asyncio

from cluster.cli.exits import OK
from cluster.cli.opened import add_name, named
from cluster.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which cluster, and what stays."""
    add_name(parser)
    parser.add_argument(
        "--keep", action="store_true", help="leave the store (objects, logs) for the next `up`"
    )


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask the launcher to end everything, itself last, and wait for it."""
    from cluster.launcher.running import find

    running = find(options.name)
    asyncio.run(running.down(keep=options.keep))
    kept = f"; its store stays: `kubehop up{named(options.name)}` goes on with it"
    terminal.note(f"cluster {options.name} is down" + (kept if options.keep else ""))
    return OK
