"""When a Job is over, and how its conditions say so.

Pure: documents and counts in, values out. Source: kubernetes.io, "Jobs", termination and cleanup.
"""

from collections.abc import Sequence

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.conditions import Condition, condition_of, status_is
from control.controllers.job_count import Count, completions_of
from control.controllers.pod_failure_policy import ruling_on
from control.controllers.pods import active, restarts
from control.controllers.times import seconds_of
from control.controllers.view import View, spec_of, status_of, uid_of

BACKOFF_LIMIT = 6


@dataclass(frozen=True, slots=True)
class End:
    """The Job is to end like this; its pods go first."""

    good: bool
    reason: str
    message: str

    @property
    def target(self) -> str:
        """The condition while pods are still there."""
        return "SuccessCriteriaMet" if self.good else "FailureTarget"

    @property
    def final(self) -> str:
        """The condition once they are gone."""
        return "Complete" if self.good else "Failed"


REACHED = End(True, "CompletionsReached", "Reached expected number of succeeded pods")
BACKED_OFF = End(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
LATE = End(False, "DeadlineExceeded", "Job was active longer than specified deadline")


def ended(job: Document) -> Condition | None:
    """The condition that says that the Job is over, or None."""
    for kind in ("Complete", "Failed"):
        if status_is(job, kind):
            return condition_of(job, kind)
    return None


def end_of(view: View, job: Document, count: Count, pods: Sequence[Document]) -> End | None:
    """How the Job ends now, if it does."""
    for kind in ("SuccessCriteriaMet", "FailureTarget"):
        held = condition_of(job, kind)
        if held is not None and held.get("status") == "True":
            good = kind == "SuccessCriteriaMet"
            return End(good, str(held.get("reason")), str(held.get("message")))
    return (
        _policy(job, pods, count) or _limits(view, job, count, pods) or _reached(job, count, pods)
    )


def deadline_in(view: View, job: Document) -> float | None:
    """In how many seconds the deadline comes; None without one."""
    seconds, since = spec_of(job).get("activeDeadlineSeconds"), status_of(job).get("startTime")
    begun = seconds_of(since)
    if seconds is None or begun is None or spec_of(job).get("suspend"):
        return None
    return begun + float(seconds) - view.now


def _policy(job: Document, pods: Sequence[Document], count: Count) -> End | None:
    for pod in pods:
        if status_of(pod).get("phase") == "Failed" and uid_of(pod) not in count.counted:
            ruling = ruling_on(job, pod)
            if ruling is not None and ruling.action == "FailJob":
                return End(False, "PodFailurePolicy", ruling.message)
    return None


def _limits(view: View, job: Document, count: Count, pods: Sequence[Document]) -> End | None:
    limit = spec_of(job).get("backoffLimit")
    limit = BACKOFF_LIMIT if limit is None else int(limit)
    if count.failed > limit or _restarted_too_often(job, pods, limit):
        return BACKED_OFF
    left = deadline_in(view, job)
    return LATE if left is not None and left <= 0 else None


def _restarted_too_often(job: Document, pods: Sequence[Document], limit: int) -> bool:
    """Where containers are started again in their pods, those starts count."""
    template = spec_of(job).get("template") or {}
    if (template.get("spec") or {}).get("restartPolicy") != "OnFailure":
        return False
    times = sum(restarts(pod) for pod in pods if active(pod))
    return times > 0 if limit == 0 else times >= limit


def _reached(job: Document, count: Count, pods: Sequence[Document]) -> End | None:
    completions = completions_of(job)
    if completions is None:
        over = count.succeeded > 0 and not any(active(pod) for pod in pods)
    else:
        over = count.succeeded >= completions
    return REACHED if over else None
