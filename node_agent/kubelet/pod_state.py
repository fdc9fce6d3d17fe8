"""A pod's life as a transition table: what happened so far decides what to start or stop next.

    init containers, in order:  waiting -> running -> terminated 0 -> the next
    sidecars (init, Always):    waiting -> running and started     -> the next, and kept running
    containers, all at once:    waiting -> running -> terminated   -> again by policy, or over
    ephemeral containers:       waiting -> running -> terminated, once; nothing waits for them

Pure: documents, records and a time in; a Plan out. Carried out by `pod_worker`.
Spec: P-38 to P-43, P-50 to P-53, P-59.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from node_agent.kubelet.back_off import BackOff
from node_agent.kubelet.timestamps import parse

CRASH_LOOP = "CrashLoopBackOff"
KILLED = 137
STATUS_FIELDS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
LOST = 255  # the agent died with the container: nobody saw the exit code


class RestartPolicy(StrEnum):
    """Who is started again after its end."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not started yet, or between two runs."""

    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Started, not ended."""

    started_at: float


@dataclass(frozen=True, slots=True)
class Terminated:
    """One run is over."""

    exit_code: int
    started_at: float
    finished_at: float
    reason: str = ""
    message: str = ""

    @property
    def why(self) -> str:
        """The reason as the API spells it."""
        return self.reason or ("Completed" if self.exit_code == 0 else "Error")


ContainerState = Waiting | Running | Terminated


NO_BACK_OFF = BackOff()


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """What is known of one container."""

    state: ContainerState = Waiting()
    last: Terminated | None = None  # how the run before ended
    restarts: int = 0
    started: bool = False  # runs, and its startup probe has succeeded
    ready: bool = False
    back_off: BackOff = NO_BACK_OFF
    run: int = 0  # how many runs were begun by this agent

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return isinstance(self.state, Running)

    @property
    def ended(self) -> Terminated | None:
        """How its last run ended, while it does not run."""
        if isinstance(self.state, Terminated):
            return self.state
        return self.last if isinstance(self.state, Waiting) else None

    def begin(self, now: float) -> "ContainerRecord":
        """A run starts."""
        again = self.ended is not None
        return replace(
            self,
            state=Running(now),
            last=self.ended,
            restarts=self.restarts + again,
            started=False,
            ready=False,
            run=self.run + 1,
        )

    def end(
        self, exit_code: int, now: float, *, scale: float, reason: str = "", message: str = ""
    ) -> "ContainerRecord":
        """The run is over."""
        began = self.state.started_at if isinstance(self.state, Running) else now
        return replace(
            self,
            state=Terminated(exit_code, began, now, reason, message),
            started=False,
            ready=False,
            back_off=self.back_off.after_end(now, scale),
        )

    def wait(self, reason: str, message: str = "") -> "ContainerRecord":
        """It cannot run now; the end of its last run is kept."""
        return replace(self, state=Waiting(reason, message), last=self.ended)

    def give_up(self) -> "ContainerRecord":
        """It is not started again: it waits for nothing, its last run has just ended."""
        if isinstance(self.state, Waiting) and self.last is not None:
            return replace(self, state=self.last, last=None)
        return self


Records = Mapping[str, ContainerRecord]


@dataclass(frozen=True, slots=True)
class PodContainers:
    """A pod's containers by role, and the rule of their restarts."""

    init: tuple[Document, ...]  # regular ones and sidecars, in order
    main: tuple[Document, ...]
    policy: RestartPolicy
    ephemeral: tuple[Document, ...] = ()  # added to the pod while it ran; each runs once

    @classmethod
    def of(cls, pod: Document) -> "PodContainers":
        """Read a pod document."""
        spec = pod["spec"]
        return cls(
            tuple(spec.get("initContainers") or ()),
            tuple(spec.get("containers") or ()),
            RestartPolicy(spec.get("restartPolicy") or "Always"),
            tuple(spec.get("ephemeralContainers") or ()),
        )

    @property
    def sidecars(self) -> tuple[Document, ...]:
        """Init containers that run for the pod's whole life, in order."""
        return tuple(each for each in self.init if sidecar(each))

    @property
    def all(self) -> tuple[Document, ...]:
        """Every container, in the order of starting."""
        return self.init + self.main + self.ephemeral

    def policy_of(self, container: Document) -> RestartPolicy:
        """A container's own restartPolicy, else the pod's; init containers never run on Always."""
        own = container.get("restartPolicy")
        if own:
            return RestartPolicy(own)
        if any(container is each for each in self.init) and self.policy is RestartPolicy.ALWAYS:
            return RestartPolicy.ON_FAILURE
        return self.policy


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    start: tuple[str, ...] = ()
    back_off: tuple[str, ...] = ()  # must wait: shown as CrashLoopBackOff
    wake_at: float | None = None  # when the next of them may start
    initialized: bool = False
    finished: bool = False  # no main container will run again: sidecars are to stop
    failed: bool = False  # finished, and something went wrong


@dataclass(slots=True)
class _Draft:
    start: list[str] = field(default_factory=list)
    back_off: list[str] = field(default_factory=list)
    wake_at: float | None = None

    def want(self, name: str, record: ContainerRecord, now: float) -> None:
        """Start it now, or when its back-off is over."""
        if record.ended is not None and record.back_off.waits(now):
            self.back_off.append(name)
            until = record.back_off.until
            self.wake_at = until if self.wake_at is None else min(self.wake_at, until)
        else:
            self.start.append(name)

    def plan(self, **verdict: bool) -> Plan:
        return Plan(tuple(self.start), tuple(self.back_off), self.wake_at, **verdict)


def sidecar(container: Document) -> bool:
    """Whether an init container is a sidecar (KEP-753)."""
    return container.get("restartPolicy") == "Always"


def plan(containers: PodContainers, records: Records, now: float) -> Plan:
    """What to start now; nothing, and `finished`, when the pod's work is over."""
    draft = _Draft()
    draft.start += [
        each["name"]
        for each in containers.ephemeral
        if not records[each["name"]].running and records[each["name"]].ended is None
    ]
    begun = any(records[each["name"]].run for each in containers.main)
    initialized, failed = _plan_init(containers, records, now, draft, begun)
    if failed:
        return Plan(finished=True, failed=True)
    if not initialized and not begun:
        return draft.plan()
    over = _plan_main(containers, records, now, draft)
    if over:
        ends = [records[each["name"]].ended for each in containers.main]
        return Plan(
            initialized=True,
            finished=True,
            failed=any(end is not None and end.exit_code for end in ends),
        )
    return draft.plan(initialized=True)


def _plan_init(
    containers: PodContainers, records: Records, now: float, draft: _Draft, begun: bool
) -> tuple[bool, bool]:
    """(all init containers have done their part, one has failed for good)."""
    for container in containers.init:
        name = container["name"]
        record = records[name]
        if sidecar(container):
            if not record.running:
                draft.want(name, record, now)
            if not record.started and not begun:
                return False, False
        elif not _completed(record) and not begun:
            failed = _failed(record) and not _again(containers, container, record)
            if not record.running and not failed:
                draft.want(name, record, now)
            return False, failed
    return True, False


def _plan_main(containers: PodContainers, records: Records, now: float, draft: _Draft) -> bool:
    """Want every main container that has to run; whether none has to any more."""
    over = True
    for container in containers.main:
        name = container["name"]
        record = records[name]
        if record.running:
            over = False
        elif record.ended is None or _again(containers, container, record):
            over = False
            draft.want(name, record, now)
    return over


def _completed(record: ContainerRecord) -> bool:
    return isinstance(record.state, Terminated) and record.state.exit_code == 0


def _failed(record: ContainerRecord) -> bool:
    return isinstance(record.state, Terminated) and record.state.exit_code != 0


def _again(containers: PodContainers, container: Document, record: ContainerRecord) -> bool:
    policy = containers.policy_of(container)
    if policy is RestartPolicy.ON_FAILURE:
        return record.ended is None or record.ended.exit_code != 0
    return policy is RestartPolicy.ALWAYS


def restore(pod: Document, now: float) -> dict[str, ContainerRecord]:
    """Records of a pod that this agent has not run yet, from the status of an agent before it.

    Whatever ran has died with that agent and counts as one restart more (its exit code is nobody's
    knowledge). A new sandbox runs init containers again, unless the pod never restarts anything.
    """
    containers = PodContainers.of(pod)
    status = pod.get("status") or {}
    known = {
        each["name"]: each for field_name in STATUS_FIELDS for each in status.get(field_name) or ()
    }
    never = containers.policy is RestartPolicy.NEVER
    init = {each["name"] for each in containers.init}
    return {
        each["name"]: _restored(
            known.get(each["name"]), now, rerun=each["name"] in init and not never
        )
        for each in containers.all
    }


def _restored(status: Mapping[str, Any] | None, now: float, *, rerun: bool) -> ContainerRecord:
    if status is None:
        return ContainerRecord()
    state, restarts = status.get("state") or {}, int(status.get("restartCount", 0))
    last = _terminated((status.get("lastState") or {}).get("terminated"), now)
    if "running" in state:
        began = _time((state["running"] or {}).get("startedAt"), now)
        lost = Terminated(LOST, began, now, "Unknown", "the node agent ended while it ran")
        return ContainerRecord(lost, last, restarts)
    ended = _terminated(state.get("terminated"), now)
    if ended is None:
        return ContainerRecord(last=last, restarts=restarts)
    if rerun:
        return ContainerRecord(Waiting("PodInitializing"), ended, restarts)
    return ContainerRecord(ended, last, restarts)


def _terminated(document: Mapping[str, Any] | None, now: float) -> Terminated | None:
    if not document:
        return None
    return Terminated(
        int(document.get("exitCode", LOST)),
        _time(document.get("startedAt"), now),
        _time(document.get("finishedAt"), now),
        document.get("reason", ""),
        document.get("message", ""),
    )


def _time(text: str | None, otherwise: float) -> float:
    return parse(text) if text else otherwise
