"""The row of a pod: above all its status in one word.

The word is not the phase: it is the reason of what keeps the pod from running, looked for in
deletion, containers (the first that says something), init containers, scheduling gates, phase.
Pure: documents in, text out. Source: kubernetes.io, "Pod Lifecycle"; "Sidecar Containers".
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.resources.columns.ages import age, human_duration, instant
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, wide
from control.resources.columns.reading import (
    deleting,
    is_true,
    items,
    name_of,
    part,
    spec_of,
    status_of,
)
from control.resources.columns.text import NONE

Status = Mapping[str, Any]
NODE_LOST = "NodeLost"
GATED = "SchedulingGated"


@dataclass(frozen=True, slots=True)
class Summary:
    """A pod's containers taken together."""

    ready: int
    total: int
    reason: str
    restarts: int
    last_restart: datetime | None

    def restarts_text(self, now: datetime) -> str:
        """`3 (2m ago)`, or only the number."""
        if not self.restarts or self.last_restart is None:
            return str(self.restarts)
        ago = human_duration((now - self.last_restart).total_seconds())
        return f"{self.restarts} ({ago} ago)"


def summary(pod: Document) -> Summary:
    """How a pod is."""
    spec, status = spec_of(pod), status_of(pod)
    conditions, inits = items(status, "conditions"), items(status, "initContainerStatuses")
    sidecars = {
        each["name"]
        for each in items(spec, "initContainers")
        if each.get("restartPolicy") == "Always"
    }
    done = _initialized(inits, sidecars)
    ready = sum(_serving(each, sidecars) for each in inits[:done])
    counted: list[Status] = list(inits[: done + 1])
    reason = _phase_reason(status, conditions)
    if done < len(inits):
        reason = _init_reason(inits[done], done, len(items(spec, "initContainers")))
    if done == len(inits) or is_true(conditions, "Initialized"):
        containers = items(status, "containerStatuses")
        counted = [each for each in counted if each["name"] in sidecars] + list(containers)
        reason = _container_reason(containers, conditions, reason)
        ready += sum(map(_running, containers))
    return Summary(
        ready=ready,
        total=len(items(spec, "containers")) + len(sidecars),
        reason=_deletion_reason(pod, status) or reason,
        restarts=sum(int(each.get("restartCount") or 0) for each in counted),
        last_restart=_last_restart(counted),
    )


def _initialized(inits: Sequence[Status], sidecars: set[str]) -> int:
    """How many init containers the pod need not wait for, from the first."""
    for index, each in enumerate(inits):
        terminated = part(each, "state").get("terminated")
        ended_well = terminated is not None and not terminated.get("exitCode")
        if not ended_well and not (each["name"] in sidecars and each.get("started")):
            return index
    return len(inits)


def _serving(status: Status, sidecars: set[str]) -> bool:
    terminated = "terminated" in part(status, "state")
    return status["name"] in sidecars and bool(status.get("ready")) and not terminated


def _phase_reason(status: Status, conditions: Sequence[Status]) -> str:
    for each in conditions:
        if each.get("type") == "PodScheduled" and each.get("reason") == GATED:
            return GATED
    return str(status.get("reason") or status.get("phase") or "")


def _init_reason(status: Status, index: int, total: int) -> str:
    state = part(status, "state")
    if state.get("terminated") is not None:
        return f"Init:{_end_reason(state['terminated'])}"
    waiting = part(state, "waiting").get("reason")
    if waiting and waiting != "PodInitializing":
        return f"Init:{waiting}"
    return f"Init:{index}/{total}"


def _end_reason(terminated: Status) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _container_reason(
    containers: Sequence[Status], conditions: Sequence[Status], otherwise: str
) -> str:
    reason = next(filter(None, map(_waiting_or_ended, containers)), otherwise)
    if reason == "Completed" and any(map(_running, containers)):
        return "Running" if is_true(conditions, "Ready") else "NotReady"
    return reason


def _waiting_or_ended(status: Status) -> str:
    state = part(status, "state")
    waiting = part(state, "waiting").get("reason")
    if waiting:
        return str(waiting)
    return _end_reason(state["terminated"]) if state.get("terminated") is not None else ""


def _running(status: Status) -> bool:
    running = part(status, "state").get("running") is not None
    return running and bool(status.get("ready")) and not _waiting_or_ended(status)


def _deletion_reason(pod: Document, status: Status) -> str:
    if not deleting(pod):
        return ""
    if status.get("reason") == NODE_LOST:
        return "Unknown"
    return "" if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _last_restart(statuses: Iterable[Status]) -> datetime | None:
    ends = (part(each, "lastState", "terminated").get("finishedAt") for each in statuses)
    return max(filter(None, map(instant, ends)), default=None)


def _pod(pod: Document, now: datetime) -> Row:
    told, spec, status = summary(pod), spec_of(pod), status_of(pod)
    addresses = items(status, "podIPs")
    address = addresses[0].get("ip") if addresses else status.get("podIP")
    return [
        name_of(pod),
        f"{told.ready}/{told.total}",
        told.reason,
        told.restarts_text(now),
        age(pod, now),
        address or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    ]


def _gates(spec: Status, status: Status) -> str:
    gates = items(spec, "readinessGates")
    if not gates:
        return NONE
    conditions = items(status, "conditions")
    passed = sum(is_true(conditions, str(each.get("conditionType", ""))) for each in gates)
    return f"{passed}/{len(gates)}"


def _completed(pod: Document) -> list[dict[str, str]]:
    """Pods that are over are marked, so that clients can leave them out."""
    messages = {"Succeeded": "The pod has ended, and well.", "Failed": "The pod has failed."}
    phase = str(status_of(pod).get("phase", ""))
    if phase not in messages:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": messages[phase]}]


PODS = Printer(
    (
        NAME,
        Column("Ready", "How many containers are ready, out of how many."),
        Column("Status", "What the pod does, or what keeps it from running."),
        Column("Restarts", "How often containers were restarted, and how long ago the last time."),
        AGE,
        wide("IP", "The pod's address."),
        wide("Node", "The node that runs the pod."),
        wide("Nominated Node", "The node where room is being made for the pod."),
        wide("Readiness Gates", "How many gates have opened, out of how many."),
    ),
    _pod,
    _completed,
)
