"""Nodes as `kubectl get nodes` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns.nodes import NODES, roles

Make = Callable[..., dict[str, Any]]


def test_the_row_of_a_node(now: datetime, document: Make) -> None:
    node = document(
        "node-1",
        metadata={"labels": {"node-role.kubernetes.io/worker": ""}},
        status={
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [
                {"type": "InternalIP", "address": "172.30.0.1"},
                {"type": "ExternalIP", "address": "127.64.0.1"},
            ],
            "nodeInfo": {
                "kubeletVersion": "v1.37.0",
                "osImage": "linux",
                "kernelVersion": "6.1",
                "containerRuntimeVersion": "kubehop://1",
            },
        },
    )
    told = ["node-1", "Ready", "worker", "5m", "v1.37.0"]
    assert NODES.row(node, now) == [
        *told,
        "172.30.0.1",
        "127.64.0.1",
        "linux",
        "6.1",
        "kubehop://1",
    ]


@pytest.mark.parametrize(
    ("ready", "unschedulable", "shown"),
    [
        ("True", False, "Ready"),
        ("False", False, "NotReady"),
        ("Unknown", False, "NotReady"),
        (None, False, "Unknown"),
        ("True", True, "Ready,SchedulingDisabled"),
    ],
)
def test_the_status_of_a_node(
    now: datetime, document: Make, ready: str | None, unschedulable: bool, shown: str
) -> None:
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    node = document(spec={"unschedulable": unschedulable}, status={"conditions": conditions})
    assert NODES.row(node, now)[1] == shown


def test_roles_come_from_two_kinds_of_labels(document: Make) -> None:
    labels = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/control-plane": "",
        "node-role.kubernetes.io/": "nothing",
        "kubernetes.io/role": "spare",
        "app": "cart",
    }
    assert roles(document(metadata={"labels": labels})) == ["control-plane", "spare", "worker"]


def test_a_node_that_says_nothing(now: datetime, document: Make) -> None:
    unknown = ["<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"]
    assert NODES.row(document("node-1"), now) == ["node-1", "Unknown", "<none>", "5m", "", *unknown]
