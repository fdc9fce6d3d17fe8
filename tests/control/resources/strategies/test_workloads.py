"""Workloads: rolling updates filled in leaf by leaf; jobs select their own pods."""

from typing import Any

import pytest

from control.resources.strategies import workloads
from control.resources.strategies.strategy import Strategy

CONTAINERS = {"containers": [{"name": "a", "image": "echo:1"}]}


def filled(kind: Strategy, /, **spec: Any) -> dict[str, Any]:
    document = {"metadata": {"name": "x", "uid": "u"}, "spec": {**spec}}
    result: dict[str, Any] = kind.defaults(document)["spec"]
    return result


@pytest.mark.parametrize("given", [{}, {"type": "RollingUpdate"}, {"rollingUpdate": {}}])
def test_a_deployment_replaces_a_quarter_at_a_time(given: dict[str, Any]) -> None:
    """P-81."""
    spec = filled(workloads.DEPLOYMENT, strategy=given)
    quarter = {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": quarter}


def test_what_is_said_of_a_rolling_update_stays() -> None:
    spec = filled(workloads.DEPLOYMENT, strategy={"rollingUpdate": {"maxSurge": 2}})
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": 2}


def test_recreating_needs_no_parameters() -> None:
    spec = filled(workloads.DEPLOYMENT, strategy={"type": "Recreate"})
    assert spec["strategy"] == {"type": "Recreate"}


def test_a_daemon_set_and_a_stateful_set_replace_one_at_a_time() -> None:
    """P-94: the defaults of an update."""
    daemon = filled(workloads.DAEMON_SET)["updateStrategy"]["rollingUpdate"]
    assert daemon == {"maxUnavailable": 1, "maxSurge": 0}
    stateful = filled(workloads.STATEFUL_SET)["updateStrategy"]["rollingUpdate"]
    assert stateful == {"partition": 0}
    on_delete = filled(workloads.DAEMON_SET, updateStrategy={"type": "OnDelete"})
    assert on_delete["updateStrategy"] == {"type": "OnDelete"}


@pytest.mark.parametrize(
    "strategy",
    [
        workloads.DEPLOYMENT,
        workloads.REPLICA_SET,
        workloads.STATEFUL_SET,
        workloads.DAEMON_SET,
        workloads.REPLICATION_CONTROLLER,
        workloads.JOB,
    ],
)
def test_templates_get_a_pods_defaults(strategy: Strategy) -> None:
    spec = filled(strategy, template={"spec": CONTAINERS})
    assert spec["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_a_cron_jobs_and_a_pod_templates_templates_too() -> None:
    cron = filled(workloads.CRON_JOB, jobTemplate={"spec": {"template": {"spec": CONTAINERS}}})
    inner = cron["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert inner["imagePullPolicy"] == "IfNotPresent"
    plain = workloads.POD_TEMPLATE.defaults({"template": {"spec": CONTAINERS}})
    assert plain["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_a_replication_controller_selects_by_its_template() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": CONTAINERS}
    document = {"metadata": {"name": "x"}, "spec": {"template": template}}
    made = workloads.REPLICATION_CONTROLLER.defaults(document)
    assert made["spec"]["selector"] == {"a": "b"}
    assert made["metadata"]["labels"] == {"a": "b"}


def test_a_job_runs_once_and_selects_its_own_pods() -> None:
    spec = filled(workloads.JOB)
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)
    assert "completions" not in filled(workloads.JOB, parallelism=3)
    document = {"metadata": {"name": "x", "uid": "u"}, "spec": {"template": {"spec": CONTAINERS}}}
    made = workloads.JOB.created(document)["spec"]
    own = {"batch.kubernetes.io/controller-uid": "u"}
    assert made["selector"] == {"matchLabels": own}
    assert made["template"]["metadata"]["labels"].items() >= own.items()
    manual = {"metadata": {"name": "x", "uid": "u"}, "spec": {"manualSelector": True}}
    assert workloads.JOB.created(manual) == manual


def test_a_jobs_pods_carry_the_old_labels_too() -> None:
    document = {"metadata": {"name": "x", "uid": "u"}, "spec": {"template": {"spec": CONTAINERS}}}
    labels = workloads.JOB.created(document)["spec"]["template"]["metadata"]["labels"]
    assert labels["job-name"] == labels["batch.kubernetes.io/job-name"] == "x"
    assert labels["controller-uid"] == "u"


def test_a_job_replaces_pods_that_go_unless_it_looks_at_how_they_fail() -> None:
    assert filled(workloads.JOB)["podReplacementPolicy"] == "TerminatingOrFailed"
    assert filled(workloads.JOB, podFailurePolicy={"rules": []})["podReplacementPolicy"] == "Failed"


def test_what_of_a_job_has_no_effect_is_told() -> None:
    told = list(workloads.JOB.warnings({"spec": {"backoffLimitPerIndex": 1, "completions": 2}}))
    assert told == ["spec.backoffLimitPerIndex: stored, but kubehop does not act on it"]


def test_another_jobs_selector_and_labels_are_kept_to_be_refused() -> None:
    given = {"matchLabels": {"batch.kubernetes.io/controller-uid": "other"}}
    template = {"metadata": {"labels": {"job-name": "y"}}, "spec": CONTAINERS}
    job = {"metadata": {"name": "x", "uid": "u"}, "spec": {"selector": given, "template": template}}
    made = workloads.JOB.created(job)["spec"]
    assert made["selector"] == given
    labels = made["template"]["metadata"]["labels"]
    assert (labels["job-name"], labels["controller-uid"]) == ("y", "u")
    fields = [each.field for each in workloads.JOB.causes({**job, "spec": made})]
    assert "spec.selector" in fields
    assert "spec.template.metadata.labels[job-name]" in fields
