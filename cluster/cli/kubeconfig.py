"""Print the path of the kubeconfig, or a kubeconfig for another user.

    export KUBECONFIG=$(kubehop kubeconfig)

makes kubectl, and whatever reads that variable, speak to the cluster as its
administrator.

    kubehop kubeconfig --user jane --group developers > jane.kubeconfig

is for somebody who may what roles allow: in a new cluster jane may look at
nothing.
"""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cluster.cli.exits import OK
from cluster.cli.opened import add_name
from cluster.cli.terminal import Terminal
from cluster.errors import ConfigError

if TYPE_CHECKING:
    from cluster.launcher.running import Running

PATH = "/kubehop/v1/kubeconfig"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which cluster, and for whom."""
    add_name(parser)
    add = parser.add_argument
    add("--user", default="", metavar="NAME", help="print a kubeconfig for this user instead")
    add(
        "--group",
        dest="groups",
        action="append",
        default=[],
        metavar="NAME",
        help="a group that the user is in; may come again",
    )


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print it; ConfigError when no such cluster runs."""
    from cluster.launcher.running import find

    if options.groups and not options.user:
        raise ConfigError("--group is of a user: say --user NAME too")
    running = find(options.name)
    if not options.user:
        terminal.say(str(running.kubeconfig))
        return OK
    document = asyncio.run(kubeconfig_for(running, options.user, options.groups))
    terminal.say(json.dumps(document, indent=2))
    return OK


async def kubeconfig_for(running: "Running", user: str, groups: list[str]) -> dict[str, Any]:
    """Ask the control plane for it; ApiError when it cannot be had."""
    from cluster.client.api import ApiClient

    query = urlencode([("user", user), *(("group", each) for each in groups)])
    async with ApiClient.of(f"unix:{running.places.control_socket}") as api:
        found: dict[str, Any] = await api.call("GET", f"{PATH}?{query}")
        return found
