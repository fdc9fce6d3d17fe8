"""A pod is bound to a node once."""

from typing import Any

import pytest

from cluster.errors import ApiError
from control.apiserver.pods import bound

NOW = "2026-01-01T12:00:00Z"


def pod(**metadata: Any) -> dict[str, Any]:
    failed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    ready = {"type": "Ready", "status": "False"}
    return {
        "metadata": {"name": "web", **metadata},
        "spec": {"containers": []},
        "status": {"phase": "Pending", "conditions": [failed, ready]},
    }


def test_a_bound_pod_has_its_node_and_one_condition_that_says_so() -> None:
    """P-45: the binding sets the node and PodScheduled becomes true."""
    made = bound(pod(), "node-1", NOW)
    assert made["spec"] == {"containers": [], "nodeName": "node-1"}
    ready, scheduled = made["status"]["conditions"]
    assert ready["type"] == "Ready"
    assert (scheduled["type"], scheduled["status"]) == ("PodScheduled", "True")
    assert scheduled["lastTransitionTime"] == NOW
    assert made["status"]["phase"] == "Pending"


def test_a_pod_is_bound_only_once() -> None:
    with pytest.raises(ApiError, match='already assigned to node "node-1"') as caught:
        bound(bound(pod(), "node-1", NOW), "node-2", NOW)
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")


def test_a_pod_that_is_going_is_not_bound() -> None:
    with pytest.raises(ApiError, match="being deleted") as caught:
        bound(pod(deletionTimestamp=NOW), "node-1", NOW)
    assert caught.value.code == 409


def test_a_binding_names_a_node() -> None:
    with pytest.raises(ApiError) as caught:
        bound(pod(), "", NOW)
    assert caught.value.code == 400
