"""The rules for failed pods, first come first."""

from typing import Any

import pytest

from control.controllers.pod_failure_policy import ruling_on


def job(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "j"}, "spec": {"podFailurePolicy": {"rules": list(rules)}}}


def failed(build: Any, code: int, *conditions: str) -> Any:
    state = [{"name": "main", "state": {"terminated": {"exitCode": code}}}]
    held = [{"type": each, "status": "True"} for each in conditions]
    status = {"containerStatuses": state, "conditions": held}
    return build.pod("a", ready=None, phase="Failed", status=status)


@pytest.mark.parametrize(("operator", "code", "fits"), [("In", 3, True), ("NotIn", 3, False)])
def test_an_exit_code_is_in_a_list_or_not(build: Any, operator: str, code: int, fits: bool) -> None:
    rule = {"action": "Count", "onExitCodes": {"operator": operator, "values": [3, 4]}}
    assert (ruling_on(job(rule), failed(build, code)) is not None) == fits


def test_another_containers_exit_does_not_matter(build: Any) -> None:
    codes = {"containerName": "other", "operator": "In", "values": [3]}
    assert ruling_on(job({"action": "FailJob", "onExitCodes": codes}), failed(build, 3)) is None


def test_the_first_rule_that_fits_says_what_happens_and_why(build: Any) -> None:
    disrupted = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    fatal = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [137]}}
    ruling = ruling_on(job(disrupted, fatal), failed(build, 137, "DisruptionTarget"))
    assert ruling is not None
    assert ruling.action == "Ignore"
    words = "Pod default/a has condition DisruptionTarget matching Ignore rule at index 0"
    assert ruling.message == words
    other = ruling_on(job(disrupted, fatal), failed(build, 137))
    assert other is not None
    text = "Container main for pod default/a failed with exit code 137 matching FailJob rule"
    assert other.message == f"{text} at index 1"


def test_without_a_policy_every_failure_is_like_any_other(build: Any) -> None:
    assert ruling_on({"metadata": {"name": "j"}, "spec": {}}, failed(build, 1)) is None
