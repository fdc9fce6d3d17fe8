"""The status of a pod as the kubelet reports it: phase, conditions, container statuses.

Pure: records in, a plain JSON document out.
Spec: P-12, P-13, P-15, P-38 to P-40, P-44, P-50, P-63.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from node_agent.kubelet.pod_state import (
    ContainerRecord,
    PodContainers,
    Records,
    Running,
    Terminated,
    Waiting,
    sidecar,
)
from node_agent.kubelet.timestamps import seconds_text

Status = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFacts:
    """What the status says besides the containers' records."""

    now: float
    host_ip: str  # the node's InternalIP (P-13)
    ip: str | None = None  # set once the pod's network stands (P-15)
    initialized: bool = False
    over: bool = False  # nothing runs and nothing will
    failed: bool = False
    start_time: str = ""
    reason: str = ""  # of a pod that failed as a whole
    message: str = ""


def status_of(
    pod: Document, records: Records, facts: PodFacts, previous: Mapping[str, Any]
) -> Status:
    """The whole status; `previous` gives the conditions their transition times."""
    containers = PodContainers.of(pod)
    phase = phase_of(containers, records, facts)
    status: Status = {
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": phase,
        "conditions": _conditions(pod, containers, records, facts, phase, previous),
        "hostIP": facts.host_ip,
        "hostIPs": [{"ip": facts.host_ip}],
        "startTime": facts.start_time or seconds_text(facts.now),
        "containerStatuses": _statuses(pod, containers.main, records, facts),
    }
    if facts.ip is not None:
        status |= {"podIP": facts.ip, "podIPs": [{"ip": facts.ip}]}
    if containers.init:
        status["initContainerStatuses"] = _statuses(pod, containers.init, records, facts)
    if containers.ephemeral:
        made = _statuses(pod, containers.ephemeral, records, facts)
        status["ephemeralContainerStatuses"] = [{**each, "ready": False} for each in made]
    if facts.reason:
        status |= {"reason": facts.reason, "message": facts.message}
    return status


def phase_of(containers: PodContainers, records: Records, facts: PodFacts) -> str:
    """Pending, Running, Succeeded or Failed (P-38); stays Running while terminating (P-63)."""
    if facts.over:
        return "Failed" if facts.failed else "Succeeded"
    main = [records[each["name"]] for each in containers.main]
    never_ran = any(not record.running and record.ended is None for record in main)
    return "Pending" if never_ran or not facts.initialized else "Running"


# Conditions


def _conditions(
    pod: Document,
    containers: PodContainers,
    records: Records,
    facts: PodFacts,
    phase: str,
    previous: Mapping[str, Any],
) -> list[dict[str, Any]]:
    before = {each["type"]: each for each in previous.get("conditions") or ()}
    now_ready = _containers_ready(containers, records, facts, phase)
    wanted = [
        _condition("PodReadyToStartContainers", facts.ip is not None and not facts.over),
        _initialized(containers, records, facts),
        _ready(pod, before, now_ready),
        now_ready,
        _condition("PodScheduled", True),
    ]
    at = seconds_text(facts.now)
    return [_timed(each, before.get(each["type"]), at) for each in wanted]


def _condition(kind: str, holds: bool, reason: str = "", message: str = "") -> dict[str, Any]:
    said = {"reason": reason, "message": message} if reason else {}
    return {"type": kind, "status": "True" if holds else "False", **said}


def _timed(condition: dict[str, Any], before: Mapping[str, Any] | None, at: str) -> dict[str, Any]:
    same = before is not None and before.get("status") == condition["status"]
    since = before["lastTransitionTime"] if before and same else at
    return {**condition, "lastTransitionTime": since}


def _initialized(containers: PodContainers, records: Records, facts: PodFacts) -> dict[str, Any]:
    if facts.initialized or (facts.over and not facts.failed):
        over = "PodCompleted" if facts.over and not facts.failed else ""
        return _condition("Initialized", True, over)
    waiting = [each["name"] for each in containers.init if not _init_done(each, records)]
    return _condition(
        "Initialized",
        not containers.init,
        "ContainersNotInitialized" if waiting else "",
        f"containers with incomplete status: [{' '.join(waiting)}]",
    )


def _init_done(container: Document, records: Records) -> bool:
    record = records[container["name"]]
    if sidecar(container):
        return record.started
    return isinstance(record.state, Terminated) and record.state.exit_code == 0


def _containers_ready(
    containers: PodContainers, records: Records, facts: PodFacts, phase: str
) -> dict[str, Any]:
    if facts.over:
        return _condition("ContainersReady", False, f"Pod{_ending(phase)}")
    counted = containers.sidecars + containers.main
    unready = [each["name"] for each in counted if not records[each["name"]].ready]
    if not unready:
        return _condition("ContainersReady", True)
    message = f"containers with unready status: [{' '.join(unready)}]"
    return _condition("ContainersReady", False, "ContainersNotReady", message)


def _ending(phase: str) -> str:
    return "Completed" if phase == "Succeeded" else "Failed"


def _ready(
    pod: Document, before: Mapping[str, Mapping[str, Any]], containers: Mapping[str, Any]
) -> dict[str, Any]:
    if containers["status"] != "True":
        return {**containers, "type": "Ready"}
    actual = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()}
    complaints = [
        complaint
        for gate in pod["spec"].get("readinessGates") or ()
        if (complaint := _gate(gate["conditionType"], actual.get(gate["conditionType"])))
    ]
    if not complaints:
        return _condition("Ready", True)
    return _condition("Ready", False, "ReadinessGatesNotReady", ", ".join(complaints))


def _gate(kind: str, condition: Mapping[str, Any] | None) -> str:
    if condition is None:  # counts as False (P-40)
        return f'corresponding condition of pod readiness gate "{kind}" does not exist.'
    status = condition.get("status")
    if status == "True":
        return ""
    return f'the status of pod readiness gate "{kind}" is not "True", but {status}'


# Containers


def _statuses(
    pod: Document, containers: tuple[Document, ...], records: Records, facts: PodFacts
) -> list[dict[str, Any]]:
    return [_status(pod, each, records[each["name"]], facts) for each in containers]


def _status(
    pod: Document, container: Document, record: ContainerRecord, facts: PodFacts
) -> dict[str, Any]:
    record = record.give_up() if facts.over else record
    uid, name = pod["metadata"].get("uid", ""), container["name"]
    image = container.get("image", "")
    document: dict[str, Any] = {
        "name": name,
        "image": image,
        "imageID": f"kubehop://{image}",
        "ready": record.ready or _completed_init(pod, container, record),
        "started": record.started,
        "restartCount": record.restarts,
        "state": _state(record, initialized=facts.initialized, name=name, pod=pod),
        "lastState": {},
    }
    if record.running or record.ended is not None:
        document["containerID"] = container_id(uid, name, record.restarts)
    if record.last is not None:
        waits = isinstance(record.state, Waiting)  # for its next run: the last is the newest
        before = container_id(uid, name, record.restarts - (not waits))
        document["lastState"] = {"terminated": _terminated(record.last, before)}
    return document


def _completed_init(pod: Document, container: Document, record: ContainerRecord) -> bool:
    init = pod["spec"].get("initContainers") or ()
    if not any(each is container for each in init) or sidecar(container):
        return False
    return isinstance(record.state, Terminated) and record.state.exit_code == 0


def _state(
    record: ContainerRecord, *, initialized: bool, name: str, pod: Document
) -> dict[str, Any]:
    match record.state:
        case Running(started_at):
            return {"running": {"startedAt": seconds_text(started_at)}}
        case Terminated() as ended:
            uid = pod["metadata"].get("uid", "")
            return {"terminated": _terminated(ended, container_id(uid, name, record.restarts))}
        case Waiting(reason, message):
            if reason == "ContainerCreating" and pod["spec"].get("initContainers"):
                reason = reason if initialized else "PodInitializing"
            said = {"message": message} if message else {}
            return {"waiting": {"reason": reason, **said}}


def _terminated(ended: Terminated, identity: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "exitCode": ended.exit_code,
        "reason": ended.why,
        "startedAt": seconds_text(ended.started_at),
        "finishedAt": seconds_text(ended.finished_at),
        "containerID": identity,
    }
    if ended.message:
        document["message"] = ended.message
    return document


def container_id(uid: str, name: str, run: int) -> str:
    """The identity of one run of a container."""
    return "kubehop://" + hashlib.sha256(f"{uid}/{name}/{run}".encode()).hexdigest()


def patch_of(status: Status, sent: Mapping[str, Any]) -> dict[str, Any]:
    """A strategic merge patch of what changed since `sent`.

    Conditions merge by type, so that those of others (readiness gates) stay; what a condition of
    ours no longer says is nulled.
    """
    patch = {name: value for name, value in status.items() if sent.get(name) != value}
    patch |= {name: None for name in ("reason", "message") if name in sent and name not in status}
    if "conditions" in patch:
        before = {each["type"]: each for each in sent.get("conditions") or ()}
        patch["conditions"] = [
            {**{key: None for key in before.get(each["type"], {}) if key not in each}, **each}
            for each in status["conditions"]
            if before.get(each["type"]) != each
        ]
    if "podIPs" in patch and sent.get("podIPs"):
        patch["podIPs"] = [*patch["podIPs"], {"$patch": "replace"}]
    return patch
