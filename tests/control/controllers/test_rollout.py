"""The arithmetic of a rolling update."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.controllers.rollout import (
    Bounds,
    SetCount,
    bounds_of,
    new_wish,
    old_wishes,
    proportional,
    resolved,
)


def count(wished: int, available: int | None = None) -> SetCount:
    held = wished if available is None else available
    return SetCount(name="x", wished=wished, reported=wished, available=held)


def test_pods_that_a_set_still_reports_take_room() -> None:
    """P-82: a set that was told to shrink has its pods until it reports fewer."""
    bounds = bounds_of(1, 0, 1)
    shrinking = SetCount(name="x", wished=0, reported=1, available=1)
    assert new_wish(bounds, count(0), [shrinking]) == 0


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, None, None, (1, 1)),  # P-81: 25 % each by default
        (3, None, None, (1, 0)),  # P-81: surge rounds up, unavailable down
        (10, "25%", "25%", (3, 2)),
        (10, 0, "30%", (0, 3)),
        (1, None, None, (1, 0)),
        (3, 0, "10%", (0, 1)),  # P-81: both may not be 0
        (2, 1, 5, (1, 2)),  # no more can be missing than there are
    ],
)
def test_surge_rounds_up_and_unavailable_rounds_down(
    replicas: int, surge: int | str | None, unavailable: int | str | None, expected: tuple[int, int]
) -> None:
    bounds = bounds_of(replicas, surge, unavailable)
    assert (bounds.surge, bounds.unavailable) == expected
    assert bounds.total == replicas + expected[0]
    assert bounds.available == replicas - expected[1]


@given(percent=st.integers(0, 200), replicas=st.integers(0, 500))
def test_a_percentage_up_is_never_less_than_down_and_at_most_one_more(
    percent: int, replicas: int
) -> None:
    up, down = (
        resolved(f"{percent}%", replicas, up=True),
        resolved(f"{percent}%", replicas, up=False),
    )
    assert 0 <= up - down <= 1


def test_the_new_set_grows_by_the_surge_first() -> None:
    """P-82."""
    bounds = bounds_of(4, None, None)
    assert new_wish(bounds, count(0), [count(4)]) == 1
    assert new_wish(bounds, count(1), [count(3)]) == 2


def test_the_new_set_never_exceeds_the_replicas() -> None:
    bounds = bounds_of(3, 5, 0)
    assert new_wish(bounds, count(0), [count(3)]) == 3
    assert new_wish(bounds, count(7), []) == 3


def test_old_pods_stay_while_the_new_ones_are_not_available() -> None:
    """P-83: a new version that never gets ready keeps the old pods serving."""
    bounds = bounds_of(3, 1, 0)
    assert old_wishes(bounds, count(1, 0), [count(3)]) == [3]


def test_one_old_pod_goes_for_each_new_available_one() -> None:
    bounds = bounds_of(3, 1, 0)
    assert old_wishes(bounds, count(1, 1), [count(3)]) == [2]


def test_broken_old_pods_go_first_and_the_oldest_set_before_the_others() -> None:
    bounds = bounds_of(4, 1, 1)
    assert old_wishes(bounds, count(1, 0), [count(2, 0), count(2, 2)]) == [1, 2]
    assert old_wishes(bounds, count(1, 1), [count(1, 1), count(3, 3)]) == [0, 2]


@given(
    replicas=st.integers(1, 20),
    surge=st.integers(0, 5),
    unavailable=st.integers(0, 5),
    new=st.integers(0, 20),
    new_available=st.integers(0, 20),
    old=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=4),
)
def test_a_step_never_removes_an_available_pod_below_the_minimum(
    replicas: int,
    surge: int,
    unavailable: int,
    new: int,
    new_available: int,
    old: list[tuple[int, int]],
) -> None:
    """P-82, from any state at all: what is below the minimum is not made worse."""
    bounds = bounds_of(replicas, surge, unavailable)
    sets = [count(wished, available) for wished, available in old]
    fresh = count(new, new_available)
    wishes = old_wishes(bounds, fresh, sets)
    before = fresh.safe + sum(each.safe for each in sets)
    after = fresh.safe + sum(min(wish, each.safe) for wish, each in zip(wishes, sets, strict=True))
    assert after >= min(before, bounds.available)
    assert all(0 <= wish <= each.wished for wish, each in zip(wishes, sets, strict=True))
    grown = new_wish(bounds, fresh, sets)
    total = grown + sum(each.wished for each in sets)
    assert grown <= fresh.wished or total <= bounds.total


@given(
    total=st.integers(0, 100),
    sizes=st.lists(st.integers(1, 50), min_size=2, max_size=5),
)
def test_a_changed_total_is_shared_without_remainder(total: int, sizes: list[int]) -> None:
    wishes = proportional(total, [count(size) for size in sizes], sum(sizes))
    assert sum(wishes) == total
    assert all(wish >= 0 for wish in wishes)


def test_scaling_in_the_middle_of_a_rollout_keeps_the_proportions() -> None:
    assert proportional(26, [count(8), count(5)], 13) == [16, 10]


def test_bounds_of_zero_replicas_are_zero() -> None:
    assert bounds_of(0, None, None) == Bounds(replicas=0, surge=0, unavailable=0)
