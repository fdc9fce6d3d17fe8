"""Jobs and CronJobs: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/batch/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.cron_schedule import BadSchedule, parse_schedule
from control.resources.validation.names import label_faults
from control.resources.validation.pods import template_causes
from control.resources.validation.refusals import invalid, required, unchanged, unsupported
from control.resources.validation.selectors import selector_causes, selects
from control.resources.validation.zones import known_zone

Document = Mapping[str, Any]
COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
RESTARTS = ("OnFailure", "Never")
MODES = ("NonIndexed", "Indexed")
CONCURRENCIES = ("Allow", "Forbid", "Replace")
INDEXED = "Indexed"
PARALLEL_INDEXED_MAX = 100_000
CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
LEGACY_UID, LEGACY_NAME = "controller-uid", "job-name"  # as people still select by
FOR_LIFE = ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy")
# What a queue may still decide of a job that waits.
_DIRECTED = ("nodeSelector", "tolerations", "affinity", "schedulingGates")
_NOT_NEGATIVE = "must be greater than or equal to 0"
_MATCHES_NOT = "`selector` does not match template `labels`"


def job_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a Job."""
    spec, metadata = document.get("spec") or {}, document.get("metadata") or {}
    yield from _job_spec_causes(spec, "spec")
    yield from _selector_causes(spec, metadata)
    last = (spec.get("completions") or 0) - 1
    host = f"{metadata.get('name') or ''}-{last}"
    if spec.get("completionMode") == INDEXED and last >= 0 and label_faults(host):
        words = f"will not able to create pod with invalid DNS label: {host}"
        yield invalid("metadata.name", metadata.get("name") or "", words)


def job_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """What a Job is for does not change."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _completion_update_causes(spec, before)
    for key in FOR_LIFE:
        yield from unchanged(f"spec.{key}", spec.get(key), before.get(key))
    waits = before.get("suspend") and not (old.get("status") or {}).get("startTime")
    shown = _undirected if waits else dict
    template, held = spec.get("template") or {}, before.get("template") or {}
    if shown(template) != shown(held):
        yield from unchanged("spec.template", template, held)


def cron_job_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a CronJob."""
    spec = document.get("spec") or {}
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not schedule:
        yield required("spec.schedule")
    else:
        yield from _schedule_causes(schedule)
    yield from _zone_causes(zone)
    for key in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if (spec.get(key) or 0) < 0:
            yield invalid(f"spec.{key}", spec[key], _NOT_NEGATIVE)
    policy = spec.get("concurrencyPolicy")
    if policy not in (None, *CONCURRENCIES):
        yield unsupported("spec.concurrencyPolicy", policy, CONCURRENCIES)
    path, inner = "spec.jobTemplate.spec", (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_spec_causes(inner, path)
    if inner.get("selector") is not None:
        yield invalid(f"{path}.selector", inner["selector"], "`selector` will be auto-generated")
    if inner.get("manualSelector"):
        yield unsupported(f"{path}.manualSelector", True, ("nil", "false"))


def _schedule_causes(schedule: str) -> Iterator[Cause]:
    if "TZ" in schedule:
        words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid("spec.schedule", schedule, words)
        return
    try:
        parse_schedule(schedule)
    except BadSchedule as error:
        yield invalid("spec.schedule", schedule, str(error))


def _zone_causes(zone: str | None) -> Iterator[Cause]:
    if zone is None:
        return
    if not zone:
        yield invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")
    elif zone.lower() == "local":
        words = "timeZone must be an explicit time zone as defined in "
        yield invalid("spec.timeZone", zone, words + "https://www.iana.org/time-zones")
    elif not known_zone(zone):
        yield invalid("spec.timeZone", zone, f"unknown time zone {zone}")


def _job_spec_causes(spec: Document, path: str) -> Iterator[Cause]:
    for key in COUNTS:
        if (spec.get(key) or 0) < 0:
            yield invalid(f"{path}.{key}", spec[key], _NOT_NEGATIVE)
    mode = spec.get("completionMode")
    if mode not in (None, *MODES):
        yield unsupported(f"{path}.completionMode", mode, MODES)
    if mode == INDEXED and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    parallel = spec.get("parallelism") or 0
    if mode == INDEXED and parallel > PARALLEL_INDEXED_MAX:
        words = f"must be less than or equal to {PARALLEL_INDEXED_MAX} when completion mode is "
        yield invalid(f"{path}.parallelism", parallel, words + INDEXED)
    template = spec.get("template") or {}
    yield from template_causes(template, f"{path}.template")
    restart = (template.get("spec") or {}).get("restartPolicy")
    if restart not in RESTARTS:
        yield unsupported(f"{path}.template.spec.restartPolicy", restart or "", RESTARTS)


def _selector_causes(spec: Document, metadata: Document) -> Iterator[Cause]:
    """A job's pods are its own: what is generated is as it was generated."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from selector_causes(selector, "spec.selector")
    inner = (spec.get("template") or {}).get("metadata") or {}
    labels = inner.get("labels") or {}
    if not spec.get("manualSelector"):
        own = generated_labels(metadata)
        for key, value in own.items():
            yield from _own_causes(labels, key, value)
        if not selects(selector, own):
            yield invalid("spec.selector", selector, "`selector` not auto-generated")
    if not selects(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, _MATCHES_NOT)


def generated_labels(metadata: Document) -> dict[str, str]:
    """The labels by which a job's pods are told from all others."""
    uid, name = metadata.get("uid") or "", metadata.get("name") or ""
    return {CONTROLLER_UID: uid, JOB_NAME: name, LEGACY_UID: uid, LEGACY_NAME: name}


def _own_causes(labels: Document, key: str, value: str) -> Iterator[Cause]:
    path, words = f"spec.template.metadata.labels[{key}]", f"must be '{value}'"
    if key not in labels:
        yield required(path, words)
    elif labels[key] != value:
        yield invalid(path, labels, words)


def _completion_update_causes(spec: Document, before: Document) -> Iterator[Cause]:
    """An indexed job's completions move with its parallelism."""
    wanted, had = spec.get("completions"), before.get("completions")
    elastic = spec.get("completionMode") == before.get("completionMode") == INDEXED
    if not elastic:
        yield from unchanged("spec.completions", wanted, had)
    elif wanted != had and wanted != spec.get("parallelism"):
        words = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", wanted, words)


def _undirected(template: Document) -> dict[str, Any]:
    """A template without what says where its pods go, and what marks them."""
    spec = {k: v for k, v in (template.get("spec") or {}).items() if k not in _DIRECTED}
    metadata = template.get("metadata") or {}
    kept = {k: v for k, v in metadata.items() if k not in ("labels", "annotations")}
    return {"metadata": kept, "spec": spec}
