"""The containers of one pod: starts what the plan names, follows each run to its end.

The records (`pod_state.ContainerRecord`) are the truth that the plan and the status are made from;
every change here wakes the pod's worker.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Document
from node_agent.cni.interface import PodAttachment
from node_agent.kubelet.environment import sources_of
from node_agent.kubelet.events import NORMAL, WARNING, Events
from node_agent.kubelet.hooks import hook_of, run_hook
from node_agent.kubelet.logs import ContainerLogs
from node_agent.kubelet.pod_state import CRASH_LOOP, ContainerRecord, Plan, PodContainers, Waiting
from node_agent.kubelet.probe_calls import ask
from node_agent.kubelet.prober import Prober
from node_agent.kubelet.probes import Handler, Outcome, ProbeKind, ProbeSpec, probes_of
from node_agent.kubelet.runtime import ContainerRun, NotStarted, Runtime
from node_agent.kubelet.termination import Deadline, Terminator
from node_agent.kubelet.termination_message import termination_message
from node_agent.kubelet.volumes import mounts_of

log = logging.getLogger(__name__)

CONFIG_RETRY_SECONDS = 1.0


class Owner(Protocol):
    """The pod worker, as its containers see it."""

    pod: Document
    attachment: PodAttachment | None

    @property
    def grace_seconds(self) -> float: ...

    def wake(self) -> None: ...


class PodRuns:
    """Records, logs and live runs of a pod's containers."""

    def __init__(
        self, runtime: Runtime, events: Events, clock: Clock, tasks: Tasks, owner: Owner
    ) -> None:
        self.records: dict[str, ContainerRecord] = {}
        self.logs: dict[str, ContainerLogs] = {}
        self._held: dict[str, float] = {}  # what could not be started, and when to try again
        self._runtime = runtime
        self._events = events
        self._clock = clock
        self._tasks = tasks
        self._owner = owner
        self._live: dict[str, ContainerRun] = {}
        self._probers: dict[str, Prober] = {}
        self._specs: dict[str, Mapping[ProbeKind, ProbeSpec]] = {}

    def live(self) -> list[ContainerRun]:
        """What runs now, in the order of starting."""
        names = [each["name"] for each in PodContainers.of(self._owner.pod).all]
        return [self._live[name] for name in names if name in self._live]

    # Starting

    @property
    def retry_at(self) -> float | None:
        """When to try again what could not be started."""
        return min(self._held.values(), default=None)

    async def carry_out(self, step: Plan, attachment: PodAttachment) -> bool:
        """Start what may start, show what has to wait; whether anything was started."""
        for name in step.back_off:
            self._show_back_off(name)
        containers = {each["name"]: each for each in PodContainers.of(self._owner.pod).all}
        started = False
        for name in step.start:
            if self._held.get(name, 0.0) <= self._clock.now():
                self._held.pop(name, None)
                started |= await self._start(containers[name], attachment)
        return started

    def needs_api(self, step: Plan) -> bool:
        """Whether something to start needs what only the API has: ConfigMaps, Secrets, volumes."""
        containers = PodContainers.of(self._owner.pod).all
        return any(
            each["name"] in step.start and (sources_of(each) or mounts_of(each, automatic=False))
            for each in containers
        )

    def _show_back_off(self, name: str) -> None:
        record = self.records[name]
        if isinstance(record.state, Waiting) and record.state.reason == CRASH_LOOP:
            return
        meta = self._owner.pod["metadata"]
        where = f"pod={meta['name']}_{meta['namespace']}({meta['uid']})"
        delay = f"{record.back_off.delay_seconds or 0:g}s"
        text = f"back-off {delay} restarting failed container={name} {where}"
        self.records[name] = record.wait(CRASH_LOOP, text)
        told = f"Back-off restarting failed container {name} in pod {where.removeprefix('pod=')}"
        self._event("BackOff", told, name, kind=WARNING)

    async def _start(self, container: Document, attachment: PodAttachment) -> bool:
        name = container["name"]
        logs = self.logs.setdefault(name, ContainerLogs(self._clock))
        try:
            run = await self._runtime.start(self._owner.pod, container, attachment, logs)
        except NotStarted as refusal:
            self.records[name] = self.records[name].wait(refusal.reason, refusal.message)
            self._event(refusal.event, refusal.event_text, name, kind=WARNING)
            self._held[name] = self._clock.now() + CONFIG_RETRY_SECONDS * self._clock.scale
            return False
        self._live[name] = run
        self.records[name] = self.records[name].begin(self._clock.now())
        self._tell_started(run, name)
        self._tasks.start(self._follow(run, attachment), name=f"container {name}")
        if hook_of(container, "postStart") is None:
            self._probe(run)
        else:
            self._tasks.start(self._after_start(run), name=f"postStart of {name}")
        return True

    def _tell_started(self, run: ContainerRun, name: str) -> None:
        image = run.container.get("image", "")
        self._event("Pulled", f'Container image "{image}" already present on machine', name)
        self._event("Created", f"Container created: {name}", name)
        self._event("Started", f"Container started: {name}", name)
        if self.records[name].restarts == 0:  # it is said once
            if run.image.stand_in:
                self._event("StandIn", _stand_in_text(run), name)
            for reason, text in run.notes:
                self._event(reason, text, name)

    async def _after_start(self, run: ContainerRun) -> None:
        """The postStart hook, then the probes."""
        hook = hook_of(run.container, "postStart")
        name = run.container["name"]
        if hook is not None:
            failure = await run_hook(hook, run.container, run.target, self._clock)
            if failure:
                text = f"PostStartHook failed: {failure}"
                self._event("FailedPostStartHook", text, name, kind=WARNING)
                await self._kill(run, self._owner.grace_seconds, "FailedPostStartHook")
                return
        if self._live.get(name) is run:
            self._probe(run)

    # Probes

    def _probe(self, run: ContainerRun) -> None:
        name = run.container["name"]
        specs = probes_of(run.container)

        async def question(handler: Handler, timeout_seconds: float) -> Outcome:
            return await ask(handler, run.target, timeout_seconds)

        self._specs[name] = specs
        prober = self._probers[name] = Prober(
            specs,
            question,
            clock=self._clock,
            tasks=self._tasks,
            on_verdict=partial(self._verdict, run),
            on_failure=partial(self._probe_failed, name),
        )
        if ProbeKind.STARTUP not in specs:
            self._started(name)
        prober.start()

    def _started(self, name: str) -> None:
        ready = ProbeKind.READINESS not in self._specs[name]  # P-50
        self._change(name, started=True, ready=ready)

    def _verdict(self, run: ContainerRun, kind: ProbeKind, passing: bool) -> None:
        name = run.container["name"]
        if self._live.get(name) is not run:
            return
        if kind is ProbeKind.READINESS:
            self._change(name, ready=passing)
        elif passing and kind is ProbeKind.STARTUP:
            self._started(name)
        elif not passing:
            spec = self._specs[name][kind]
            grace = self._owner.grace_seconds if spec.grace_seconds is None else spec.grace_seconds
            why = f"Container {name} failed {kind.lower()} probe, will be restarted"
            self._tasks.start(self._kill(run, grace, why), name=f"kill {name}")

    def _probe_failed(self, name: str, kind: ProbeKind, outcome: Outcome) -> None:
        if outcome.ok:
            self._event("ProbeWarning", f"{kind} probe warning: {outcome.warning}", name, WARNING)
        else:
            self._event("Unhealthy", f"{kind} probe failed: {outcome.text}", name, WARNING)

    def _change(self, name: str, *, ready: bool, started: bool | None = None) -> None:
        record = self.records[name]
        begun = record.started if started is None else started
        self.records[name] = replace(record, ready=ready, started=begun)
        self._owner.wake()

    def stop_liveness(self) -> None:
        """The pod terminates: readiness probes go on, the others stop (P-54)."""
        for prober in self._probers.values():
            prober.stop(ProbeKind.LIVENESS, ProbeKind.STARTUP)

    # Ending

    async def _kill(self, run: ContainerRun, grace_seconds: float, why: str) -> None:
        terminator = Terminator(self._clock, self._events, lambda: self._owner.pod)
        await terminator.end(run, Deadline(self._clock, grace_seconds), why)

    async def _follow(self, run: ContainerRun, attachment: PodAttachment) -> None:
        """Wait for a run's end and clean up after it."""
        code = await run.program.wait()
        name = run.container["name"]
        self._live.pop(name, None)
        prober = self._probers.pop(name, None)
        if prober is not None:
            prober.stop()
        attachment.release(run.program.signals)
        run.log.end()
        message = termination_message(
            run.container,
            code,
            failure=run.program.failure,
            log=run.log.text(),
            written=run.termination_log(),
        )
        self.records[name] = self.records[name].end(
            code, self._clock.now(), scale=self._clock.scale, message=message
        )
        run.over.set()
        self._owner.wake()

    def failed(self) -> bool:
        """Whether a container of a pod that ends has failed, or never ran."""
        ends = [self.records[each["name"]].ended for each in PodContainers.of(self._owner.pod).main]
        return any(end is None or end.exit_code != 0 for end in ends)

    async def abandon(self) -> None:
        """Kill what still runs, without courtesy: the pod or the agent is at its end."""
        live = self.live()
        for run in live:
            run.program.kill()
        for run in live:
            await run.program.wait()
            run.over.set()

    def _event(self, reason: str, text: str, name: str, kind: str = NORMAL) -> None:
        self._events.pod(self._owner.pod, reason, text, kind=kind, container=name)


def _stand_in_text(run: ContainerRun) -> str:
    image = run.container.get("image", "")
    ports = ", ".join(str(port) for port in run.program.ctx.ports) or "no declared port"
    return (
        f'No workload is known for image "{image}": a stand-in answers on {ports}. '
        f"Name a program with --image '{image}=python://MODULE:ATTRIBUTE'"
    )
