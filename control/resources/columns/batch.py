"""The rows of Jobs and CronJobs.

Pure: documents in, text out. Source: Kubernetes API reference, batch/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age, human_duration, instant, since
from control.resources.columns.printer import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    SELECTOR,
    Column,
    Printer,
    Row,
    integer,
)
from control.resources.columns.reading import (
    deleting,
    is_true,
    items,
    name_of,
    part,
    spec_of,
    status_of,
)
from control.resources.columns.text import (
    NONE,
    UNSET,
    containers_text,
    selector_text,
    template_text,
)

# A job's conditions in the order in which they decide, with deletion among them.
ENDED = (("Complete", "Complete"), ("Failed", "Failed"))
HELD = (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"))


def _job(job: Document, now: datetime) -> Row:
    return [
        name_of(job),
        job_status(job),
        _completions(job),
        _duration(job, now),
        age(job, now),
        *template_text(job),
        selector_text(spec_of(job).get("selector")) or NONE,
    ]


def job_status(job: Document) -> str:
    """What a job does, in one word."""
    conditions = items(status_of(job), "conditions")
    for type, word in ENDED:
        if is_true(conditions, type):
            return word
    if deleting(job):
        return "Terminating"
    return next((word for type, word in HELD if is_true(conditions, type)), "Running")


def _completions(job: Document) -> str:
    spec, succeeded = spec_of(job), status_of(job).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(job: Document, now: datetime) -> str:
    begun = instant(status_of(job).get("startTime"))
    if begun is None:
        return ""
    ended = instant(status_of(job).get("completionTime")) or now
    return human_duration((ended - begun).total_seconds())


def _cron_job(cron_job: Document, now: datetime) -> Row:
    spec, status = spec_of(cron_job), status_of(cron_job)
    job_spec = part(spec, "jobTemplate", "spec")
    last = status.get("lastScheduleTime")
    return [
        name_of(cron_job),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        UNSET if spec.get("suspend") is None else str(bool(spec["suspend"])),
        len(items(status, "active")),
        since(last, now) if last else NONE,
        age(cron_job, now),
        *containers_text(items(part(job_spec, "template", "spec"), "containers")),
        selector_text(job_spec.get("selector")) or NONE,
    ]


JOBS = Printer(
    (
        NAME,
        Column("Status", "Whether it runs, is complete, failed, or is held."),
        Column("Completions", "How many of its pods have ended well, out of how many wanted."),
        Column("Duration", "How long it has run."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    _job,
)
CRON_JOBS = Printer(
    (
        NAME,
        Column("Schedule", "When it starts jobs, as cron spells it."),
        Column("Timezone", "The time zone of the schedule."),
        Column("Suspend", "Whether it is held.", "boolean"),
        integer("Active", "How many of its jobs run."),
        Column("Last Schedule", "How long ago it started a job."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    _cron_job,
)
