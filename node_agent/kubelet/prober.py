"""Runs the probes of one container while it runs; what answers mean is decided by `probes`.

The startup probe first; readiness and liveness begin when it has succeeded (P-53).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from node_agent.kubelet.probes import Handler, Outcome, ProbeKind, ProbeSpec, ProbeState, observe

log = logging.getLogger(__name__)

Ask = Callable[[Handler, float], Awaitable[Outcome]]
OnVerdict = Callable[[ProbeKind, bool], None]
OnFailure = Callable[[ProbeKind, Outcome], None]


class Prober:
    """The probes of one run of a container."""

    def __init__(
        self,
        probes: Mapping[ProbeKind, ProbeSpec],
        ask: Ask,
        *,
        clock: Clock,
        tasks: Tasks,
        on_verdict: OnVerdict,
        on_failure: OnFailure,
    ) -> None:
        self._probes = probes
        self._ask = ask
        self._clock = clock
        self._tasks = tasks
        self._on_verdict = on_verdict
        self._on_failure = on_failure
        self._running: dict[ProbeKind, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin; a container without a startup probe has started already."""
        if ProbeKind.STARTUP in self._probes:
            self._begin(ProbeKind.STARTUP)
        else:
            self._started()

    def _started(self) -> None:
        for kind in (ProbeKind.READINESS, ProbeKind.LIVENESS):
            if kind in self._probes:
                self._begin(kind)

    def _begin(self, kind: ProbeKind) -> None:
        task = self._tasks.start(self._run(self._probes[kind]), name=f"{kind} probe")
        self._running[kind] = task

    def stop(self, *kinds: ProbeKind) -> None:
        """Ask no more; without kinds, nothing at all."""
        for kind in kinds or tuple(self._running):
            task = self._running.pop(kind, None)
            if task is not None:
                task.cancel()

    async def _run(self, spec: ProbeSpec) -> None:
        await self._clock.sleep(spec.initial_delay_seconds * self._clock.scale)
        state, began = ProbeState(), self._clock.monotonic()
        while True:
            outcome = await self._ask(spec.handler, spec.timeout_seconds)
            step = observe(
                state,
                spec,
                ok=outcome.ok,
                now=self._clock.monotonic(),
                scale=self._clock.scale,
                began=began,
            )
            if step.counted and (not outcome.ok or outcome.warning):
                self._on_failure(spec.kind, outcome)
            changed = step.state.passing is not state.passing
            state = step.state
            if changed and state.passing is not None and self._tell(spec.kind, state.passing):
                return
            await self._clock.sleep(step.pause_seconds)

    def _tell(self, kind: ProbeKind, passing: bool) -> bool:
        """Report a verdict; whether the probe has done its work."""
        self._on_verdict(kind, passing)
        if kind is ProbeKind.STARTUP:
            if passing:
                self._started()
            return True
        return kind is ProbeKind.LIVENESS and not passing
