"""Workloads: how they replace pods when nothing is said, and their templates' defaults.

Pure: documents in, documents out. Spec: P-81, P-91, P-94; kubernetes.io, "Jobs".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.strategies.pods import with_template_defaults
from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation import jobs, workloads
from control.resources.validation.names import cron_job_faults, label_faults

ROLLING = "RollingUpdate"
BACKOFF_LIMIT = 6


def _with_rolling(document: Document, field: str, defaults: Mapping[str, Any]) -> Document:
    """With the parameters of a rolling update, leaf by leaf."""
    spec = document.get("spec") or {}
    strategy = {"type": ROLLING, **(spec.get(field) or {})}
    if strategy["type"] == ROLLING and defaults:
        strategy["rollingUpdate"] = {**defaults, **(strategy.get("rollingUpdate") or {})}
    return {**document, "spec": {**spec, field: strategy}}


def _deployment(document: Document) -> Document:
    quarter = {"maxUnavailable": "25%", "maxSurge": "25%"}
    return _with_rolling(with_template_defaults(document), "strategy", quarter)


def _daemon_set(document: Document) -> Document:
    one = {"maxUnavailable": 1, "maxSurge": 0}
    return _with_rolling(with_template_defaults(document), "updateStrategy", one)


def _stateful_set(document: Document) -> Document:
    return _with_rolling(with_template_defaults(document), "updateStrategy", {"partition": 0})


def _replication_controller(document: Document) -> Document:
    """It selects by its template's labels if it does not say how."""
    spec = document.get("spec") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    metadata = dict(document["metadata"])
    if labels and not spec.get("selector"):
        spec = {**spec, "selector": labels}
    if labels and not metadata.get("labels"):
        metadata["labels"] = labels
    return with_template_defaults({**document, "metadata": metadata, "spec": spec})


def _job(document: Document) -> Document:
    spec = dict(document.get("spec") or {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", BACKOFF_LIMIT)
    policy = "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", policy)
    return with_template_defaults({**document, "spec": spec})


def _job_created(document: Document) -> Document:
    """A job selects its own pods, by its uid, unless it is told otherwise."""
    spec, metadata = document.get("spec") or {}, document["metadata"]
    if spec.get("manualSelector"):
        return document
    own = jobs.generated_labels(metadata)
    template, selector = spec.get("template") or {}, spec.get("selector") or {}
    inner = template.get("metadata") or {}
    # What the client gives stays, to be refused where it is another job's.
    template = {**template, "metadata": {**inner, "labels": {**own, **(inner.get("labels") or {})}}}
    uid = {jobs.CONTROLLER_UID: own[jobs.CONTROLLER_UID]}
    selector = {**selector, "matchLabels": {**uid, **(selector.get("matchLabels") or {})}}
    return {**document, "spec": {**spec, "selector": selector, "template": template}}


def _cron_job(document: Document) -> Document:
    spec = document.get("spec") or {}
    if "jobTemplate" not in spec:
        return document
    template = with_template_defaults(spec["jobTemplate"])
    return {**document, "spec": {**spec, "jobTemplate": template}}


def _pod_template(document: Document) -> Document:
    held = with_template_defaults({"spec": {"template": document.get("template") or {}}})
    return {**document, "template": held["spec"]["template"]}


def _job_warnings(document: Document) -> Iterator[str]:
    """What of a Job is stored and has no effect here."""
    spec = document.get("spec") or {}
    for key in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
        if spec.get(key) is not None:
            yield f"spec.{key}: stored, but kubehop does not act on it"


def _no_replicas(document: Document) -> Document:
    return {"replicas": 0}


def _none_available(document: Document) -> Document:
    return {"replicas": 0, "availableReplicas": 0}


def _none_scheduled(document: Document) -> Document:
    counted = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled")
    return dict.fromkeys((*counted, "numberReady"), 0)


DEPLOYMENT = Strategy(
    generation=True,
    defaults=_deployment,
    causes=workloads.deployment_causes,
    update_causes=workloads.selector_update_causes,
)
REPLICA_SET = Strategy(
    status=_no_replicas,
    generation=True,
    defaults=with_template_defaults,
    causes=workloads.replica_set_causes,
    update_causes=workloads.selector_update_causes,
)
STATEFUL_SET = Strategy(
    name_faults=label_faults,  # it becomes a part of its pods' host names
    status=_none_available,
    generation=True,
    defaults=_stateful_set,
    causes=workloads.stateful_set_causes,
    update_causes=workloads.stateful_set_update_causes,
)
DAEMON_SET = Strategy(
    status=_none_scheduled,
    generation=True,
    defaults=_daemon_set,
    causes=workloads.daemon_set_causes,
    update_causes=workloads.selector_update_causes,
)
REPLICATION_CONTROLLER = Strategy(
    status=_no_replicas,
    generation=True,
    defaults=_replication_controller,
    causes=workloads.replication_controller_causes,
)
JOB = Strategy(
    generation=True,
    created=_job_created,
    defaults=_job,
    causes=jobs.job_causes,
    update_causes=jobs.job_update_causes,
    warnings=_job_warnings,
)
CRON_JOB = Strategy(
    name_faults=cron_job_faults,
    generation=True,
    defaults=_cron_job,
    causes=jobs.cron_job_causes,
)
POD_TEMPLATE = Strategy(generation=True, defaults=_pod_template, returned_when_deleted=True)
