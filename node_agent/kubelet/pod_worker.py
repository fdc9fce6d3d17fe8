"""One pod on this node: a task that carries out what `pod_state` plans, from ADD to DEL.

    attach the network -> start what the plan says -> wait for an exit, a probe's verdict, an update
                       -> ... -> deleted: end containers -> detach -> remove from the API

The worker needs the API only to say what happened: with the API gone, pods run on and restart.
Spec: P-8, P-15, P-16, P-23, P-41 to P-43, P-50 to P-63, P-74.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError, ClusterError
from cluster.objects.resources import PODS
from node_agent.cni.interface import Network, PodAttachment, PodSpec
from node_agent.kubelet.containers import PodRuns
from node_agent.kubelet.deadline import unless, within
from node_agent.kubelet.environment import hostname_of
from node_agent.kubelet.events import WARNING, Events
from node_agent.kubelet.pod_state import ContainerRecord, Plan, PodContainers, plan, restore
from node_agent.kubelet.pod_status import PodFacts, Status, status_of
from node_agent.kubelet.runtime import Runtime
from node_agent.kubelet.status_writer import StatusWriter
from node_agent.kubelet.termination import GRACE_SECONDS, Deadline, Terminator
from node_agent.kubelet.timestamps import seconds_text

log = logging.getLogger(__name__)

SANDBOX_RETRY_SECONDS = 1.0
DELETE_RETRY_SECONDS = 0.5
GONE_GRACE_SECONDS = 1.0  # a pod removed by force ends soon (P-61)
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """What every pod worker of this node shares."""

    api: Api
    network: Network
    runtime: Runtime
    events: Events
    clock: Clock
    host_ip: str  # the node's InternalIP


class PodWorker:
    """Runs one pod until it is gone."""

    def __init__(self, pod: Document, parts: NodeParts, tasks: Tasks) -> None:
        self.pod = pod
        self.attachment: PodAttachment | None = None
        self.status: Mapping[str, Any] = pod.get("status") or {}
        self._parts = parts
        self._clock = parts.clock
        self._tasks = tasks
        self._writer = StatusWriter(parts.api, parts.clock, pod)
        self._wake = asyncio.Event()
        self._leaving = asyncio.Event()
        self._gone = False  # the API no longer has it
        self._deadline: Deadline | None = None
        self._hurry = asyncio.Event()
        self._initialized = False
        self._reported = asyncio.Event()
        now = self._clock.now()
        self._wanted_ip = self.status.get("podIP") or None
        self._start_time = self.status.get("startTime") or seconds_text(now)
        self.runs = PodRuns(parts.runtime, parts.events, parts.clock, tasks, self)
        self.runs.records.update(restore(pod, now))
        self._notice_deletion()

    # What the sync loop tells

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(self.pod["metadata"]["uid"])

    @property
    def had_address(self) -> bool:
        """Whether an agent before this one gave the pod an address, which it wants again (P-8)."""
        return self._wanted_ip is not None

    @property
    def is_gone(self) -> bool:
        """Whether the API has the pod no longer."""
        return self._gone

    def update(self, pod: Document) -> None:
        """The pod's document has changed."""
        self.pod = pod
        for each in PodContainers.of(pod).ephemeral:
            self.runs.records.setdefault(each["name"], ContainerRecord())
        self._writer.reconcile(pod)
        self._notice_deletion()
        self.wake()

    def gone(self) -> None:
        """The pod is no longer in the API: end it, and tell nobody."""
        self._gone = True
        self._leave(GONE_GRACE_SECONDS)

    def wake(self) -> None:
        """Something happened that may change the plan."""
        self._wake.set()

    def _notice_deletion(self) -> None:
        meta = self.pod["metadata"]
        if meta.get("deletionTimestamp"):
            grace = meta.get("deletionGracePeriodSeconds")
            self._leave(self.grace_seconds if grace is None else float(grace))

    def _leave(self, grace_seconds: float) -> None:
        if self._deadline is None:
            self._deadline = Deadline(self._clock, grace_seconds)
            self._leaving.set()
        elif self._deadline.shorten(grace_seconds):
            self._hurry.set()
        self.wake()

    @property
    def grace_seconds(self) -> float:
        """The pod's own terminationGracePeriodSeconds."""
        own = self.pod["spec"].get("terminationGracePeriodSeconds")
        return GRACE_SECONDS if own is None else float(own)

    async def told(self) -> None:
        """Wait until the API has the status as it is now; an agent that is new has looked first."""
        await self._reported.wait()
        await self._writer.flushed()

    # The pod's life

    async def run(self) -> None:
        """Live, end, leave; when cancelled (the agent stops) the programs are killed."""
        writer = self._tasks.supervise(self._writer.run, name=f"status {self._name}")
        try:
            if self.status.get("phase") not in ENDED:
                await self._live()
            self._reported.set()  # what is over has nothing to say
            await self._leaving.wait()
            await self._terminate()
        finally:
            writer.cancel()
            await self.runs.abandon()
            await self._detach()
            self._parts.runtime.volumes.forget(self.uid)

    @property
    def _name(self) -> str:
        meta = self.pod["metadata"]
        return f"{meta['namespace']}/{meta['name']}"

    async def _live(self) -> None:
        """Run containers until the pod is deleted or its work is over."""
        if not await self._attach():
            return
        assert self.attachment is not None
        while not self._leaving.is_set():
            self._wake.clear()
            step = plan(PodContainers.of(self.pod), self.runs.records, self._clock.now())
            if step.finished:
                await self._finish(step)
                return
            self._initialized = step.initialized
            started = await self._carry_out(step, self.attachment)
            self._report()
            if not started:  # what was started may let more start
                await within(self._clock, self._pause(step), self._wake.wait())

    async def _carry_out(self, step: Plan, attachment: PodAttachment) -> bool:
        """Start what may start; a pod that is deleted meanwhile waits for no ConfigMap."""
        work = self.runs.carry_out(step, attachment)
        if self.runs.needs_api(step):
            return bool(await unless(self._leaving.wait(), work))
        return await work

    def _pause(self, step: Plan) -> float | None:
        times = [at for at in (step.wake_at, self.runs.retry_at) if at is not None]
        return max(0.0, min(times) - self._clock.now()) if times else None

    async def _finish(self, step: Plan) -> None:
        """The work is over: end sidecars, give up the network (P-16), say how it went."""
        terminator = Terminator(self._clock, self._parts.events, lambda: self.pod)
        deadline = Deadline(self._clock, self.grace_seconds)
        await terminator.end_all(self.runs.live(), deadline)
        self._initialized = step.initialized
        self._report(over=True, failed=step.failed)
        await self._detach()

    async def _terminate(self) -> None:
        """The pod was deleted: end containers, detach, remove it from the API (P-56 to P-60)."""
        await self._end_containers()
        self._report(over=True, failed=self.runs.failed())
        await self._detach()
        if not self._gone:
            await within(self._clock, SANDBOX_RETRY_SECONDS, self._writer.flushed())
            await self._remove()

    async def _end_containers(self) -> None:
        assert self._deadline is not None
        terminator = Terminator(self._clock, self._parts.events, lambda: self.pod)
        self.runs.stop_liveness()
        telling = self._tasks.start(self._report_changes(), name=f"leaving {self._name}")
        try:
            while self.runs.live():
                self._hurry.clear()
                ending = terminator.end_all(self.runs.live(), self._deadline)
                await unless(self._hurry.wait(), ending)
        finally:
            telling.cancel()

    async def _report_changes(self) -> None:
        """While containers end: readiness goes on to count, and so does who has ended (P-54)."""
        while self.runs.live():
            self._wake.clear()
            self._report()
            await self._wake.wait()

    async def _remove(self) -> None:
        meta = self.pod["metadata"]
        while not self._gone:
            try:
                await self._parts.api.delete(
                    PODS,
                    meta["name"],
                    namespace=meta["namespace"],
                    grace_seconds=0,
                    uid=self.uid,
                )
                return
            except ApiError as error:
                if error.code in (404, 409):
                    return
                log.warning("pod not removed pod=%s error=%s", self._name, error)
            except (OSError, TimeoutError) as error:
                log.info("pod not removed pod=%s error=%s", self._name, error)
            self._wake.clear()
            await within(self._clock, DELETE_RETRY_SECONDS, self._wake.wait())

    # Network

    async def _attach(self) -> bool:
        """ADD, again and again while it fails (P-23); whether the pod has a network."""
        self._report()
        while not self._leaving.is_set():
            try:
                self.attachment = await self._parts.network.add(self._pod_spec())
                return True
            except (ClusterError, OSError) as error:
                text = f"Failed to create pod sandbox: {error}"
                self._parts.events.pod(self.pod, "FailedCreatePodSandBox", text, kind=WARNING)
            seconds = SANDBOX_RETRY_SECONDS * self._clock.scale
            await within(self._clock, seconds, self._leaving.wait())
        return False

    async def _detach(self) -> None:
        self.attachment = None
        await self._parts.network.delete(self.uid)

    def _pod_spec(self) -> PodSpec:
        meta, spec = self.pod["metadata"], self.pod["spec"]
        aliases = spec.get("hostAliases") or ()
        return PodSpec(
            namespace=meta["namespace"],
            name=meta["name"],
            uid=self.uid,
            hostname=hostname_of(self.pod),
            labels=dict(meta.get("labels") or {}),
            host_network=bool(spec.get("hostNetwork")),
            wanted_ip=self._wanted_ip,
            dns_policy=spec.get("dnsPolicy") or "ClusterFirst",
            dns_config=dict(spec.get("dnsConfig") or {}),
            host_aliases=tuple((each["ip"], tuple(each["hostnames"])) for each in aliases),
            subdomain=spec.get("subdomain") or "",
        )

    # Status

    def _report(self, *, over: bool = False, failed: bool = False) -> None:
        self._reported.set()
        if self.status.get("phase") in ENDED:
            return
        facts = PodFacts(
            now=self._clock.now(),
            host_ip=self._parts.host_ip,
            ip=self.attachment.ip if self.attachment else None,
            initialized=self._initialized,
            over=over,
            failed=failed,
            start_time=self._start_time,
        )
        status: Status = status_of(self.pod, self.runs.records, facts, self.status)
        self.status = status
        if not self._gone:
            self._writer.put(status)
