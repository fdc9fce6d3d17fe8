"""What objects count for."""

from typing import Any

import pytest

from control.resources.quota import (
    ONE,
    charges,
    in_scope,
    refusal_of,
    source_of,
    spelled,
    unsaid,
)


def pod(requests: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": requests or {}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


def quota(hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard, **spec}}


def test_a_pod_takes_what_its_containers_ask_for() -> None:
    found = charges("", "pods", pod({"cpu": "500m", "memory": "1Gi"}))
    assert found["pods"] == found["count/pods"] == ONE
    assert found["cpu"] == found["requests.cpu"] == ONE // 2
    assert found["requests.memory"] == 1024**3 * ONE
    assert "limits.cpu" not in found


def test_a_pod_that_ended_is_only_an_object() -> None:
    ended = {**pod({"cpu": "1"}), "status": {"phase": "Failed"}}
    assert charges("", "pods", ended) == {"count/pods": ONE}


def test_services_and_claims_count_for_what_they_open_and_store() -> None:
    service = {"spec": {"type": "LoadBalancer", "ports": [{}, {}]}}
    found = charges("", "services", service)
    assert (found["services.loadbalancers"], found["services.nodeports"]) == (ONE, 2 * ONE)
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}}}
    claim = charges("", "persistentvolumeclaims", {"spec": spec})
    assert claim["requests.storage"] == 2 * 1024**3 * ONE
    assert claim["fast.storageclass.storage.k8s.io/persistentvolumeclaims"] == ONE


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("count/deployments.apps", ("apps", "deployments")),
        ("pods", ("", "pods")),
        ("requests.cpu", ("", "pods")),
        ("limits.memory", ("", "pods")),
        ("cpu", ("", "pods")),
        ("services.nodeports", ("", "services")),
        ("requests.storage", ("", "persistentvolumeclaims")),
        ("fast.storageclass.storage.k8s.io/requests.storage", ("", "persistentvolumeclaims")),
        ("requests.example.com/gpu", None),
    ],
)
def test_a_limit_is_about_objects_of_one_kind(name: str, source: Any) -> None:
    assert source_of(name) == source


def test_what_is_too_much_is_told_with_what_there_is() -> None:
    limits = quota({"pods": "2", "requests.memory": "1Gi"})
    used = {"pods": 2 * ONE, "requests.memory": 1024**2 * ONE}
    assert refusal_of(limits, {"pods": ONE, "requests.memory": 1024**2 * ONE}, used) == (
        "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    )
    assert refusal_of(limits, {"pods": ONE}, {"pods": ONE}) is None
    assert refusal_of(limits, {"requests.memory": 1024**3 * ONE}, used) == (
        "exceeded quota: q, requested: requests.memory=1Gi, used: requests.memory=1Mi, "
        "limited: requests.memory=1Gi"
    )


def test_under_a_quota_of_cpu_a_pod_says_what_it_takes() -> None:
    limits = quota({"requests.cpu": "1", "limits.cpu": "2", "pods": "3"})
    assert unsaid(limits, pod()) == (
        "failed quota: q: must specify limits.cpu for: main; requests.cpu for: main"
    )
    assert unsaid(quota({"cpu": "1"}), pod({"cpu": "1"})) is None


@pytest.mark.parametrize(
    ("scope", "spec", "inside"),
    [
        ("Terminating", {"activeDeadlineSeconds": 5}, True),
        ("NotTerminating", {"activeDeadlineSeconds": 5}, False),
        ("BestEffort", {}, True),
        ("NotBestEffort", {}, False),
        ("PriorityClass", {"priorityClassName": "high"}, True),
        ("PriorityClass", {}, False),
    ],
)
def test_scopes(scope: str, spec: dict[str, Any], inside: bool) -> None:
    assert in_scope(quota({}, scopes=[scope]), "pods", pod(**spec)) is inside
    assert not in_scope(quota({}, scopes=[scope]), "services", {})


def test_a_scope_may_name_priorities() -> None:
    expression = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    limits = quota({}, scopeSelector={"matchExpressions": [expression]})
    assert in_scope(limits, "pods", pod(priorityClassName="high"))
    assert not in_scope(limits, "pods", pod(priorityClassName="low"))


@pytest.mark.parametrize(
    ("nanos", "like", "text"),
    [(1024**3 * ONE, "5Gi", "1Gi"), (ONE // 2, "2", "500m"), (3 * ONE, "9", "3"), (0, "1Gi", "0")],
)
def test_amounts_are_spelled_like_their_limit(nanos: int, like: str, text: str) -> None:
    assert spelled(nanos, like) == text
