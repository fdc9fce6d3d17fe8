"""Patches that hold for one version, and counters without zeros."""

from typing import Any

from cluster.objects.resources import PODS
from control.controllers.writes import counted, patch_of, status_changes


def test_a_patch_holds_only_for_the_version_it_was_made_from(build: Any) -> None:
    pod = build.pod("a")
    patch = patch_of(PODS, pod, {"metadata": {"finalizers": ["x"]}})
    assert patch.changes == {
        "metadata": {"finalizers": ["x"], "resourceVersion": pod["metadata"]["resourceVersion"]}
    }
    assert (patch.namespace, patch.name, patch.subresource) == ("default", "a", None)


def test_a_counter_of_zero_is_left_out_except_replicas() -> None:
    assert counted({"replicas": 0, "readyReplicas": 0}, {}) == {"replicas": 0}
    assert counted({"readyReplicas": 0}, {"readyReplicas": 2}) == {"readyReplicas": None}
    assert counted({"replicas": 2}, {"replicas": 2}) == {}


def test_of_a_status_only_what_differs_is_written() -> None:
    held = {"ready": 1, "failed": 2, "noted": {"good": ["a"], "bad": ["b"]}}
    wished = {"ready": 1, "failed": 0, "active": 0, "noted": {"good": ["a"]}}
    changes = {"failed": None, "noted": {"good": ["a"], "bad": None}}
    assert status_changes(wished, held) == changes
    assert status_changes(wished, held, always=["active"]) == {**changes, "active": 0}
    assert status_changes({"ready": 1}, held) == {}
