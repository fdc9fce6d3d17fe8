"""Endpoints over slices with few writes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.controllers.slice_packing import ENDPOINTS_PER_SLICE_MAX, identity, pack


def endpoint(number: int, **more: Any) -> dict[str, Any]:
    address = f"10.244.{number // 250}.{number % 250}"
    return {"addresses": [address], "targetRef": {"uid": f"pod-{number}"}, **more}


def held(name: str, numbers: range | list[int]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "endpoints": [endpoint(number) for number in numbers]}


def sizes(existing: list[Any], wished: list[Any]) -> list[tuple[str | None, int]]:
    packing = pack(existing, wished)
    return [(s["metadata"]["name"] if s else None, len(e)) for s, e in packing.slices]


def test_a_slice_holds_a_hundred_endpoints() -> None:
    """S-136: the 101st pod opens a second slice."""
    assert sizes([], [endpoint(n) for n in range(101)]) == [(None, 100), (None, 1)]


def test_a_new_endpoint_goes_to_the_fullest_slice_with_room() -> None:
    """S-144."""
    existing = [held("full", range(100)), held("half", range(100, 150)), held("few", [200])]
    wished = [e for s in existing for e in s["endpoints"]] + [endpoint(900)]
    assert sizes(existing, wished) == [("full", 100), ("half", 51), ("few", 1)]


def test_a_slice_that_is_written_anyway_takes_the_new_ones() -> None:
    """S-144."""
    existing = [held("fuller", range(60)), held("losing", range(100, 110))]
    wished = [endpoint(n) for n in (*range(60), *range(101, 110), 900)]
    assert dict(sizes(existing, wished)) == {"fuller": 60, "losing": 10}


def test_slices_are_not_rebalanced() -> None:
    """S-144."""
    existing = [held("a", [1]), held("b", [2]), held("c", [3])]
    wished = [endpoint(n) for n in (1, 2, 3)]
    packing = pack(existing, wished)
    assert [len(e) for _, e in packing.slices] == [1, 1, 1]
    assert packing.empty == []


def test_an_emptied_slice_is_left_over() -> None:
    """S-144."""
    existing = [held("a", [1]), held("b", [2])]
    packing = pack(existing, [endpoint(1)])
    assert [s["metadata"]["name"] for s in packing.empty] == ["b"]


def test_a_changed_condition_rewrites_only_its_own_slice() -> None:
    """S-144."""
    existing = [held("a", [1]), held("b", [2])]
    packing = pack(existing, [endpoint(1, conditions={"ready": False}), endpoint(2)])
    changed = [s["metadata"]["name"] for s, e in packing.slices if s and e != s["endpoints"]]
    assert changed == ["a"]


def test_a_pod_with_a_reused_address_is_another_endpoint() -> None:
    one, two = endpoint(1), {**endpoint(1), "targetRef": {"uid": "pod-2"}}
    assert identity(one) != identity(two)


@given(
    before=st.lists(st.sets(st.integers(0, 400), max_size=100), max_size=4),
    after=st.sets(st.integers(0, 400)),
)
def test_every_wished_endpoint_lies_in_exactly_one_slice(
    before: list[set[int]], after: set[int]
) -> None:
    """S-136, S-144, from any state."""
    existing = [held(f"s{n}", sorted(numbers)) for n, numbers in enumerate(before)]
    packing = pack(existing, [endpoint(n) for n in sorted(after)])
    placed = [identity(e) for _, endpoints in packing.slices for e in endpoints]
    assert sorted(placed) == sorted(identity(endpoint(n)) for n in after)
    assert all(0 < len(e) <= ENDPOINTS_PER_SLICE_MAX for _, e in packing.slices)
    kept = [s for s, _ in packing.slices if s is not None]
    assert len(kept) + len(packing.empty) == len(existing)
