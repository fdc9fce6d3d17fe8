"""Deletion: at once, by grace, by finalizers, by propagation."""

from typing import Any

import pytest

from cluster.objects.resources import CONFIG_MAPS, NAMESPACES, PODS
from control.apiserver.deletion import decide_deletion, may_go
from control.apiserver.options import DeleteOptions

NOW = "2026-01-01T12:00:00Z"


def pod(node: str = "node-1", **metadata: Any) -> dict[str, Any]:
    spec = {"terminationGracePeriodSeconds": 30, **({"nodeName": node} if node else {})}
    return {"metadata": {"name": "p", **metadata}, "spec": spec, "status": {"phase": "Running"}}


def test_a_pod_on_a_node_is_given_its_grace() -> None:
    """P-56: marked with the moment at which it will be over; the kubelet ends it."""
    deletion = decide_deletion(PODS, pod(), DeleteOptions(), NOW)
    metadata = deletion.document["metadata"]
    assert not deletion.gone
    assert metadata["deletionTimestamp"] == "2026-01-01T12:00:30Z"
    assert metadata["deletionGracePeriodSeconds"] == 30


def test_the_grace_can_be_chosen_and_only_shortened() -> None:
    first = decide_deletion(PODS, pod(), DeleteOptions(grace_seconds=10), NOW)
    longer = decide_deletion(PODS, first.document, DeleteOptions(grace_seconds=60), NOW)
    assert longer.document == first.document
    shorter = decide_deletion(PODS, first.document, DeleteOptions(grace_seconds=2), NOW)
    assert shorter.document["metadata"]["deletionGracePeriodSeconds"] == 2


@pytest.mark.parametrize(
    "document",
    [
        pod(node=""),
        {**pod(), "status": {"phase": "Succeeded"}},
        {**pod(), "status": {"phase": "Failed"}},
    ],
)
def test_a_pod_that_does_not_run_goes_at_once(document: dict[str, Any]) -> None:
    assert decide_deletion(PODS, document, DeleteOptions(), NOW).gone


def test_grace_zero_removes_a_pod() -> None:
    assert decide_deletion(PODS, pod(), DeleteOptions(grace_seconds=0), NOW).gone


def test_finalizers_hold_an_object() -> None:
    document = {"metadata": {"name": "c", "finalizers": ["example.com/x"]}}
    deletion = decide_deletion(CONFIG_MAPS, document, DeleteOptions(), NOW)
    assert not deletion.gone
    assert deletion.document["metadata"]["deletionTimestamp"] == NOW
    freed = {"metadata": {**deletion.document["metadata"], "finalizers": []}}
    assert may_go(CONFIG_MAPS, freed)


@pytest.mark.parametrize(
    ("propagation", "finalizers"),
    [
        ("Foreground", ["x", "foregroundDeletion"]),
        ("Orphan", ["x", "orphan"]),
        ("Background", ["x"]),
    ],
)
def test_propagation_is_a_finalizer(propagation: str, finalizers: list[str]) -> None:
    document = {"metadata": {"name": "c", "finalizers": ["x", "orphan"]}}
    deletion = decide_deletion(CONFIG_MAPS, document, DeleteOptions(propagation=propagation), NOW)
    assert deletion.document["metadata"]["finalizers"] == finalizers


def test_a_namespace_goes_when_it_has_been_emptied() -> None:
    document = {"metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}, "status": {}}
    deletion = decide_deletion(NAMESPACES, document, DeleteOptions(), NOW)
    assert not deletion.gone
    assert deletion.document["status"]["phase"] == "Terminating"
    assert may_go(NAMESPACES, {**deletion.document, "spec": {}})


def test_what_nobody_deleted_stays() -> None:
    assert not may_go(CONFIG_MAPS, {"metadata": {"name": "c"}})
