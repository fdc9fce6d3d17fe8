"""Instants in their one spelling."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.times import canonical_time


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-01T00:30:00-01:00", "2026-01-01T01:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_in_utc_and_has_whole_seconds(text: str, spelling: str) -> None:
    assert canonical_time(text, "time") == spelling


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
    ],
)
def test_a_micro_time_has_six_digits(text: str, spelling: str) -> None:
    assert canonical_time(text, "micro-time") == spelling


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05",
        "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T25:04:05Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-01-02T03:04:05Z",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert canonical_time(text, "time") is None


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_the_instant_stays_the_same(moment: datetime, zone: timezone) -> None:
    given_instant = moment.replace(tzinfo=zone)
    spelling = canonical_time(given_instant.isoformat(), "micro-time")
    assert spelling is not None
    assert datetime.fromisoformat(spelling.replace("Z", "+00:00")) == given_instant.astimezone(UTC)
    assert canonical_time(spelling, "micro-time") == spelling
