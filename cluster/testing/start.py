"""Brings up the cluster that a test wants, and takes it down; both block."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cluster.launcher.launch import detach
from cluster.launcher.spec import ClusterSpec
from cluster.testing.guard import Guard
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes

Result = TypeVar("Result")


def start(name: str, wishes: Wishes, guard: Guard) -> ClusterUnderTest:
    """Returns when the cluster serves and is settled; ConfigError says why it does not."""
    guard.starting(name)
    running = apart(detach(spec_of(name, wishes)))
    return ClusterUnderTest(running, wishes)


def stop(made: ClusterUnderTest, guard: Guard) -> None:
    """Returns when nothing of the cluster is left."""
    apart(made.running.down())
    guard.stopped(made.name)


def spec_of(name: str, wishes: Wishes) -> ClusterSpec:
    """The cluster to launch."""
    return ClusterSpec(
        name=name,
        nodes=wishes.nodes,
        manifests=tuple(wishes.app_dir / each for each in wishes.manifests),
        images=wishes.images,
        app_dir=wishes.app_dir,
        zones=wishes.zones,
        time_scale=wishes.time_scale,
        durable=wishes.durable,
    )


def apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a thread: an event loop may be running in this one."""
    with ThreadPoolExecutor(1, thread_name_prefix="kubehop") as threads:
        return threads.submit(asyncio.run, work).result()
