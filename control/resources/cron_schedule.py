"""The schedules of CronJobs: five fields, or a word, and when they come due.

Pure: text and times in, times out. Source: kubernetes.io, "CronJob", schedule syntax; crontab(5).

    minute  hour  day of month  month  day of week          */15 8-18 * * mon-fri
    @yearly @monthly @weekly @daily @midnight @hourly       @every 1h30m

A day matches if both of its fields do; where neither is a star, if one of them does.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from cluster.dataclass import dataclass

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
NAMED = {3: {n: i + 1 for i, n in enumerate(MONTHS)}, 4: {n: i for i, n in enumerate(DAYS)}}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
DAYS_AHEAD_MAX = 5 * 366  # a date that does not come within five years never comes
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
EVERY_SECONDS_MAX = (2**63 - 1) / 1e9  # of a duration in Go: 292 years
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_NUMBER = re.compile(r"[0-9]{1,18}")  # as many as 64 bits hold for sure


class BadSchedule(ValueError):
    """The text is no schedule; says why."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due: the values of each field, or a fixed interval."""

    fields: tuple[frozenset[int], ...] = ()
    any_day: tuple[bool, bool] = (True, True)  # whether the fields of days are stars
    every_seconds: float = 0.0

    def next_after(self, when: datetime) -> datetime | None:
        """The first time after this one, in its time zone; None if there is none for years."""
        if self.every_seconds:
            return when + timedelta(seconds=self.every_seconds)
        for ahead in range(DAYS_AHEAD_MAX):
            for due in self._on(when.date() + timedelta(days=ahead), when.tzinfo):
                if due > when:
                    return due
        return None

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last time after one and not after the other."""
        if self.every_seconds:
            times = (until - after).total_seconds() // self.every_seconds
            return after + timedelta(seconds=times * self.every_seconds) if times >= 1 else None
        days = min((until.date() - after.date()).days, DAYS_AHEAD_MAX)
        for back in range(days + 1):
            day = until.date() - timedelta(days=back)
            due = [each for each in self._on(day, until.tzinfo) if after < each <= until]
            if due:
                return max(due)
        return None

    def _on(self, day: date, zone: tzinfo | None) -> Iterator[datetime]:
        """The times of one day; what the clock skips in spring is not among them."""
        if not self._day_fits(day):
            return
        for hour in sorted(self.fields[1]):
            for minute in sorted(self.fields[0]):
                due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                if due.astimezone(UTC).astimezone(zone).hour == hour:
                    yield due

    def _day_fits(self, day: date) -> bool:
        if day.month not in self.fields[3]:
            return False
        in_month, in_week = day.day in self.fields[2], day.isoweekday() % 7 in self.fields[4]
        if any(self.any_day):
            return in_month and in_week
        return in_month or in_week


def parse_schedule(text: str) -> Schedule:
    """Read a schedule; BadSchedule says what is wrong with it."""
    if text.startswith("@every "):
        return Schedule(every_seconds=_seconds(text.removeprefix("@every ")))
    if text.startswith("@") and text not in WORDS:
        raise BadSchedule(f"unrecognized descriptor: {text}")
    parts = WORDS.get(text, text).split()
    if len(parts) != len(BOUNDS):
        raise BadSchedule(f"expected exactly {len(BOUNDS)} fields, found {len(parts)}: [{text}]")
    fields = tuple(_field(part.lower(), place) for place, part in enumerate(parts))
    return Schedule(fields, (parts[2][0] in "*?", parts[4][0] in "*?"))


def _seconds(text: str) -> float:
    seconds = sum(float(n) * UNITS[unit] for n, unit in _DURATION.findall(text))
    if not text or _DURATION.sub("", text) or seconds > EVERY_SECONDS_MAX:
        raise BadSchedule(
            f'failed to parse duration @every {text}: time: invalid duration "{text}"'
        )
    return max(1.0, seconds // 1)


def _field(text: str, place: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        values |= _range(part, place)
    return frozenset(values)


def _range(part: str, place: int) -> set[int]:
    low, high = BOUNDS[place]
    span, slash, step_text = part.partition("/")
    step = _number(step_text, -1) if slash else 1
    if span in ("*", "?"):
        first, last = low, high
    else:
        start, dash, end = span.partition("-")
        first = _number(start, place)
        last = _number(end, place) if dash else (high if slash else first)
    if first < low:
        raise BadSchedule(f"beginning of range ({first}) below minimum ({low}): {part}")
    if last > high:
        raise BadSchedule(f"end of range ({last}) above maximum ({high}): {part}")
    if first > last:
        raise BadSchedule(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise BadSchedule(f"step of range should be a positive number: {part}")
    return set(range(first, last + 1, step))


def _number(text: str, place: int) -> int:
    named = NAMED.get(place, {})
    if text in named:
        return named[text]
    if not _NUMBER.fullmatch(text):
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise BadSchedule(f"failed to parse int from {text}: {why}")
    return int(text)
