"""Bring up three nodes with the example shop, and walk ten scenarios.

    kubehop demo                 all ten, in well under a minute
    kubehop demo --list          what they are
    kubehop demo --only 3,7-9    some of them

Each shows what one would type, what comes of it and, hop by hop, why. The
cluster is called `demo`, unless --name says otherwise, and is gone at the end,
after Ctrl-C too. Exit status 1 when something that a scenario claims does not
hold.
"""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cluster.cli.exits import FAILED, OK
from cluster.cli.terminal import Terminal

if TYPE_CHECKING:
    from cluster.cli.demo.scenario import Scenario
    from cluster.cli.demo.stage import Stage
    from cluster.launcher.spec import ClusterSpec

NAME = "demo"
NODES = 3
TIME_SCALE = 0.05  # leases, probes and back-off in a twentieth of Kubernetes' time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, and what the cluster is called."""
    add = parser.add_argument
    add("--name", default=NAME, help="the cluster (default: %(default)s)")
    add("--only", default="", metavar="N,N-N", help="only these scenarios, by number")
    add("--list", action="store_true", help="list the scenarios, and end")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Bring it up, play, take it down."""
    from cluster.cli.demo.programme import chosen, listed

    if options.list:
        terminal.say(listed())
        return OK
    return asyncio.run(_run(options.name, chosen(options.only), terminal))


async def _run(name: str, scenarios: "Sequence[Scenario]", terminal: Terminal) -> int:
    """SIGTERM and a closed terminal end it as Ctrl-C does: in order, by cancelling."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await _demo(name, scenarios, terminal)
    except asyncio.CancelledError:
        terminal.tell("\ninterrupted")
        raise KeyboardInterrupt from None


async def _demo(name: str, scenarios: "Sequence[Scenario]", terminal: Terminal) -> int:
    from cluster.cli.demo.stage import Stage
    from cluster.cli.opened import opened
    from cluster.cli.progress import progress_on
    from cluster.launcher.launch import detach

    spec = spec_of(name)
    terminal.tell(introduction(name))
    running = await detach(spec, progress_on(terminal))
    try:
        async with opened(name) as cluster:
            return await play(Stage(cluster, terminal, spec.app_dir), scenarios, terminal)
    finally:
        await running.down()
        terminal.tell(f"\nthe cluster {name} is gone: no process, socket or file of it is left")


def spec_of(name: str) -> "ClusterSpec":
    """The demo's cluster; its store is on disk, so that it outlives the control plane."""
    from cluster.cli.demo.application import MANIFEST, examples_directory
    from cluster.launcher.spec import ClusterSpec

    examples = examples_directory()
    return ClusterSpec(
        name=name,
        nodes=NODES,
        manifests=(examples / MANIFEST,),
        app_dir=examples,
        time_scale=TIME_SCALE,
    )


async def play(stage: "Stage", scenarios: "Sequence[Scenario]", terminal: Terminal) -> int:
    """Each in its turn; one that does not hold is told, and the others go on."""
    from cluster.cli.demo.script import heading
    from cluster.errors import ClusterError

    failed = []
    for scenario in scenarios:
        terminal.say(heading(scenario, count=10, width=terminal.width, colour=terminal.colour_out))
        try:
            await scenario.play(stage)
        except (ClusterError, OSError, TimeoutError) as error:
            failed.append(scenario.number)
            why = str(error) or type(error).__name__
            terminal.complain(f"scenario {scenario.number} does not hold: {why}")
    terminal.say(summary(len(scenarios), stage.claims, failed))
    return FAILED if failed else OK


def introduction(name: str) -> str:
    """What is about to be shown."""
    return (
        f"A cluster {name} of {NODES} nodes with the example shop. Commands below are as one\n"
        f"would type them; from another terminal, while it runs, add --name {name}.\n"
    )


def summary(scenarios: int, claims: int, failed: Sequence[int]) -> str:
    """The last word."""
    played = f"\n{scenarios} scenario{'s' if scenarios != 1 else ''}, {claims} claims"
    if failed:
        return f"{played}; not as claimed: {', '.join(map(str, failed))}"
    return f"{played}: all of them hold"
