"""Jobs and CronJobs: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.jobs import (
    cron_job_causes,
    generated_labels,
    job_causes,
    job_update_causes,
)

Document = dict[str, Any]
POD = {"containers": [{"name": "a", "image": "echo"}], "restartPolicy": "Never"}
METADATA = {"name": "pi", "uid": "1a2b"}
LABELS = generated_labels(METADATA)
SELECTOR = {"matchLabels": {"batch.kubernetes.io/controller-uid": "1a2b"}}
TEMPLATE: Document = {"metadata": {"labels": LABELS}, "spec": POD}


def job(**spec: Any) -> Document:
    return {"metadata": METADATA, "spec": {"selector": SELECTOR, "template": TEMPLATE, **spec}}


def told(**spec: Any) -> list[str]:
    return [f"{each.field}: {each.message}" for each in job_causes(job(**spec))]


def told_of_cron(**spec: Any) -> list[str]:
    inner = {"spec": {"template": {"spec": POD}}}
    held = {"schedule": "* * * * *", "jobTemplate": inner, **spec}
    return [f"{each.field}: {each.message}" for each in cron_job_causes({"spec": held})]


def told_of_update(new: Document, old: Document) -> list[str]:
    return [f"{each.field}: {each.message}" for each in job_update_causes(new, old)]


def test_a_jobs_pods_end() -> None:
    assert told() == []
    assert told(template={**TEMPLATE, "spec": {**POD, "restartPolicy": "Always"}}) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Always": '
        'supported values: "OnFailure", "Never"'
    ]


@pytest.mark.parametrize("field", ["parallelism", "backoffLimit", "activeDeadlineSeconds"])
def test_counts_are_not_negative(field: str) -> None:
    words = "Invalid value: -1: must be greater than or equal to 0"
    assert told(**{field: -1}) == [f"spec.{field}: {words}"]


def test_indexes_have_an_end() -> None:
    assert told(completionMode="Indexed", completions=3) == []
    assert told(completionMode="Indexed") == [
        "spec.completions: Required value: when completion mode is Indexed"
    ]
    assert told(completionMode="Counted") == [
        'spec.completionMode: Unsupported value: "Counted": '
        'supported values: "NonIndexed", "Indexed"'
    ]
    (cause,) = told(completionMode="Indexed", completions=1, parallelism=100_001)
    assert cause.endswith("must be less than or equal to 100000 when completion mode is Indexed")
    named = {**job(completionMode="Indexed", completions=1), "metadata": METADATA | {"name": "a.b"}}
    assert "metadata.name" in [each.field for each in job_causes(named)]


def test_a_jobs_pods_are_its_own() -> None:
    assert told(selector=None) == ["spec.selector: Required value"]
    others = {"matchLabels": {**SELECTOR["matchLabels"], "app": "x"}}
    causes = told(selector=others)
    assert causes[0].endswith(": `selector` not auto-generated")
    assert causes[1].endswith(": `selector` does not match template `labels`")
    labels = {**LABELS, "job-name": "other"}
    (cause,) = told(template={**TEMPLATE, "metadata": {"labels": labels}})
    assert cause.startswith("spec.template.metadata.labels[job-name]: Invalid value: {")
    assert cause.endswith("}: must be 'pi'")
    bare = {key: value for key, value in LABELS.items() if key != "controller-uid"}
    assert told(template={**TEMPLATE, "metadata": {"labels": bare}}) == [
        "spec.template.metadata.labels[controller-uid]: Required value: must be '1a2b'"
    ]


def test_or_those_that_somebody_says() -> None:
    template = {**TEMPLATE, "metadata": {"labels": {"app": "x"}}}
    selector = {"matchLabels": {"app": "x"}}
    assert told(manualSelector=True, selector=selector, template=template) == []


def test_what_a_job_is_for_does_not_change() -> None:
    assert told_of_update(job(completions=2), job(completions=1)) == [
        "spec.completions: Invalid value: 2: field is immutable"
    ]
    assert told_of_update(job(parallelism=3), job()) == []
    image = {**TEMPLATE, "spec": {**POD, "containers": [{"name": "a", "image": "b"}]}}
    (cause,) = told_of_update(job(template=image), job())
    assert cause.startswith("spec.template: Invalid value: {")
    assert cause.endswith("}: field is immutable")
    (cause,) = told_of_update(job(managedBy="a/b"), job())
    assert cause.startswith("spec.managedBy: ")


def test_a_job_that_waits_may_be_sent_elsewhere() -> None:
    sent = job(template={**TEMPLATE, "spec": {**POD, "nodeSelector": {"a": "b"}}}, suspend=True)
    assert told_of_update(sent, job(suspend=True)) == []
    begun = {**job(suspend=True), "status": {"startTime": "2026-01-01T00:00:00Z"}}
    assert [each.partition(":")[0] for each in told_of_update(sent, begun)] == ["spec.template"]
    assert [each.partition(":")[0] for each in told_of_update(sent, job())] == ["spec.template"]


def test_indexes_grow_with_those_who_work_at_them() -> None:
    old = job(completionMode="Indexed", completions=2, parallelism=2)
    grown = job(completionMode="Indexed", completions=3, parallelism=3)
    assert told_of_update(grown, old) == []
    alone = job(completionMode="Indexed", completions=3, parallelism=2)
    assert told_of_update(alone, old) == [
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"
    ]


@pytest.mark.parametrize(
    ("schedule", "cause"),
    [
        ("*/5 * * * *", None),
        ("@hourly", None),
        ("", "Required value"),
        ("* * *", 'Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'),
        (
            "TZ=UTC * * * * *",
            'Invalid value: "TZ=UTC * * * * *": '
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
    ],
)
def test_a_schedule_has_five_fields(schedule: str, cause: str | None) -> None:
    assert told_of_cron(schedule=schedule) == ([f"spec.schedule: {cause}"] if cause else [])


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("", "timeZone must be nil or non-empty string"),
        (
            "Local",
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        ),
        ("Mars/Olympus", "unknown time zone Mars/Olympus"),
    ],
)
def test_time_zones_have_names(zone: str, words: str) -> None:
    assert told_of_cron(timeZone=zone) == [f'spec.timeZone: Invalid value: "{zone}": {words}']
    assert told_of_cron(timeZone="Etc/UTC") == []


def test_what_else_a_cron_job_says() -> None:
    assert told_of_cron(concurrencyPolicy="Queue") == [
        'spec.concurrencyPolicy: Unsupported value: "Queue": '
        'supported values: "Allow", "Forbid", "Replace"'
    ]
    assert told_of_cron(startingDeadlineSeconds=-1) == [
        "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"
    ]


def test_a_cron_jobs_jobs_select_their_own_pods() -> None:
    inner = {"template": {"spec": POD}, "selector": {}, "manualSelector": True}
    assert told_of_cron(jobTemplate={"spec": inner}) == [
        "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated",
        "spec.jobTemplate.spec.manualSelector: Unsupported value: true: "
        'supported values: "nil", "false"',
    ]
