"""Jobs and CronJobs: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/batch/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.cron_schedule import BadSchedule, parse_schedule
from control.resources.validation.pods import template_causes
from control.resources.validation.refusals import invalid, required, unchanged, unsupported

Document = Mapping[str, Any]
COUNTS = ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished")
RESTARTS = ("OnFailure", "Never")
_NOT_NEGATIVE = "must be greater than or equal to 0"


def job_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a Job."""
    yield from _job_spec_causes(document.get("spec") or {}, "spec")


def job_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """What a Job is for does not change."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    for key in ("completions", "selector", "template", "completionMode"):
        yield from unchanged(f"spec.{key}", spec.get(key), before.get(key))


def cron_job_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a CronJob."""
    spec = document.get("spec") or {}
    schedule = spec.get("schedule") or ""
    if not schedule:
        yield required("spec.schedule")
    else:
        yield from _schedule_causes(schedule)
    inner = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_spec_causes(inner, "spec.jobTemplate.spec")


def _schedule_causes(schedule: str) -> Iterator[Cause]:
    try:
        parse_schedule(schedule)
    except BadSchedule as error:
        yield invalid("spec.schedule", schedule, str(error))


def _job_spec_causes(spec: Document, path: str) -> Iterator[Cause]:
    for key in COUNTS:
        if (spec.get(key) or 0) < 0:
            yield invalid(f"{path}.{key}", spec[key], _NOT_NEGATIVE)
    template = spec.get("template") or {}
    yield from template_causes(template, f"{path}.template")
    restart = (template.get("spec") or {}).get("restartPolicy")
    if restart not in RESTARTS:
        yield unsupported(f"{path}.template.spec.restartPolicy", restart or "", RESTARTS)
