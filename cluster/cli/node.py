"""Stop a node, or start it again.

    kubehop node stop node-2               in good order: its connections end
    kubehop node stop node-2 --crash       it dies, its connections are reset
    kubehop node stop node-2 --power-off   silence: nobody hears of it again
    kubehop node start node-2

A stopped node stays down until it is started. The API server calls it NotReady
once its lease has run out; then its endpoints go and others serve on.
"""

import argparse
import asyncio

from cluster.cli.exits import OK
from cluster.cli.opened import DEFAULT_NAME, add_name, named
from cluster.cli.terminal import Terminal

SHUTDOWN, CRASH, POWER_OFF = "shutdown", "crash", "power-off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """stop and start; how a node stops."""
    actions = parser.add_subparsers(dest="action", metavar="stop|start", required=True)
    stop = actions.add_parser("stop", help="make a node go away", allow_abbrev=False)
    how = stop.add_mutually_exclusive_group()
    how.add_argument(
        "--crash",
        dest="how",
        action="store_const",
        const=CRASH,
        help="its processes die, its connections are reset",
    )
    how.add_argument(
        "--power-off",
        dest="how",
        action="store_const",
        const=POWER_OFF,
        help="it falls silent: no reset, no answer",
    )
    stop.set_defaults(how=SHUTDOWN)
    start = actions.add_parser("start", help="bring a stopped node back", allow_abbrev=False)
    for action in (stop, start):
        action.add_argument("node", metavar="NAME", help="the node, such as node-2")
        add_name(action)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask the launcher; it knows what runs."""
    from cluster.launcher.running import find

    running = find(options.name)
    if options.action == "stop":
        asyncio.run(running.call("stop_node", name=options.node, how=options.how))
        terminal.note(stopped_text(options.node, options.how, options.name))
    else:
        asyncio.run(running.call("start_node", name=options.node))
        terminal.note(f"{options.node} runs again")
    return OK


def stopped_text(node: str, how: str, cluster: str = DEFAULT_NAME) -> str:
    """What has happened, what will, and how to undo it."""
    became = {
        SHUTDOWN: f"{node} is shut down: its connections have ended",
        CRASH: f"{node} has crashed: its connections were reset",
        POWER_OFF: f"{node} is powered off: its connections meet silence",
    }[how]
    return (
        f"{became}; it becomes NotReady when its lease runs out "
        f"(kubectl get nodes -w). `kubehop node start {node}{named(cluster)}` brings it back"
    )
