"""Brings up the cluster that a test wants, and takes it down; both block."""

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from cluster.errors import ConfigError
from cluster.launcher.spec import ClusterSpec
from cluster.testing.guard import Guard, awaited
from cluster.testing.wishes import Wishes

if TYPE_CHECKING:
    from cluster.testing.under_test import ClusterUnderTest

BEGIN_SECONDS_MAX = 5.0  # for a thread to begin; an interrupt may come before there is one

Result = TypeVar("Result")


def start(name: str, wishes: Wishes, guard: Guard) -> "ClusterUnderTest":
    """Returns when the cluster serves and is settled; ClusterError says why it does not."""
    if not wishes.app_dir.is_dir():
        raise ConfigError(f"app_dir: {wishes.app_dir} is not a directory")
    reading = guard.launch(spec_of(name, wishes).to_json())
    with os.fdopen(reading) as reports:
        # imported while the launcher works: HTTP clients and all that take a quarter of a second
        from cluster.launcher.places import Places
        from cluster.launcher.running import find
        from cluster.testing.under_test import ClusterUnderTest

        awaited(reports, name, Places.of(name).logs / "launcher.log")
    return ClusterUnderTest(find(name), wishes)


def stop(made: "ClusterUnderTest") -> None:
    """Returns when nothing of the cluster is left."""
    apart(made.running.down())


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
        audit=wishes.audit,
        hand_over=wishes.hand_over,
    )


def apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a thread: an event loop may be running in this one.

    Whoever is interrupted meanwhile, by Ctrl-C or a time limit, ends the coroutine too.
    """
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
    done: Future[Result] = Future()

    async def run() -> Result:
        task = asyncio.current_task()
        assert task is not None
        begun.set_result((asyncio.get_running_loop(), task))
        return await work

    def work_apart() -> None:
        try:
            done.set_result(asyncio.run(run()))
        except BaseException as error:
            done.set_exception(error)
        finally:
            begun.cancel()  # where it has not even begun

    try:  # an interrupt may come between any two lines from here on
        Thread(target=work_apart, name="kubehop").start()
        return done.result()
    finally:
        # cancelled: it never began to run; not there in time: the interrupt came before the thread
        with suppress(CancelledError, TimeoutError):
            loop, task = begun.result(BEGIN_SECONDS_MAX)
            with suppress(RuntimeError):  # its loop is closed: it came to its end
                loop.call_soon_threadsafe(task.cancel)
            wait([done])
