"""Ends containers: preStop, SIGTERM, patience, SIGKILL; sidecars last.

Spec: P-56 to P-59. Periods of the pod are scaled by the clock's scale.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from node_agent.kubelet.deadline import within
from node_agent.kubelet.events import WARNING, Events
from node_agent.kubelet.hooks import hook_of, run_hook
from node_agent.kubelet.pod_state import sidecar
from node_agent.kubelet.runtime import ContainerRun

GRACE_SECONDS = 30.0
EXTENSION_SECONDS = 2.0  # what is left at least after a preStop hook (P-58)


class Deadline:
    """When patience ends; a second delete may only shorten it."""

    def __init__(self, clock: Clock, grace_seconds: float) -> None:
        self._clock = clock
        self._at = clock.monotonic() + grace_seconds * clock.scale

    def shorten(self, grace_seconds: float) -> bool:
        """Take a new grace period from now on; whether it is earlier."""
        at = self._clock.monotonic() + grace_seconds * self._clock.scale
        earlier, self._at = at < self._at, min(at, self._at)
        return earlier

    def left(self) -> float:
        """Real seconds until then."""
        return max(0.0, self._at - self._clock.monotonic())


class Terminator:
    """Ends the containers of one pod."""

    def __init__(self, clock: Clock, events: Events, pod: Callable[[], Document]) -> None:
        self._clock = clock
        self._events = events
        self._pod = pod

    async def end_all(self, runs: Sequence[ContainerRun], deadline: Deadline) -> None:
        """Containers at once, then sidecars in reverse order (P-59)."""
        sidecars = [run for run in runs if sidecar(run.container)]
        async with asyncio.TaskGroup() as group:
            for run in runs:
                if run not in sidecars:
                    group.create_task(self.end(run, deadline), name=f"end {run.program.ctx.name}")
        for run in reversed(sidecars):
            await self.end(run, deadline)

    async def end(self, run: ContainerRun, deadline: Deadline, why: str = "") -> None:
        """End one container; returns when all of it has ended."""
        if run.over.is_set():
            return
        name = run.container["name"]
        if not run.killing:
            run.killing = True
            told = why or f"Stopping container {name}"
            self._events.pod(self._pod(), "Killing", told, container=name)
            await self._pre_stop(run, deadline)
        if not run.signalled:  # a second, shorter deadline cuts the hook off and comes here
            run.signalled = True
            run.program.signal(signal.SIGTERM)
        patience = max(deadline.left(), self._extension(run))
        if not await within(self._clock, patience, run.over.wait()):
            run.program.kill()
            await run.over.wait()

    def _extension(self, run: ContainerRun) -> float:
        has_hook = hook_of(run.container, "preStop") is not None
        return EXTENSION_SECONDS * self._clock.scale if has_hook else 0.0

    async def _pre_stop(self, run: ContainerRun, deadline: Deadline) -> None:
        hook = hook_of(run.container, "preStop")
        if hook is None or run.program.exited:
            return
        failure = ""

        async def carry_out() -> None:
            nonlocal failure
            failure = await run_hook(hook, run.container, run.target, self._clock)

        if not await within(self._clock, deadline.left(), carry_out()):
            failure = "it outlasted the grace period"
        if failure:
            self._events.pod(
                self._pod(),
                "FailedPreStopHook",
                f"PreStopHook failed: {failure}",
                kind=WARNING,
                container=run.container["name"],
            )
