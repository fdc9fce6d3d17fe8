"""Limit ranges: defaults and bounds."""

from typing import Any

import pytest

from control.resources.limit_range import NOTE, limit_faults, with_limits


def limits(**item: Any) -> list[dict[str, Any]]:
    return [{"spec": {"limits": [{"type": "Container", **item}]}}]


def pod(**resources: Any) -> dict[str, Any]:
    container = {"name": "main", "resources": resources}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container]}}


def resources(made: Any) -> Any:
    return made["spec"]["containers"][0]["resources"]


def test_what_a_container_does_not_say_is_given_to_it() -> None:
    ranges = limits(default={"cpu": "1"}, defaultRequest={"cpu": "100m"})
    made = with_limits(pod(), ranges)
    assert resources(made) == {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}}
    told = "LimitRanger plugin set: cpu request for container main; cpu limit for container main"
    assert made["metadata"]["annotations"][NOTE] == told
    own = pod(limits={"cpu": "2"})
    assert resources(with_limits(own, ranges)) == {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}


def test_bounds_are_defaults_where_there_are_no_others() -> None:
    made = with_limits(pod(), limits(max={"memory": "1Gi"}, min={"cpu": "50m"}))
    assert resources(made) == {
        "limits": {"memory": "1Gi"},
        "requests": {"memory": "1Gi", "cpu": "50m"},
    }


def test_without_ranges_a_pod_stays_as_it_is() -> None:
    plain = pod()
    assert with_limits(plain, []) is plain


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"limits": {"cpu": "2"}}, "maximum cpu usage per Container is 1, but limit is 2"),
        ({}, "maximum cpu usage per Container is 1.  No limit is specified"),
    ],
)
def test_too_much_is_told(held: Any, words: str) -> None:
    assert limit_faults("Pod", pod(**held), limits(max={"cpu": "1"})) == [words]


def test_too_little_is_told_of_claims_too() -> None:
    item = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    ranges = [{"spec": {"limits": [item]}}]
    claim = {"spec": {"resources": {"requests": {"storage": "500Mi"}}}}
    assert limit_faults("PersistentVolumeClaim", claim, ranges) == [
        "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"
    ]
