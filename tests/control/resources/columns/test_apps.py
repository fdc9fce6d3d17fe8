"""Deployments and their kin."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns import apps

Make = Callable[..., dict[str, Any]]

TEMPLATE = {
    "spec": {
        "containers": [{"name": "web", "image": "nginx"}, {"name": "log", "image": "fluentd"}],
        "nodeSelector": {"disk": "fast"},
    }
}
SPEC = {"replicas": 3, "selector": {"matchLabels": {"app": "cart"}}, "template": TEMPLATE}


def test_the_row_of_a_deployment(now: datetime, document: Make) -> None:
    status = {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    deployment = document("cart", spec=SPEC, status=status)
    told = ["cart", "2/3", 3, 1, "5m", "web,log", "nginx,fluentd", "app=cart"]
    assert apps.DEPLOYMENTS.row(deployment, now) == told
    assert apps.DEPLOYMENTS.row(document("cart", spec={**SPEC, "replicas": 0}), now)[1:4] == [
        "0/0",
        0,
        0,
    ]


def test_the_row_of_a_replica_set(now: datetime, document: Make) -> None:
    made = document("cart-5d", spec=SPEC, status={"replicas": 3, "readyReplicas": 2})
    told = ["cart-5d", 3, 3, 2, "5m", "web,log", "nginx,fluentd", "app=cart"]
    assert apps.REPLICA_SETS.row(made, now) == told
    assert apps.REPLICA_SETS.row(document(spec={}), now)[-1] == "<none>"


def test_the_row_of_a_stateful_set(now: datetime, document: Make) -> None:
    made = document("db", spec=SPEC, status={"readyReplicas": 1})
    assert apps.STATEFUL_SETS.row(made, now) == ["db", "1/3", "5m", "web,log", "nginx,fluentd"]


def test_the_row_of_a_daemon_set(now: datetime, document: Make) -> None:
    status = {
        "desiredNumberScheduled": 5,
        "currentNumberScheduled": 4,
        "numberReady": 3,
        "updatedNumberScheduled": 2,
        "numberAvailable": 1,
    }
    made = document("log", spec=SPEC, status=status)
    told = ["log", 5, 4, 3, 2, 1, "disk=fast", "5m", "web,log", "nginx,fluentd", "app=cart"]
    assert apps.DAEMON_SETS.row(made, now) == told


def test_a_revision_names_its_controller(now: datetime, document: Make) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}
    made = document("db-1", metadata={"ownerReferences": [owner]}, revision=4)
    assert apps.CONTROLLER_REVISIONS.row(made, now) == ["db-1", "statefulset.apps/db", 4, "5m"]
    core_owner = {**owner, "apiVersion": "v1", "kind": "ReplicationController"}
    made = document("db-1", metadata={"ownerReferences": [{"kind": "Other"}, core_owner]})
    assert apps.CONTROLLER_REVISIONS.row(made, now)[1:3] == ["replicationcontroller/db", 0]
    assert apps.CONTROLLER_REVISIONS.row(document("db-1"), now)[1] == "<none>"
