"""How the pods of a Job are counted: each once, also when it is deleted afterwards.

Pure: documents in, values out. Source: kubernetes.io, "Jobs", job tracking with finalizers.

A finished pod is first written down in `status.uncountedTerminatedPods`; then it loses its
finalizer; then it moves from there into a counter. So a pod that disappears in between is counted,
and none is counted twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.indexes import format_indexes, index_of, parse_indexes
from control.controllers.view import deleting, spec_of, status_of, uid_of

TRACKING = "batch.kubernetes.io/job-tracking"
INDEXED = "Indexed"
WRITTEN_DOWN_MAX = 500  # pods in one status


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A Job's pods in numbers; those written down are in them."""

    succeeded: int
    failed: int
    counters: Mapping[str, Any]  # what the status says next
    done: frozenset[int]  # indexes
    counted: frozenset[str]  # uids of pods that may lose the finalizer now
    settled: bool  # nothing is left to be written down or moved


def tracked(pod: Document) -> bool:
    """Whether the Job still has to take note of the pod."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def succeeded(pod: Document) -> bool:
    """Whether it ended well."""
    return bool(status_of(pod).get("phase") == "Succeeded")


def failed(job: Document, pod: Document) -> bool:
    """Whether it ended badly; one that is being deleted has, unless the Job waits for its end."""
    if status_of(pod).get("phase") == "Failed":
        return True
    waits = spec_of(job).get("podReplacementPolicy") == "Failed"
    return deleting(pod) and not succeeded(pod) and not waits


def completions_of(job: Document) -> int | None:
    """How many pods must succeed; None where any success will do."""
    completions = spec_of(job).get("completions")
    return None if completions is None else int(completions)


def indexed(job: Document) -> bool:
    """Whether each pod has a number of its own."""
    return spec_of(job).get("completionMode") == INDEXED


def count_of(job: Document, pods: Sequence[Document], ignored: frozenset[str]) -> Count:
    """Count once more; `ignored` are failed pods that the failure policy does not count."""
    status = status_of(job)
    by_uid = {uid_of(pod): pod for pod in pods}
    noted = status.get("uncountedTerminatedPods") or {}
    held = {key: list(noted.get(key) or ()) for key in ("succeeded", "failed")}
    kept = {key: [u for u in uids if _still(by_uid.get(u))] for key, uids in held.items()}
    moved = {key: len(held[key]) - len(kept[key]) for key in held}
    done = parse_indexes(status.get("completedIndexes") or "", completions_of(job) or 0)
    before: frozenset[int | None] = frozenset(done)
    known = {*held["succeeded"], *held["failed"]}
    fresh = [pod for pod in pods if tracked(pod) and uid_of(pod) not in known]
    new_good = [pod for pod in fresh if succeeded(pod)]
    new_bad = [p for p in fresh if failed(job, p) and uid_of(p) not in ignored]
    if indexed(job):
        done |= {i for pod in new_good if (i := index_of(pod)) is not None}
        done = {i for i in done if i < (completions_of(job) or 0)}
        outside = {index_of(pod) for pod in new_good} - done
        flushed = [uid_of(pod) for pod in new_good if index_of(pod) in before | outside]
        good: list[str] = []
        total_good = len(done)
        kept["succeeded"], moved["succeeded"] = [], 0
    else:
        good = [uid_of(pod) for pod in new_good][:WRITTEN_DOWN_MAX]
        flushed = []
        total_good = int(status.get("succeeded") or 0) + len(held["succeeded"]) + len(good)
    bad = [uid_of(pod) for pod in new_bad][:WRITTEN_DOWN_MAX]
    uncounted = {"succeeded": kept["succeeded"] + good, "failed": kept["failed"] + bad}
    base = len(done) if indexed(job) else int(status.get("succeeded") or 0) + moved["succeeded"]
    counters = {
        "succeeded": base,
        "failed": int(status.get("failed") or 0) + moved["failed"],
        "completedIndexes": format_indexes(done),
        "uncountedTerminatedPods": {key: uids for key, uids in uncounted.items() if uids},
    }
    return Count(
        succeeded=total_good,
        failed=int(status.get("failed") or 0) + len(held["failed"]) + len(bad),
        counters=counters,
        done=frozenset(done),
        counted=frozenset({*known, *flushed, *ignored}),
        settled=not any(uncounted.values()),
    )


def _still(pod: Document | None) -> bool:
    return pod is not None and tracked(pod)
