"""Jobs and CronJobs."""

from typing import Any

from control.resources.validation.jobs import cron_job_causes, job_causes, job_update_causes

POD = {"containers": [{"name": "a", "image": "echo"}], "restartPolicy": "Never"}


def job(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": POD}, **spec}}


def test_a_jobs_pods_end() -> None:
    assert list(job_causes(job())) == []
    (cause,) = job_causes(job(template={"spec": {**POD, "restartPolicy": "Always"}}))
    assert cause.field == "spec.template.spec.restartPolicy"
    assert cause.message == ('Unsupported value: "Always": supported values: "OnFailure", "Never"')


def test_counts_are_not_negative() -> None:
    (cause,) = job_causes(job(parallelism=-1))
    assert cause.field == "spec.parallelism"


def test_what_a_job_is_for_does_not_change() -> None:
    (cause,) = job_update_causes(job(completions=2), job(completions=1))
    assert (cause.field, cause.message) == (
        "spec.completions",
        "Invalid value: 2: field is immutable",
    )
    assert list(job_update_causes(job(parallelism=3), job())) == []


def test_a_schedule_has_five_fields() -> None:
    def fields(schedule: str) -> list[str]:
        spec = {"schedule": schedule, "jobTemplate": job()}
        return [each.field for each in cron_job_causes({"spec": spec})]

    assert fields("*/5 * * * *") == fields("@hourly") == []
    assert fields("* * *") == fields("") == ["spec.schedule"]
