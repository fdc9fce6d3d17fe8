"""Workloads: selectors, templates, rolling updates; what is for life."""

from typing import Any

import pytest

from control.resources.validation import workloads

Spec = dict[str, Any]
TEMPLATE: Spec = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "a", "image": "echo"}], "restartPolicy": "Always"},
}
SELECTOR: Spec = {"matchLabels": {"app": "web"}}
QUARTER = {"maxSurge": "25%", "maxUnavailable": "25%"}
NOT_NEGATIVE = "must be greater than or equal to 0"


def told(**spec: Any) -> list[str]:
    strategy = {"type": "RollingUpdate", "rollingUpdate": QUARTER}
    held = {"selector": SELECTOR, "template": TEMPLATE, "strategy": strategy, **spec}
    causes = workloads.deployment_causes({"spec": held})
    return [f"{each.field}: {each.message}" for each in causes]


def test_what_is_fine() -> None:
    expression = {"key": "app", "operator": "In", "values": ["web"]}
    assert told() == []
    assert told(selector={"matchExpressions": [expression]}) == []
    assert told(strategy={"type": "Recreate"}, replicas=0) == []


def test_a_workload_selects_its_own_template() -> None:
    assert told(selector={"matchLabels": {"app": "other"}}) == [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
        "`selector` does not match template `labels`"
    ]
    assert told(selector={}) == [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    ]
    assert told(selector=None) == ["spec.selector: Required value"]
    (cause,) = told(selector={"matchExpressions": [{"key": "app", "operator": "Near"}]})
    assert cause.startswith("spec.selector.matchExpressions[0].operator: Invalid value")


def test_there_is_a_template_and_its_pods_restart() -> None:
    assert told(template=None) == ["spec.template: Required value"]
    once = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
    assert told(template=once) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'
    ]
    timed = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "activeDeadlineSeconds": 5}}
    assert told(template=timed)[0].startswith("spec.template.spec.activeDeadlineSeconds: Forbidden")
    bare = {**TEMPLATE, "spec": {"containers": []}}
    assert told(template=bare) == ["spec.template.spec.containers: Required value"]


@pytest.mark.parametrize("field", ["replicas", "minReadySeconds", "revisionHistoryLimit"])
def test_counts_are_not_negative(field: str) -> None:
    assert told(**{field: -1}) == [f"spec.{field}: Invalid value: -1: {NOT_NEGATIVE}"]


def test_progress_takes_longer_than_becoming_available() -> None:
    assert told(progressDeadlineSeconds=10, minReadySeconds=10) == [
        "spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds"
    ]


@pytest.mark.parametrize("nothing", [(0, 0), ("0%", 0), ("0%", "0%")])
def test_a_rolling_update_gets_on(nothing: tuple[Any, Any]) -> None:
    """P-81."""
    rolling = {"maxUnavailable": nothing[0], "maxSurge": nothing[1]}
    (cause,) = told(strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    assert cause.startswith("spec.strategy.rollingUpdate.maxUnavailable: Invalid value: ")
    assert cause.endswith(": may not be 0 when `maxSurge` is 0")


@pytest.mark.parametrize(
    ("rolling", "words"),
    [
        ({"maxSurge": -1, "maxUnavailable": 1}, NOT_NEGATIVE),
        ({"maxSurge": "x", "maxUnavailable": 1}, "a valid percent string must be"),
        ({"maxSurge": 1, "maxUnavailable": "101%"}, "must not be greater than 100%"),
    ],
)
def test_shares_are_numbers_or_percentages(rolling: Spec, words: str) -> None:
    (cause,) = told(strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    assert words in cause


def test_strategies() -> None:
    assert told(strategy={"type": "Recreate", "rollingUpdate": QUARTER}) == [
        "spec.strategy.rollingUpdate: Forbidden: "
        "may not be specified when strategy `type` is 'Recreate'"
    ]
    assert told(strategy={"type": "Other"})[0].startswith("spec.strategy.type: Unsupported value")
    held = {"selector": SELECTOR, "template": TEMPLATE, "updateStrategy": {"type": "Recreate"}}
    (cause,) = workloads.daemon_set_causes({"spec": held})
    assert cause.field == "spec.updateStrategy.type"
    partition = {"rollingUpdate": {"partition": -1}}
    (cause,) = workloads.stateful_set_causes({"spec": {**held, "updateStrategy": partition}})
    assert cause.field == "spec.updateStrategy.rollingUpdate.partition"
    assert list(workloads.replica_set_causes({"spec": held})) == []


def test_a_selector_is_for_life() -> None:
    old, new = {"spec": {"selector": SELECTOR}}, {"spec": {"selector": {"matchLabels": {"a": "b"}}}}
    (cause,) = workloads.selector_update_causes(new, old)
    assert cause.field == "spec.selector"
    assert cause.message == 'Invalid value: {"matchLabels":{"a":"b"}}: field is immutable'
    assert list(workloads.selector_update_causes(old, old)) == []


def test_a_stateful_sets_identity_is_for_life() -> None:
    old = {"spec": {"serviceName": "db", "replicas": 1, "template": {}}}
    free = {"spec": {"serviceName": "db", "replicas": 2, "template": {"a": 1}}}
    assert list(workloads.stateful_set_update_causes(free, old)) == []
    (cause,) = workloads.stateful_set_update_causes({"spec": {"serviceName": "x"}}, old)
    assert cause.field == "spec"
    assert cause.message.startswith("Forbidden: updates to statefulset spec for fields other than")


def test_a_replication_controllers_selector_is_a_map() -> None:
    def fields(**spec: Any) -> list[str]:
        held = {"selector": {"app": "web"}, "template": TEMPLATE, **spec}
        causes = workloads.replication_controller_causes({"spec": held})
        return [each.field for each in causes]

    assert fields() == []
    assert fields(selector={}) == ["spec.selector"]
    assert fields(selector={"app": "x"}) == ["spec.template.metadata.labels"]


def test_a_stateful_sets_containers_mount_what_its_pods_claim() -> None:
    mounts = [{"name": "data", "mountPath": "/data"}]
    container = {"name": "a", "image": "echo", "volumeMounts": mounts}
    template = {**TEMPLATE, "spec": {"containers": [container], "restartPolicy": "Always"}}
    held: Spec = {"selector": SELECTOR, "template": template}
    (cause,) = workloads.stateful_set_causes({"spec": held})
    assert cause.message == 'Not found: "data"'
    claimed = {**held, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    assert list(workloads.stateful_set_causes({"spec": claimed})) == []


def stateful(**spec: Any) -> list[str]:
    held = {"selector": SELECTOR, "template": TEMPLATE, **spec}
    causes = workloads.stateful_set_causes({"spec": held})
    return [f"{each.field}: {each.message}" for each in causes]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"podManagementPolicy": "Chaos"},
            "podManagementPolicy: Invalid value: \"Chaos\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            {"updateStrategy": {"type": "Recreate"}},
            'updateStrategy: Invalid value: {"type":"Recreate"}: '
            "must be 'RollingUpdate' or 'OnDelete'",
        ),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            'updateStrategy.rollingUpdate: Invalid value: {"partition":1}: '
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            "updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
        ),
        (
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}},
            'persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": '
            'supported values: "Retain", "Delete"',
        ),
        ({"ordinals": {"start": -1}}, f"ordinals.start: Invalid value: -1: {NOT_NEGATIVE}"),
    ],
)
def test_what_a_stateful_set_may_say(spec: Spec, cause: str) -> None:
    assert stateful(**spec) == [f"spec.{cause}"]


def test_a_daemon_comes_before_the_old_one_goes_or_after() -> None:
    def told_of(**rolling: Any) -> list[str]:
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        held = {"selector": SELECTOR, "template": TEMPLATE, "updateStrategy": strategy}
        return [f"{e.field}: {e.message}" for e in workloads.daemon_set_causes({"spec": held})]

    assert told_of(maxUnavailable=0, maxSurge=1) == told_of(maxUnavailable=1, maxSurge=0) == []
    path = "spec.updateStrategy.rollingUpdate"
    assert told_of(maxUnavailable=1, maxSurge=1) == [
        f"{path}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"
    ]
    assert told_of(maxUnavailable=0, maxSurge=0) == [
        f"{path}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"
    ]


def test_only_jobs_have_a_deadline() -> None:
    timed = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "activeDeadlineSeconds": 5}}
    assert stateful(template=timed) == [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: "
        "activeDeadlineSeconds in StatefulSet is not Supported"
    ]
