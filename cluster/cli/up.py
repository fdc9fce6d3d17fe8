"""Bring a cluster up; returns when nodes, Services and applications really serve.

    kubehop up                                      three empty nodes
    kubehop up --app-dir examples -f examples/shop/shop.yaml
    kubehop up --name ci --nodes 2 --image 'shop/cart:*=python://shop.cart:app'

The cluster runs in the background until `kubehop down`; with --foreground until
Ctrl-C.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.cli.exits import OK
from cluster.cli.opened import add_name, named
from cluster.cli.terminal import Terminal
from cluster.errors import ConfigError

if TYPE_CHECKING:
    from cluster.launcher.progress import Tell
    from cluster.launcher.spec import ClusterSpec

NODES_DEFAULT = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the cluster is made of, and whether this terminal stays with it."""
    add_name(parser)
    add = parser.add_argument
    add("--nodes", type=int, default=NODES_DEFAULT, metavar="N", help="nodes (default: 3)")
    add(
        "-f",
        "--filename",
        dest="manifests",
        action="append",
        default=[],
        type=Path,
        metavar="MANIFEST",
        help="apply this YAML file, or each in this directory, and wait for what is in it",
    )
    add(
        "--image",
        dest="images",
        action="append",
        default=[],
        metavar="PATTERN=WORKLOAD",
        help="what an image name runs: 'shop/cart:*=python://shop.cart:app'",
    )
    add(
        "--app-dir",
        type=Path,
        default=None,
        metavar="DIR",
        help="where python:// images are found (default: the current directory)",
    )
    add(
        "--audit",
        action="store_true",
        help="write each request to the API into audit.log, beside the other logs",
    )
    add(
        "--no-hand-over",
        dest="hand_over",
        action="store_false",
        help="relay every connection instead of handing its socket on to the pod",
    )
    stay = parser.add_mutually_exclusive_group()
    stay.add_argument(
        "--detach",
        dest="foreground",
        action="store_false",
        default=False,
        help="return once it serves (the default)",
    )
    stay.add_argument(
        "--foreground",
        dest="foreground",
        action="store_true",
        help="stay until Ctrl-C, then end it",
    )


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Start it through the launcher, showing progress."""
    from cluster.cli.progress import progress_on

    spec = spec_of(options)
    progress = progress_on(terminal)
    if options.foreground:
        terminal.tell("Ctrl-C ends the cluster")
        return _stay(spec, progress)
    from cluster.launcher import spawn

    spawn.detach(spec, progress)
    terminal.tell(next_steps(spec.name))
    return OK


def _stay(spec: "ClusterSpec", progress: "Tell") -> int:
    import asyncio

    from cluster.launcher import launch

    return asyncio.run(launch.foreground(spec, progress))


def spec_of(options: argparse.Namespace) -> "ClusterSpec":
    """The cluster that the options ask for; ConfigError says which of them is wrong."""
    from cluster.launcher.spec import ClusterSpec

    for manifest in options.manifests:
        if not manifest.exists():
            raise ConfigError(f"-f {manifest}: there is no such file; its path is seen from here")
    app_dir = options.app_dir or Path.cwd()
    if not app_dir.is_dir():
        raise ConfigError(f"--app-dir {app_dir}: there is no such directory")
    return ClusterSpec(
        name=options.name,
        nodes=options.nodes,
        manifests=tuple(path.resolve() for path in options.manifests),
        images=tuple(options.images),
        app_dir=app_dir.resolve(),
        audit=options.audit,
        hand_over=options.hand_over,
    )


def next_steps(name: str) -> str:
    """What one does with a cluster that has come up."""
    cluster = named(name)
    return (
        f"\n  kubehop status{cluster}"
        f"\n  export KUBECONFIG=$(kubehop kubeconfig{cluster})"
        f"\n  kubehop down{cluster}"
    )
