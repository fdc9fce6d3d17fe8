"""Timestamps."""

from hypothesis import given
from hypothesis import strategies as st

from control.controllers.times import seconds_of, timestamp


def test_a_time_is_written_in_whole_seconds_of_utc() -> None:
    assert timestamp(1_767_268_800.9) == "2026-01-01T12:00:00Z"


def test_no_text_is_no_time() -> None:
    assert seconds_of(None) is None
    assert seconds_of("") is None


@given(st.integers(0, 4_000_000_000))
def test_a_timestamp_reads_back(seconds: int) -> None:
    assert seconds_of(timestamp(seconds)) == seconds
