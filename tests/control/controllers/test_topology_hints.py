"""Hints: near first."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.controllers.topology_hints import (
    MODE,
    ZONE,
    milli_cpus,
    with_hints,
    zone_capacity,
    zone_quotas,
)


def endpoint(zone: str | None, *, ready: bool = True, node: str = "node-1") -> dict[str, Any]:
    made = {"addresses": ["10.244.1.2"], "conditions": {"ready": ready}, "nodeName": node}
    return {**made, "zone": zone} if zone else made


def hints(endpoints: list[Any]) -> list[Any]:
    return [each.get("hints") for each in endpoints]


@pytest.mark.parametrize("wish", ["PreferClose", "PreferSameZone"])
def test_every_ready_endpoint_is_hinted_for_its_own_zone(build: Any, wish: str) -> None:
    """S-74, S-75: PreferClose is the older word."""
    service = build.service("web", trafficDistribution=wish)
    endpoints = [endpoint("a"), endpoint("b"), endpoint("a", ready=False)]
    assert hints(with_hints(service, endpoints, [])) == [
        {"forZones": [{"name": "a"}]},
        {"forZones": [{"name": "b"}]},
        None,
    ]


def test_same_node_hints_for_node_and_zone(build: Any) -> None:
    """S-75."""
    service = build.service("web", trafficDistribution="PreferSameNode")
    assert hints(with_hints(service, [endpoint("a", node="node-2")], [])) == [
        {"forZones": [{"name": "a"}], "forNodes": [{"name": "node-2"}]}
    ]


def test_an_endpoint_without_zone_gets_no_zone_hint(build: Any) -> None:
    """S-81."""
    service = build.service("web", trafficDistribution="PreferClose")
    assert hints(with_hints(service, [endpoint(None)], [])) == [None]


def test_without_a_wish_there_are_no_hints(build: Any) -> None:
    """S-83."""
    assert hints(with_hints(build.service("web"), [endpoint("a")], [])) == [None]


def nodes(build: Any, **cpus: str) -> list[Any]:
    return [
        build.node(f"node-{zone}", labels={ZONE: zone}, status={"allocatable": {"cpu": cpu}})
        for zone, cpu in cpus.items()
    ]


def test_auto_beats_the_distribution_and_follows_the_cpus(build: Any) -> None:
    """S-82."""
    service = build.service(
        "web", trafficDistribution="PreferClose", metadata={"annotations": {MODE: "Auto"}}
    )
    endpoints = [endpoint("a") for _ in range(6)]
    hinted = with_hints(service, endpoints, nodes(build, a="4", b="2"))
    zones = [each["hints"]["forZones"][0]["name"] for each in hinted]
    assert zones == ["a"] * 4 + ["b"] * 2


@pytest.mark.parametrize(
    ("count", "cpus"),
    [
        (1, {"a": "2", "b": "2"}),  # fewer endpoints than zones
        (6, {"a": "2"}),  # one zone
        (2, {"a": "8", "b": "1"}),  # zone a would be overloaded
    ],
)
def test_auto_withdraws_where_no_fair_split_exists(
    build: Any, count: int, cpus: dict[str, str]
) -> None:
    """S-82."""
    service = build.service("web", metadata={"annotations": {MODE: "auto"}})
    endpoints = [endpoint("a") for _ in range(count)]
    assert hints(with_hints(service, endpoints, nodes(build, **cpus))) == [None] * count


def test_a_node_without_zone_or_cpus_makes_the_shares_unknown(build: Any) -> None:
    assert zone_capacity([*nodes(build, a="2"), build.node("lost")]) == {}
    assert zone_capacity(nodes(build, a="1500m", b="0.5")) == {"a": 0.75, "b": 0.25}


def test_unready_nodes_do_not_count(build: Any) -> None:
    down = build.node("x", ready="Unknown", labels={ZONE: "b"}, status={"allocatable": {"cpu": 4}})
    assert zone_capacity([*nodes(build, a="2"), down]) == {"a": 1.0}


@pytest.mark.parametrize(("text", "milli"), [("2", 2000), ("250m", 250), ("0.5", 500), (4, 4000)])
def test_cpus_are_read_as_thousandths(text: Any, milli: int) -> None:
    assert milli_cpus({"allocatable": {"cpu": text}}) == milli


@given(
    count=st.integers(1, 200),
    weights=st.lists(st.integers(1, 64), min_size=2, max_size=5),
)
def test_quotas_add_up_and_overload_no_zone(count: int, weights: list[int]) -> None:
    """S-82: no zone's endpoints get more than 20 % above their share."""
    shares = {f"z{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    quotas = zone_quotas(count, shares)
    if quotas is None:
        return
    assert sum(quotas.values()) == count
    for zone, share in shares.items():
        assert quotas[zone] > 0
        assert share * count / quotas[zone] <= 1.2 + 1e-9
