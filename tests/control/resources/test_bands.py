"""Numbers in two bands: draws from the upper, the lower for those who ask (S-26, S-33)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import PoolExhausted
from control.resources.bands import Bands, static_band


def lowest(count: int) -> int:
    return 0


def test_draws_come_from_the_upper_band_and_only_then_from_the_lower() -> None:
    bands = Bands(100, 4, 2, lowest)
    assert [bands.draw() for _ in range(4)] == [102, 103, 100, 101]
    with pytest.raises(PoolExhausted, match="range is full"):
        bands.draw()


def test_a_number_is_claimed_once_until_it_is_released() -> None:
    bands = Bands(100, 4, 2, lowest)
    assert bands.claim(103)
    assert not bands.claim(103)
    assert 103 in bands
    assert 104 not in bands
    assert 99 not in bands
    bands.release([103])
    assert bands.claim(103)
    bands.clear()
    assert bands.claim(103)


def test_chance_says_where_in_the_band() -> None:
    asked: list[int] = []

    def last(count: int) -> int:
        asked.append(count)
        return count - 1

    bands = Bands(0, 10, 4, last)
    assert [bands.draw(), bands.draw()] == [9, 4]
    assert asked == [6, 6]


def test_the_static_band_is_a_share_within_limits() -> None:
    """S-26: 30000-30085 of the default range; S-33: a /24 leaves .1-.16, a /12 the first 256."""
    assert static_band(2768, share=32, most=128) == 86
    assert static_band(254, share=16, most=256) == 16
    assert static_band(1 << 20, share=16, most=256) == 256
    assert static_band(10, share=16, most=256) == 0


@given(
    st.integers(1, 40),
    st.integers(0, 40),
    st.lists(st.integers(0, 39) | st.just("draw"), max_size=60),
    st.randoms(use_true_random=False),
)
def test_no_number_is_given_out_twice(
    count: int, static: int, steps: list[object], dice: random.Random
) -> None:
    bands = Bands(0, count, static, dice.randrange)
    held: set[int] = set()
    for step in steps:
        if isinstance(step, int):
            if step in bands:
                assert bands.claim(step) is (step not in held)
                held.add(step)
        elif len(held) < count:
            drawn = bands.draw()
            assert drawn in bands
            assert drawn not in held
            held.add(drawn)
        else:
            with pytest.raises(PoolExhausted):
                bands.draw()
