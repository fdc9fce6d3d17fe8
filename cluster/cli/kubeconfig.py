"""Print the path of the cluster's kubeconfig.

    export KUBECONFIG=$(kubehop kubeconfig)

makes kubectl, and whatever reads that variable, speak to the cluster.
"""

import argparse

from cluster.cli.exits import OK
from cluster.cli.opened import add_name
from cluster.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only which cluster."""
    add_name(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print it; ConfigError when no such cluster runs."""
    from cluster.launcher.running import find

    terminal.say(str(find(options.name).kubeconfig))
    return OK
