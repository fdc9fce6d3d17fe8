"""A running cluster, opened for a verb: its processes, its API, the way into its network.

One that is spread over machines or containers has no launcher here. Its traces can be had all the
same, by whoever names its API, its credentials and its key:

    KUBEHOP_API=https://control:6443 KUBECONFIG=FILE KUBEHOP_CLUSTER_KEY=FILE KUBEHOP_RUN_DIR=DIR
"""

import argparse
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

if TYPE_CHECKING:
    from cluster.client.api import ApiClient
    from cluster.launcher.running import Running
    from cluster.traffic.access import Access

DEFAULT_NAME = "default"
API, KEY, KUBECONFIG, RUN_DIR = (
    "KUBEHOP_API",
    "KUBEHOP_CLUSTER_KEY",
    "KUBECONFIG",
    "KUBEHOP_RUN_DIR",
)


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


@asynccontextmanager
async def reached(
    name: str, environment: Mapping[str, str] = os.environ
) -> AsyncIterator["Access"]:
    """The way into the cluster of this name, or into the one whose API the environment names."""
    if API in environment:
        async with _elsewhere(environment) as access:
            yield access
    else:
        async with opened(name) as cluster:
            yield cluster.access


@asynccontextmanager
async def _elsewhere(environment: Mapping[str, str]) -> AsyncIterator["Access"]:
    from cluster.client.api import ApiClient
    from cluster.traffic.access import Access
    from cluster.wire.keys import KUBELET_TOKEN, derived_token

    token = derived_token(_key_of(environment), KUBELET_TOKEN)
    headers = {"Authorization": f"Bearer {token}"}
    kubeconfig = Path(environment[KUBECONFIG])
    async with ApiClient.of(environment[API], kubeconfig=kubeconfig) as api:
        yield Access(Path(environment[RUN_DIR]), api, headers=headers)


def _key_of(environment: Mapping[str, str]) -> bytes:
    missing = [each for each in (KEY, KUBECONFIG, RUN_DIR) if not environment.get(each)]
    if missing:
        raise ConfigError(f"{API} is set, but not {', '.join(missing)}: traces need them all")
    try:
        return Path(environment[KEY]).read_bytes()
    except OSError as error:
        raise ConfigError(f"{KEY}={environment[KEY]}: {error.strerror}") from error
