"""Schedules: what comes due when, and what is none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.resources.cron_schedule import BadSchedule, parse_schedule

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", "2026-01-01T12:01"),
        ("*/15 * * * *", "2026-01-01T12:15"),
        ("5/20 * * * *", "2026-01-01T12:05"),
        ("0 9-17/4 * * *", "2026-01-01T13:00"),
        ("0 0 * * mon,WED", "2026-01-05T00:00"),
        ("30 6 29 feb *", "2028-02-29T06:30"),
        ("0 0 13 * 5", "2026-01-02T00:00"),  # either field of days, where none is a star
        ("0 0 13 * *", "2026-01-13T00:00"),
        ("@hourly", "2026-01-01T13:00"),
        ("@daily", "2026-01-02T00:00"),
        ("@weekly", "2026-01-04T00:00"),
        ("@monthly", "2026-02-01T00:00"),
        ("@yearly", "2027-01-01T00:00"),
        ("@every 1h30m", "2026-01-01T13:30"),
    ],
)
def test_a_schedule_comes_due(text: str, due: str) -> None:
    found = parse_schedule(text).next_after(NOON)
    assert found is not None
    assert found.isoformat()[:16] == due


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
        ("70 * * * *", "end of range (70) above maximum (59): 70"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("9-3 * * * *", "beginning of range (9) beyond end of range (3): 9-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        (
            "\u0663 * * * *",
            'failed to parse int from \u0663: strconv.Atoi: parsing "\u0663": invalid syntax',
        ),
        (
            "@every 2600000h",
            'failed to parse duration @every 2600000h: time: invalid duration "2600000h"',
        ),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_what_is_no_schedule_is_told(text: str, why: str) -> None:
    with pytest.raises(BadSchedule) as told:
        parse_schedule(text)
    assert str(told.value) == why


@pytest.mark.parametrize("text", ["{} * * * *", "*/{} * * * *", "1-{} * * * *", "@every {}h"])
def test_a_number_without_end_is_none(text: str) -> None:
    with pytest.raises(BadSchedule):
        parse_schedule(text.format("9" * 5000))


def test_a_date_that_never_comes_is_none() -> None:
    assert parse_schedule("0 0 31 2 *").next_after(NOON) is None


def test_what_the_clock_skips_in_spring_does_not_come_due() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 12, 0, tzinfo=zone)
    due = parse_schedule("30 2 * * *").next_after(before)
    assert due is not None
    assert due.date().isoformat() == "2026-03-30"  # there is no 2:30 on the 29th


@settings(deadline=None)
@given(minutes=st.integers(1, 300), step=st.integers(5, 59))
def test_the_latest_is_the_one_that_would_have_been_reached(minutes: int, step: int) -> None:
    schedule = parse_schedule(f"*/{step} * * * *")
    until = NOON + timedelta(minutes=minutes)
    reached = None
    due = schedule.next_after(NOON)
    while due is not None and due <= until:
        reached, due = due, schedule.next_after(due)
    assert schedule.latest(NOON, until) == reached
