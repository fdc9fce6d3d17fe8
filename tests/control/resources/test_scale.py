"""Scale: read from and written to workloads of several kinds."""

from typing import Any

import pytest

from control.resources.kinds import Kind, find_kind
from control.resources.scale import read_scale, write_scale

METADATA = {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "labels": {}}


def kind(plural: str, group: str = "apps") -> Kind:
    found = find_kind(group, "v1", plural)
    assert found is not None
    return found


def workload(**spec: Any) -> dict[str, Any]:
    return {"metadata": METADATA, "spec": spec, "status": {"replicas": 2}}


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "statefulsets"])
def test_a_scale_says_what_is_wanted_what_there_is_and_how_to_find_it(plural: str) -> None:
    expressions = [{"key": "tier", "operator": "In", "values": ["a", "b"]}]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    assert read_scale(kind(plural), workload(replicas=3, selector=selector)) == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
        "spec": {"replicas": 3},
        "status": {"replicas": 2, "selector": "app=web,tier in (a,b)"},
    }


def test_a_selector_that_is_a_plain_map() -> None:
    controller = kind("replicationcontrollers", "")
    scale = read_scale(controller, workload(replicas=1, selector={"app": "web"}))
    assert scale["status"]["selector"] == "app=web"


def test_nothing_wanted_and_nothing_there() -> None:
    scale = read_scale(kind("deployments"), {"metadata": METADATA, "spec": {"replicas": 0}})
    assert (scale["spec"], scale["status"]) == ({}, {"replicas": 0})


def test_only_the_number_is_written() -> None:
    before = workload(replicas=3, selector={"matchLabels": {"app": "web"}})
    after = write_scale(kind("deployments"), before, {"spec": {"replicas": 5}, "status": {"x": 1}})
    assert after == {**before, "spec": {**before["spec"], "replicas": 5}}
    assert before["spec"]["replicas"] == 3
    assert write_scale(kind("deployments"), before, {})["spec"]["replicas"] == 0


def test_reading_and_writing_back_changes_nothing() -> None:
    before = workload(replicas=3)
    written = write_scale(kind("deployments"), before, read_scale(kind("deployments"), before))
    assert written == before
