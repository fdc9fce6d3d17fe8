"""Durations in words."""

from datetime import UTC, datetime

import pytest

from control.resources.columns.ages import age, human_duration, instant, since

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2.0, "<invalid>"),
        (-1.9, "0s"),
        (-0.5, "0s"),
        (0, "0s"),
        (0.99, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (5 * MINUTE + 3, "5m3s"),
        (9 * MINUTE + 59, "9m59s"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 59, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 4 * HOUR, "2d4h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY + 5 * HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (3 * YEAR + 12 * DAY, "3y12d"),
        (8 * YEAR, "8y"),
        (40 * YEAR + 300 * DAY, "40y"),
    ],
)
def test_a_duration_has_two_units_while_the_first_is_small(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_seconds_and_microseconds_are_read_and_nothing_is_unknown(now: datetime) -> None:
    assert since("2026-01-01T11:59:15Z", now) == "45s"
    assert since("2026-01-01T11:59:15.600000Z", now) == "44s"
    assert since(None, now) == since("", now) == since("yesterday", now) == "<unknown>"
    assert since("2026-01-01T12:00:05Z", now) == "<invalid>"


def test_a_time_without_a_zone_is_utc() -> None:
    assert instant("2026-01-01T12:00:00") == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_an_age_is_the_time_since_creation(now: datetime) -> None:
    assert age({"metadata": {"creationTimestamp": "2025-12-30T08:00:00Z"}}, now) == "2d4h"
    assert age({"metadata": {}}, now) == "<unknown>"
