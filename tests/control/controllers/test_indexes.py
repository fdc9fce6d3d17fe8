"""Completion indexes as a status spells them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.controllers.indexes import INDEX, format_indexes, index_of, parse_indexes


@pytest.mark.parametrize(
    ("indexes", "text"), [((), ""), ((4,), "4"), ((0, 1), "0,1"), ((0, 1, 2, 5), "0-2,5")]
)
def test_three_in_a_row_are_a_range(indexes: tuple[int, ...], text: str) -> None:
    assert format_indexes(indexes) == text


@given(st.sets(st.integers(0, 60)))
def test_what_is_written_is_read_back(indexes: set[int]) -> None:
    assert parse_indexes(format_indexes(indexes), 61) == indexes


def test_an_index_beyond_the_completions_is_none() -> None:
    assert parse_indexes("0-9,12", 3) == {0, 1, 2}


def test_what_is_no_index_is_passed_over() -> None:
    assert parse_indexes(f"1,x,-,3-,-4,5-6,7-{'9' * 5000},²", 10) == {1, 5, 6}


def test_a_pod_says_its_index(build: Any) -> None:
    assert index_of(build.pod("a", annotations={INDEX: "3"})) == 3
    assert index_of(build.pod("a")) is None
    for odd in ("x", "-1", "9" * 5000):
        assert index_of(build.pod("a", annotations={INDEX: odd})) is None
