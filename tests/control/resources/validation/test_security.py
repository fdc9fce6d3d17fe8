"""Security contexts: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.security import container_security_causes, pod_security_causes

RANGE = "must be between 0 and 2147483647, inclusive"


def told(**context: Any) -> list[str]:
    causes = container_security_causes(context, "s")
    return [f"{each.field}: {each.message}" for each in causes]


def told_of_pod(context: dict[str, Any], **spec: Any) -> list[str]:
    causes = pod_security_causes({**spec, "securityContext": context}, "s")
    return [f"{each.field}: {each.message}" for each in causes]


def test_what_is_fine() -> None:
    assert told(runAsUser=0, privileged=True, allowPrivilegeEscalation=True) == []
    assert told(seccompProfile={"type": "RuntimeDefault"}, capabilities={"drop": ["ALL"]}) == []
    assert told_of_pod({"fsGroup": 1, "supplementalGroups": [5], "sysctls": []}) == []
    assert told_of_pod({"seccompProfile": {"type": "Localhost", "localhostProfile": "a"}}) == []


@pytest.mark.parametrize("field", ["runAsUser", "runAsGroup"])
def test_ids_have_a_range(field: str) -> None:
    assert told(**{field: -1}) == [f"s.{field}: Invalid value: -1: {RANGE}"]
    assert told_of_pod({field: 1 << 31}) == [f"s.{field}: Invalid value: 2147483648: {RANGE}"]


def test_groups() -> None:
    assert told_of_pod({"supplementalGroups": [-1]}) == [
        f"s.supplementalGroups: Invalid value: -1: {RANGE}"
    ]
    assert told_of_pod({"fsGroupChangePolicy": "Never"}) == [
        's.fsGroupChangePolicy: Unsupported value: "Never": '
        'supported values: "Always", "OnRootMismatch"'
    ]


def test_what_is_privileged_may_escalate() -> None:
    (cause,) = told(privileged=True, allowPrivilegeEscalation=False)
    assert cause.startswith('s: Invalid value: {"privileged":true')
    assert cause.endswith("cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    (cause,) = told(allowPrivilegeEscalation=False, capabilities={"add": ["CAP_SYS_ADMIN"]})
    assert cause.endswith("to false and `capabilities.Add` CAP_SYS_ADMIN")


@pytest.mark.parametrize(
    ("profile", "cause"),
    [
        ({}, "type: Required value: type is required when seccompProfile is set"),
        (
            {"type": "Mine"},
            'type: Unsupported value: "Mine": '
            'supported values: "Localhost", "RuntimeDefault", "Unconfined"',
        ),
        (
            {"type": "Localhost"},
            "localhostProfile: Required value: must be set when seccomp type is Localhost",
        ),
        (
            {"type": "Unconfined", "localhostProfile": "a"},
            'localhostProfile: Invalid value: "a": can only be set when seccomp type is Localhost',
        ),
    ],
)
def test_profiles(profile: dict[str, Any], cause: str) -> None:
    assert told(seccompProfile=profile) == [f"s.seccompProfile.{cause}"]


def test_processes_are_shared_with_the_pod_or_with_the_node() -> None:
    assert told_of_pod({}, shareProcessNamespace=True, hostPID=True) == [
        "s.shareProcessNamespace: Invalid value: true: "
        "ShareProcessNamespace and HostPID cannot both be enabled"
    ]
