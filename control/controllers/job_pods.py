"""The pods of a Job: how many may run now, who they are, who goes.

Pure: documents and counts in, writes out. Source: kubernetes.io, "Jobs".
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import JOBS, PODS
from control.controllers.indexes import INDEX, index_of
from control.controllers.job_count import (
    TRACKING,
    Count,
    completions_of,
    failed,
    indexed,
    succeeded,
    tracked,
)
from control.controllers.pod_template import pod_from, with_labels
from control.controllers.pods import active, ready
from control.controllers.times import seconds_of
from control.controllers.view import View, deleting, spec_of, status_of, uid_of
from control.controllers.writes import Announce, Create, Delete, LookAgain, Write, patch_of

BURST_PODS_MAX = 500
BACKOFF_FIRST_SECONDS, BACKOFF_SECONDS_MAX = 10.0, 360.0
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"


def manage(view: View, job: Document, count: Count, pods: Sequence[Document]) -> list[Write]:
    """Create what may run and does not; take back what is too much."""
    running = [pod for pod in pods if active(pod)]
    wished = _wished(job, count, len(running))
    surplus = len(running) - wished
    if surplus > 0:
        ranked = sorted(running, key=lambda pod: (ready(pod), pod["metadata"]["name"]))
        return taken_back(job, ranked[:surplus])
    missing = -surplus
    if spec_of(job).get("podReplacementPolicy") == "Failed":
        missing -= sum(deleting(pod) and not _over(pod) for pod in pods)
    if missing <= 0:
        return []
    wait = backoff_in(view, job, pods)
    if wait > 0:
        return [LookAgain(wait)]
    return _creations(job, count, running, min(missing, BURST_PODS_MAX))


def taken_back(job: Document, pods: Sequence[Document]) -> list[Write]:
    """Delete pods that are to count as nothing: the finalizer goes first."""
    return [*released(pods), *deleted(job, pods)]


def released(pods: Sequence[Document]) -> list[Write]:
    """Let pods go as far as the Job is concerned."""
    return [_without_finalizer(pod) for pod in pods if tracked(pod)]


def deleted(job: Document, pods: Sequence[Document]) -> list[Write]:
    """Delete pods, and say so."""
    announce = Announce(
        about=job,
        done=("SuccessfulDelete", "Deleted pod: {name}"),
        refused=("FailedDelete", "Error deleting: {error}"),
    )
    return [
        Delete(
            resource=PODS,
            namespace=pod["metadata"]["namespace"],
            name=pod["metadata"]["name"],
            uid=uid_of(pod),
            announce=announce,
        )
        for pod in pods
    ]


def backoff_in(view: View, job: Document, pods: Sequence[Document]) -> float:
    """How long a pod that failed is not replaced yet: twice as long after each in a row."""
    good = max((_ended_at(view, pod) for pod in pods if succeeded(pod)), default=0.0)
    bad = [t for pod in pods if failed(job, pod) and (t := _ended_at(view, pod)) > good]
    if not bad:
        return 0.0
    pause = min(BACKOFF_FIRST_SECONDS * 2.0 ** min(len(bad) - 1, 16), BACKOFF_SECONDS_MAX)
    return max(0.0, max(bad) + pause * view.scale - view.now)


def _wished(job: Document, count: Count, running: int) -> int:
    parallelism = spec_of(job).get("parallelism")
    most = 1 if parallelism is None else int(parallelism)
    completions = completions_of(job)
    if completions is None:
        return min(running, most) if count.succeeded else most
    return max(0, min(completions - count.succeeded, most))


def _creations(
    job: Document, count: Count, running: Sequence[Document], missing: int
) -> list[Write]:
    announce = Announce(
        about=job,
        done=("SuccessfulCreate", "Created pod: {name}"),
        refused=("FailedCreate", "Error creating: {error}"),
    )
    template = spec_of(job).get("template") or {}
    if not indexed(job):
        pod = _tracked(pod_from(template, JOBS, job))
        return [Create(PODS, pod, announce) for _ in range(missing)]
    taken = count.done | {index_of(pod) for pod in running}
    free = (i for i in range(completions_of(job) or 0) if i not in taken)
    return [Create(PODS, _numbered(job, index), announce) for index in islice(free, missing)]


def _tracked(pod: dict[str, Any]) -> dict[str, Any]:
    metadata = pod["metadata"]
    finalizers = [*(metadata.get("finalizers") or ()), TRACKING]
    return {**pod, "metadata": {**metadata, "finalizers": finalizers}}


def _numbered(job: Document, index: int) -> dict[str, Any]:
    """The pod of one completion index, which its name, notes, host name and variables tell."""
    name = f"{job['metadata']['name']}-{index}"
    template = spec_of(job).get("template") or {}
    pod = _tracked(pod_from(template, JOBS, job, generateName=f"{name}-"))
    notes = {**(pod["metadata"].get("annotations") or {}), INDEX: str(index)}
    spec = pod["spec"]
    spec = {
        **spec,
        "hostname": name,
        "containers": [_told(each) for each in spec.get("containers") or ()],
    }
    if spec.get("initContainers"):
        spec["initContainers"] = [_told(each) for each in spec["initContainers"]]
    numbered = {**pod, "metadata": {**pod["metadata"], "annotations": notes}, "spec": spec}
    return with_labels(numbered, {INDEX: str(index)})


def _told(container: Mapping[str, Any]) -> dict[str, Any]:
    held = list(container.get("env") or ())
    if any(each.get("name") == INDEX_VARIABLE for each in held):
        return dict(container)
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    return {**container, "env": [*held, {"name": INDEX_VARIABLE, "valueFrom": source}]}


def _without_finalizer(pod: Document) -> Write:
    rest = [each for each in pod["metadata"].get("finalizers") or () if each != TRACKING]
    return patch_of(PODS, pod, {"metadata": {"finalizers": rest or None}})


def _over(pod: Document) -> bool:
    return status_of(pod).get("phase") in ("Succeeded", "Failed")


def _ended_at(view: View, pod: Document) -> float:
    """When the last of its containers ended; when it is being deleted, that moment."""
    ends = [
        seconds_of(((each.get("state") or {}).get("terminated") or {}).get("finishedAt"))
        for each in status_of(pod).get("containerStatuses") or ()
    ]
    known = [each for each in ends if each is not None]
    if known:
        return max(known)
    return seconds_of(pod["metadata"].get("deletionTimestamp")) or view.now
