"""A running cluster, opened for a verb: its processes, its API, the way into its network."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.client.api import ApiClient
    from cluster.launcher.running import Running
    from cluster.traffic.access import Access

DEFAULT_NAME = "default"


@dataclass(frozen=True, slots=True)
class Opened:
    """What verbs hold of a cluster; the API may be silent all the same."""

    running: "Running"
    api: "ApiClient"
    access: "Access"


def add_name(parser: argparse.ArgumentParser) -> None:
    """The option that every verb has."""
    parser.add_argument("--name", default=DEFAULT_NAME, help="the cluster (default: %(default)s)")


def named(name: str) -> str:
    """What a command that is shown needs to mean this cluster: nothing for the default one."""
    return "" if name == DEFAULT_NAME else f" --name {name}"


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[Opened]:
    """Open the cluster of this name; ConfigError says what to do when none runs."""
    from cluster.client.api import ApiClient
    from cluster.launcher.running import find
    from cluster.traffic.access import Access

    running = find(name)
    async with ApiClient.of(f"unix:{running.run_dir}/control.sock") as api:
        yield Opened(running, api, Access(running.run_dir, api))
