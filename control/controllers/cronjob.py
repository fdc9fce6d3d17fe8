"""CronJob: a Job whenever the schedule says so.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "CronJob". A schedule is read on the
clock of its time zone; without one, in UTC.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import CRON_JOBS, JOBS
from control.controllers.definition import Controller, itself
from control.controllers.job_end import ended
from control.controllers.ownership import controlled_by, controller_of, controller_reference
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import Key, Objects, View, deleting, spec_of, status_of, uid_of
from control.controllers.writes import (
    WARNING,
    Announce,
    Create,
    Delete,
    EmitEvent,
    LookAgain,
    Patch,
    Write,
)
from control.resources.cron_schedule import BadSchedule, Schedule, parse_schedule

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
SUCCESSES_KEPT, FAILURES_KEPT = 3, 1
FORBIDDEN = "Not starting job because prior execution is running and concurrency policy is Forbid"


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Take note of the Jobs that there are, and start the one that is due."""
    cron_job = view.objects.at(key)
    if cron_job is None or deleting(cron_job):
        return ()
    jobs = _jobs(view.objects, cron_job)
    news, told = _noted(cron_job, jobs)
    starts: list[Write] = []
    if not spec_of(cron_job).get("suspend"):
        starts, last = _started(view, cron_job, jobs)
        if last is not None:
            news["lastScheduleTime"] = timestamp(last.timestamp())
    status: list[Write] = []
    if news:
        metadata = cron_job["metadata"]
        place = metadata["namespace"], metadata["name"]
        status.append(Patch(CRON_JOBS, *place, {"status": news}, "status"))
    return [*_forgotten(cron_job, jobs), *starts, *status, *told]


def zone_of(cron_job: Document) -> tzinfo | None:
    """The time zone of the schedule; None for one that nobody knows."""
    name = spec_of(cron_job).get("timeZone")
    if not name:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # read from files, when first asked for

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _jobs(objects: Objects, cron_job: Document) -> list[Document]:
    held = (job for _, job in objects.owned_by(uid_of(cron_job), JOBS))
    mine = [job for job in held if controlled_by(job, cron_job)]
    return sorted(mine, key=lambda job: job["metadata"]["name"])


def _noted(cron_job: Document, jobs: Sequence[Document]) -> tuple[dict[str, Any], list[Write]]:
    """What the status says of the Jobs, where that changed, and the Events of those that ended."""
    held = status_of(cron_job)
    before = list(held.get("active") or ())
    running = [_reference(job) for job in jobs if ended(job) is None and not deleting(job)]
    news: dict[str, Any] = {}
    if [each.get("uid") for each in before] != [each["uid"] for each in running]:
        news["active"] = running or None
    good = [t for job in jobs if (t := status_of(job).get("completionTime"))]
    if good and max(good) > (held.get("lastSuccessfulTime") or ""):
        news["lastSuccessfulTime"] = max(good)
    told: list[Write] = []
    for reference in before:
        job = next((job for job in jobs if uid_of(job) == reference.get("uid")), None)
        over = ended(job) if job is not None else None
        if over is not None:
            text = f"Saw completed job: {reference['name']}, condition: {over['type']}"
            told.append(EmitEvent(cron_job, "SawCompletedJob", text))
        elif job is None:
            text = f"Active job went missing: {reference['name']}"
            told.append(EmitEvent(cron_job, "MissingJob", text))
    return news, told


def _reference(job: Document) -> dict[str, Any]:
    metadata = job["metadata"]
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _started(
    view: View, cron_job: Document, jobs: Sequence[Document]
) -> tuple[list[Write], datetime | None]:
    """The Job that is due, for which time, and when to look again."""
    zone = zone_of(cron_job)
    if zone is None:
        name = spec_of(cron_job)["timeZone"]
        text = f'invalid timeZone: "{name}": unknown time zone {name}'
        return [EmitEvent(cron_job, "UnknownTimeZone", text, WARNING)], None
    try:
        schedule = parse_schedule(str(spec_of(cron_job).get("schedule") or ""))
    except BadSchedule as error:
        text = f'unparseable schedule: "{spec_of(cron_job).get("schedule")}" : {error}'
        return [EmitEvent(cron_job, "UnparseableSchedule", text, WARNING)], None
    now = datetime.fromtimestamp(view.now, zone)
    again = _again(schedule, cron_job, now, zone)
    due = schedule.latest(_since(cron_job, zone), now)
    if due is None:
        return again, None
    limit = spec_of(cron_job).get("startingDeadlineSeconds")
    if limit is not None and (now - due).total_seconds() > float(limit):
        text = f"Missed scheduled time to start a job: {due:%a, %d %b %Y %H:%M:%S %z}"
        return [EmitEvent(cron_job, "MissSchedule", text, WARNING), *again], due
    return _start(view.objects, cron_job, jobs, due, again)


def _start(
    objects: Objects,
    cron_job: Document,
    jobs: Sequence[Document],
    due: datetime,
    again: list[Write],
) -> tuple[list[Write], datetime | None]:
    running = [job for job in jobs if ended(job) is None and not deleting(job)]
    policy = spec_of(cron_job).get("concurrencyPolicy")
    made = _job(cron_job, due)
    if objects.get(JOBS, made["metadata"]["namespace"], made["metadata"]["name"]) is not None:
        return again, due
    if running and policy == "Forbid":  # tried again when the one that runs is over
        return [EmitEvent(cron_job, "JobAlreadyActive", FORBIDDEN), *again], None
    replaced = [_delete(cron_job, job) for job in running] if policy == "Replace" else []
    announce = Announce(
        about=cron_job,
        done=("SuccessfulCreate", "Created job {name}"),
        refused=("FailedCreate", "Error creating job: {error}"),
    )
    return [*replaced, Create(JOBS, made, announce), *again], due


def _since(cron_job: Document, zone: tzinfo) -> datetime:
    """After which time one may be due."""
    last = status_of(cron_job).get("lastScheduleTime")
    seconds = seconds_of(last or cron_job["metadata"].get("creationTimestamp")) or 0.0
    return datetime.fromtimestamp(seconds, zone)


def _again(schedule: Schedule, cron_job: Document, now: datetime, zone: tzinfo) -> list[Write]:
    base = now
    if schedule.every_seconds:
        base = schedule.latest(_since(cron_job, zone), now) or _since(cron_job, zone)
    following = schedule.next_after(base)
    if following is None:
        return []
    return [LookAgain(max(following.timestamp() - now.timestamp(), 0.0))]


def _job(cron_job: Document, due: datetime) -> dict[str, Any]:
    """The Job for one time; its name says which, so that none is made twice."""
    metadata, template = cron_job["metadata"], spec_of(cron_job).get("jobTemplate") or {}
    given = template.get("metadata") or {}
    made: dict[str, Any] = {
        "name": f"{metadata['name']}-{int(due.timestamp()) // 60}",
        "namespace": metadata["namespace"],
        "annotations": {
            **(given.get("annotations") or {}),
            SCHEDULED_AT: due.isoformat().replace("+00:00", "Z"),
        },
        "ownerReferences": [controller_reference(CRON_JOBS, cron_job)],
    }
    if given.get("labels"):
        made["labels"] = given["labels"]
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "metadata": made,
        "spec": template.get("spec") or {},
    }


def _forgotten(cron_job: Document, jobs: Sequence[Document]) -> list[Write]:
    """Jobs that ended and are more than are kept, the oldest first."""
    spec = spec_of(cron_job)
    limits = {
        "Complete": spec.get("successfulJobsHistoryLimit"),
        "Failed": spec.get("failedJobsHistoryLimit"),
    }
    defaults = {"Complete": SUCCESSES_KEPT, "Failed": FAILURES_KEPT}
    writes: list[Write] = []
    for kind, limit in limits.items():
        kept = defaults[kind] if limit is None else int(limit)
        over = [j for j in jobs if (e := ended(j)) is not None and e["type"] == kind]
        over.sort(key=lambda job: status_of(job).get("startTime") or "")
        going = over[: max(0, len(over) - kept)]
        writes += [_delete(cron_job, job) for job in going if not deleting(job)]
    return writes


def _delete(cron_job: Document, job: Document) -> Delete:
    announce = Announce(
        about=cron_job,
        done=("SuccessfulDelete", "Deleted job {name}"),
        refused=("FailedDelete", "Deleted job: {error}"),
    )
    return Delete(
        resource=JOBS,
        namespace=job["metadata"]["namespace"],
        name=job["metadata"]["name"],
        uid=uid_of(job),
        propagation="Background",
        announce=announce,
    )


def _of_job(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    for job in (old, new):
        owner = controller_of(job) if job is not None else None
        if job is not None and owner is not None and owner.get("kind") == CRON_JOBS.kind:
            yield Key(CRON_JOBS, job["metadata"]["namespace"], owner["name"])


def controller() -> Controller:
    """The CronJob controller."""
    return Controller(
        name="cronjob",
        component="cronjob-controller",
        reconcile=reconcile,
        watches={CRON_JOBS: itself(CRON_JOBS), JOBS: _of_job},
    )
