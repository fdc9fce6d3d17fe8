"""Job: pods until enough of them succeeded, or too many failed.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Jobs", "Automatic Cleanup for
Finished Jobs". Spec: P-95.

Counting is in `job_count`, who runs in `job_pods`, the end in `job_end`; here they meet.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import JOBS, PODS
from control.controllers.claims import claim, owners_of_pod
from control.controllers.conditions import Condition, condition_of, with_condition
from control.controllers.definition import Controller, itself
from control.controllers.job_count import Count, count_of, tracked
from control.controllers.job_end import End, deadline_in, end_of, ended
from control.controllers.job_pods import deleted, manage, released, taken_back
from control.controllers.ownership import controller_of
from control.controllers.pod_failure_policy import ruling_on
from control.controllers.pods import active, finished, ready
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import (
    Key,
    Objects,
    View,
    deleting,
    labels_of,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.writes import (
    NORMAL,
    WARNING,
    Create,
    Delete,
    EmitEvent,
    LookAgain,
    Patch,
    Write,
    status_changes,
)

OWN_CONTROLLER = "kubernetes.io/job-controller"
JOB_NAME = "batch.kubernetes.io/job-name"
OWNERS = owners_of_pod(JOBS)
SUSPENDED = "Suspended"
POINTERS = ("ready", "terminating", "uncountedTerminatedPods")  # there when zero, too


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Take one Job a step further."""
    job = view.objects.at(key)
    if job is None:
        return released(_left_behind(view.objects, key))
    if spec_of(job).get("managedBy", OWN_CONTROLLER) != OWN_CONTROLLER:
        return ()
    adopted, pods = claim(job, JOBS, view.objects.pods_to_claim(job))
    over = ended(job)
    if over is not None:
        return [*released([pod for pod in pods if _over(pod)]), *_expiry(view, job, over)]
    if deleting(job):
        return [*adopted, *released([pod for pod in pods if _over(pod)])]
    count = count_of(job, pods, _ignored(job, pods))
    end = end_of(view, job, count, pods)
    changes = [] if view.refusal else _changes(view, job, count, pods, end)
    counted = [pod for pod in pods if uid_of(pod) in count.counted]
    status = _status_writes(view, job, count, pods, changes, end)
    return [*adopted, *released(counted), *changes, *status, *_deadline(view, job, end)]


def _changes(
    view: View, job: Document, count: Count, pods: Sequence[Document], end: End | None
) -> list[Write]:
    running = [pod for pod in pods if active(pod)]
    if end is not None:
        return deleted(job, running)
    if spec_of(job).get("suspend"):
        return taken_back(job, running)
    return manage(view, job, count, pods)


def _status_writes(
    view: View,
    job: Document,
    count: Count,
    pods: Sequence[Document],
    changes: Sequence[Write],
    end: End | None,
) -> list[Write]:
    held = status_of(job)
    gone = {change.uid for change in changes if isinstance(change, Delete)}
    stay = [pod for pod in pods if active(pod) and uid_of(pod) not in gone]
    started = sum(isinstance(change, Create) for change in changes)
    dying = sum(deleting(pod) and not finished(pod) for pod in pods) + len(gone)
    quiet = not stay and not started and not dying and count.settled
    conditions, events = _conditions(view, job, end, quiet)
    wished: dict[str, Any] = {
        **count.counters,
        "active": len(stay) + started,
        "ready": sum(ready(pod) for pod in stay),
        "terminating": dying,
        "conditions": conditions,
        "startTime": _start_time(view, job),
        "completionTime": held.get("completionTime"),
    }
    if quiet and end is not None and end.good:
        wished["completionTime"] = timestamp(view.now)
    news = status_changes(wished, held, always=POINTERS)
    if not news:
        return list(events)
    metadata = job["metadata"]
    patch = Patch(JOBS, metadata["namespace"], metadata["name"], {"status": news}, "status")
    return [patch, *events]


def _start_time(view: View, job: Document) -> str | None:
    """Since it may run; from anew when it was suspended."""
    since: str | None = status_of(job).get("startTime")
    if spec_of(job).get("suspend"):
        return since
    held = condition_of(job, SUSPENDED)
    resumed = held is not None and held.get("status") == "True"
    return timestamp(view.now) if since is None or resumed else since


def _conditions(
    view: View, job: Document, end: End | None, quiet: bool
) -> tuple[list[Condition], list[EmitEvent]]:
    """The conditions as they are now, and what is told of their change."""
    held: list[Condition] = list(status_of(job).get("conditions") or ())
    when = timestamp(view.now)
    if end is None:
        return _suspension(job, held, when)
    events: list[EmitEvent] = []
    result = held
    for kind in (end.target, *((end.final,) if quiet else ())):
        if condition_of({"status": {"conditions": result}}, kind) is None:
            result = with_condition(
                result, _condition(kind, end.reason, end.message, when), when=when
            )
            if kind == end.final:
                reason, message = (
                    ("Completed", "Job completed")
                    if end.good
                    else (
                        end.reason,
                        end.message,
                    )
                )
                events.append(EmitEvent(job, reason, message, NORMAL if end.good else WARNING))
    return result, events


def _suspension(
    job: Document, held: list[Condition], when: str
) -> tuple[list[Condition], list[EmitEvent]]:
    now = condition_of(job, SUSPENDED)
    was, wished = now is not None and now.get("status") == "True", bool(spec_of(job).get("suspend"))
    if was == wished:
        return held, []
    reason, message = ("JobSuspended", "Job suspended") if wished else ("JobResumed", "Job resumed")
    status = "True" if wished else "False"
    condition = {**_condition(SUSPENDED, reason, message, when), "status": status}
    event = EmitEvent(job, "Suspended" if wished else "Resumed", message)
    return with_condition(held, condition, when=when), [event]


def _condition(kind: str, reason: str, message: str, when: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": "True",
        "lastProbeTime": when,
        "reason": reason,
        "message": message,
    }


def _deadline(view: View, job: Document, end: End | None) -> list[Write]:
    left = deadline_in(view, job)
    return [LookAgain(left)] if end is None and left is not None and left > 0 else []


def _expiry(view: View, job: Document, over: Condition) -> list[Write]:
    """A finished Job goes some time later, if it says when."""
    seconds = spec_of(job).get("ttlSecondsAfterFinished")
    if seconds is None or deleting(job):
        return []
    left = (seconds_of(over.get("lastTransitionTime")) or view.now) + float(seconds) - view.now
    if left > 0:
        return [LookAgain(left)]
    metadata = job["metadata"]
    return [
        Delete(
            resource=JOBS,
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=uid_of(job),
            propagation="Foreground",
        )
    ]


def _ignored(job: Document, pods: Iterable[Document]) -> frozenset[str]:
    """Failed pods that the failure policy does not count."""
    if not spec_of(job).get("podFailurePolicy"):
        return frozenset()
    rulings = ((pod, ruling_on(job, pod)) for pod in pods if _over(pod) and tracked(pod))
    return frozenset(uid_of(pod) for pod, it in rulings if it is not None and it.action == "Ignore")


def _over(pod: Document) -> bool:
    return finished(pod) or deleting(pod)


def _left_behind(objects: Objects, key: Key) -> list[Document]:
    """Pods of a Job that is gone, also those that were orphaned by its deletion."""
    return [pod for pod in objects.each(PODS, key.namespace) if _job_of(pod) == key.name]


def _job_of(pod: Document) -> str:
    """The name of the Job that the pod has or had."""
    owner = controller_of(pod)
    if owner is not None:
        return str(owner["name"]) if owner.get("kind") == JOBS.kind else ""
    return labels_of(pod).get(JOB_NAME, "") if tracked(pod) else ""


def _of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The Jobs that have the pod or may adopt it; for a tracked orphan, the one it had."""
    yield from OWNERS(objects, old, new)
    if new is not None and controller_of(new) is None and _job_of(new):
        yield Key(JOBS, new["metadata"]["namespace"], _job_of(new))


def controller() -> Controller:
    """The Job controller."""
    return Controller(
        name="job",
        component="job-controller",
        tells_refusals=True,
        reconcile=reconcile,
        watches={JOBS: itself(JOBS), PODS: _of_pod},
    )
