"""Webhook configurations, admission policies and bindings as kubectl shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns import admission

Make = Callable[..., dict[str, Any]]


def test_webhooks_are_counted(now: datetime, document: Make) -> None:
    assert admission.WEBHOOKS.row(document(webhooks=[{}, {}]), now) == ["it", 2, "5m"]
    assert admission.WEBHOOKS.row(document(), now) == ["it", 0, "5m"]


def test_a_policy_has_rules_and_a_kind_of_parameters(now: datetime, document: Make) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    policy = document(spec={"validations": [{}], "paramKind": kind})
    row = admission.VALIDATING_POLICIES.row(policy, now)
    assert row == ["it", 1, "v1/ConfigMap", "5m"]
    row = admission.MUTATING_POLICIES.row(document(spec={"mutations": [{}]}), now)
    assert row == ["it", 1, "<unset>", "5m"]


def test_a_binding_names_its_policy_and_parameters(now: datetime, document: Make) -> None:
    spec = {"policyName": "p", "paramRef": {"namespace": "here", "name": "c"}}
    row = admission.POLICY_BINDINGS.row(document(spec=spec), now)
    assert row == ["it", "p", "here/c", "5m"]
    row = admission.POLICY_BINDINGS.row(document(spec={"policyName": "p"}), now)
    assert row == ["it", "p", "<unset>", "5m"]
    selected = {"policyName": "p", "paramRef": {"selector": {}}}
    assert admission.POLICY_BINDINGS.row(document(spec=selected), now)[2] == "*"
