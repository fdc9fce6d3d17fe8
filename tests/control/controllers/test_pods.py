"""What controllers ask of a pod."""

from typing import Any

import pytest

from control.controllers.pods import (
    active,
    available_in,
    finished,
    ips_of,
    node_of,
    ready,
    ready_since,
    restarts,
)

NOW = 1_767_268_800.0


ENDED = [("Running", False), ("Succeeded", True), ("Failed", True)]


@pytest.mark.parametrize(("phase", "ended"), ENDED)
def test_finished_is_for_good(build: Any, phase: str, ended: bool) -> None:
    """P-16, P-38."""
    pod = build.pod("a", phase=phase)
    assert finished(pod) is ended
    assert active(pod) is not ended


def test_a_terminating_pod_is_not_active_but_may_be_ready(build: Any) -> None:
    """P-63."""
    pod = build.pod("a", deletionTimestamp=build.stamp())
    assert not active(pod)
    assert ready(pod)


def test_no_ready_condition_means_not_ready(build: Any) -> None:
    """P-40."""
    pod = build.pod("a", ready=None)
    assert not ready(pod)
    assert ready_since(pod) is None
    assert available_in(pod, 0, NOW) is None


def test_available_after_being_ready_for_long_enough(build: Any) -> None:
    """P-83."""
    pod = build.pod("a", ready_at=-4)
    assert available_in(pod, 0, NOW) == 0
    assert available_in(pod, 10, NOW) == 6
    assert available_in(pod, 4, NOW) == 0
    assert available_in(build.pod("b", ready=False), 10, NOW) is None


def test_addresses_come_from_either_field(build: Any) -> None:
    """P-12."""
    assert ips_of(build.pod("a", status={"podIP": "10.244.1.2"})) == ["10.244.1.2"]
    two = {"podIP": "10.244.1.2", "podIPs": [{"ip": "10.244.1.2"}, {"ip": "fd00::2"}]}
    assert ips_of(build.pod("b", status=two)) == ["10.244.1.2", "fd00::2"]
    assert ips_of(build.pod("c")) == []


def test_restarts_of_all_containers_count(build: Any) -> None:
    statuses = [{"restartCount": 2}, {"restartCount": 3}, {}]
    assert restarts(build.pod("a", status={"containerStatuses": statuses})) == 5
    assert node_of(build.pod("a", node=None)) == ""
