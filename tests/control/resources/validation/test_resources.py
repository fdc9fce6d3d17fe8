"""What containers ask for: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.resources import resource_causes


def told(**resources: Any) -> list[str]:
    return [f"{each.field}: {each.message}" for each in resource_causes(resources, "r", ["gpu"])]


@pytest.mark.parametrize(
    "resources",
    [
        {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1024Mi"}},
        {"requests": {"cpu": "1m", "ephemeral-storage": "0"}},
        {"limits": {"example.com/gpu": "1"}, "requests": {"example.com/gpu": "1"}},
        {"limits": {"hugepages-2Mi": "4Mi", "memory": "1Gi"}},
        {"claims": [{"name": "gpu"}]},
    ],
)
def test_what_is_fine(resources: dict[str, Any]) -> None:
    assert told(**resources) == []


def test_nobody_asks_for_more_than_the_limit() -> None:
    assert told(limits={"cpu": "500m", "memory": "1Gi"}, requests={"cpu": "1"}) == [
        'r.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m'
    ]


def test_amounts_are_not_negative() -> None:
    words = 'Invalid value: "-1": must be greater than or equal to 0'
    assert told(requests={"cpu": "-1"}) == [f"r.requests[cpu]: {words}"]
    assert told(limits={"memory": "-1"}) == [f"r.limits[memory]: {words}"]


def test_resources_have_names_that_mean_something() -> None:
    place = 'r.requests[ram]: Invalid value: "ram": '
    assert told(requests={"ram": "1Gi"}) == [
        f"{place}must be a standard resource type or fully qualified",
        f"{place}must be a standard resource for containers",
    ]
    assert told(limits={"pods": "1"}) == [
        'r.limits[pods]: Invalid value: "pods": must be a standard resource for containers'
    ]
    (cause,) = told(limits={"requests.example.com/gpu": "1"})
    assert cause.endswith("doesn't follow extended resource name standard")


def test_devices_are_whole_and_nobody_elses() -> None:
    gpu = "example.com/gpu"
    assert told(limits={gpu: "500m"}) == [
        f'r.limits[{gpu}]: Invalid value: "500m": must be an integer'
    ]
    assert told(requests={gpu: "1"}) == [
        "r.limits: Required value: Limit must be set for non overcommitable resources"
    ]
    assert told(limits={gpu: "2"}, requests={gpu: "1"}) == [
        f'r.requests: Invalid value: "1": must be equal to {gpu} limit of 2'
    ]


def test_huge_pages_come_with_memory() -> None:
    assert told(limits={"hugepages-2Mi": "4Mi"}) == [
        "r: Forbidden: HugePages require cpu or memory"
    ]


def test_claims_are_the_pods() -> None:
    assert told(claims=[{}]) == ["r.claims[0].name: Required value"]
    assert told(claims=[{"name": "x"}]) == ['r.claims[0]: Not found: "x"']
    assert told(claims=[{"name": "gpu"}, {"name": "gpu"}]) == [
        'r.claims[1]: Duplicate value: "gpu"'
    ]
