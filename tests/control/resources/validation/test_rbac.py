"""Roles and bindings: every refusal."""

from typing import Any

import pytest

from control.resources.validation import rbac

RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
URLS = {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}
ADA = {"kind": "User", "name": "ada", "apiGroup": rbac.GROUP}
ACCOUNT = {"kind": "ServiceAccount", "name": "a"}


def told(causes: Any) -> dict[str, str]:
    return {each.field: each.message for each in causes}


def test_a_rule_says_what_may_be_done_with_what() -> None:
    assert told(rbac.role_causes({"rules": [RULE]})) == {}
    assert told(rbac.cluster_role_causes({"rules": [RULE, URLS]})) == {}
    assert told(rbac.role_causes({"rules": [{}]})) == {
        "rules[0].verbs": "Required value: verbs must contain at least one value",
        "rules[0].apiGroups": "Required value: resource rules must supply at least one api group",
        "rules[0].resources": "Required value: resource rules must supply at least one resource",
    }


def test_urls_are_of_no_namespace_and_stand_alone() -> None:
    assert told(rbac.role_causes({"rules": [URLS]})) == {
        "rules[0].nonResourceURLs": (
            'Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs'
        )
    }
    both = told(rbac.cluster_role_causes({"rules": [{**RULE, **URLS}]}))
    assert "both regular resources and non-resource URLs" in both["rules[0].nonResourceURLs"]


def bound(kind: str = "Role", *subjects: dict[str, Any], **role: Any) -> dict[str, Any]:
    named = {"apiGroup": rbac.GROUP, "kind": kind, "name": "r", **role}
    return {"roleRef": named, "subjects": list(subjects)}


def test_a_binding_is_to_a_role_that_there_can_be() -> None:
    assert told(rbac.role_binding_causes(bound("Role", ADA, ACCOUNT))) == {}
    assert told(rbac.cluster_role_binding_causes(bound("Role"))) == {
        "roleRef.kind": 'Unsupported value: "Role": supported values: "ClusterRole"'
    }
    assert set(told(rbac.role_binding_causes(bound(name="", apiGroup="apps")))) == {
        "roleRef.name",
        "roleRef.apiGroup",
    }


@pytest.mark.parametrize(
    ("subject", "field"),
    [
        ({**ADA, "name": ""}, "name"),
        ({**ADA, "kind": "Robot"}, "kind"),
        ({**ADA, "apiGroup": ""}, "apiGroup"),
        ({**ACCOUNT, "namespace": "x", "apiGroup": rbac.GROUP}, "apiGroup"),
        (ACCOUNT, "namespace"),
    ],
)
def test_a_subject_is_somebody(subject: dict[str, Any], field: str) -> None:
    causes = told(rbac.cluster_role_binding_causes(bound("ClusterRole", subject)))
    assert list(causes) == [f"subjects[0].{field}"]
