"""Pods from templates."""

from typing import Any

from cluster.objects.resources import REPLICA_SETS
from control.controllers.pod_template import pod_from, with_labels

TEMPLATE = {"metadata": {"labels": {"a": "b"}, "name": "not-taken"}, "spec": {"containers": []}}


def test_a_pod_has_its_owner_and_the_templates_labels(build: Any) -> None:
    web = build.replica_set("web")
    pod = pod_from(TEMPLATE, REPLICA_SETS, web)
    assert pod["metadata"] == {
        "labels": {"a": "b"},
        "generateName": "web-",
        "namespace": "default",
        "ownerReferences": [build.owner(REPLICA_SETS, web)],
    }


def test_a_name_may_be_given(build: Any) -> None:
    pod = pod_from(TEMPLATE, REPLICA_SETS, build.replica_set("web"), name="web-0")
    assert pod["metadata"]["name"] == "web-0"
    assert "generateName" not in pod["metadata"]


def test_further_labels_leave_the_template_as_it_is(build: Any) -> None:
    pod = pod_from(TEMPLATE, REPLICA_SETS, build.replica_set("web"))
    assert with_labels(pod, {"c": "d"})["metadata"]["labels"] == {"a": "b", "c": "d"}
    assert TEMPLATE["metadata"]["labels"] == {"a": "b"}
