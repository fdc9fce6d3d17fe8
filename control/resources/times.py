"""Instants as Kubernetes spells them: RFC 3339 in UTC, whole seconds or six digits.

Pure: text in, text out. Source: k8s.io/apimachinery/pkg/apis/meta/v1, Time and MicroTime.
"""

import re
from datetime import UTC, datetime

# Go writes of a Time no fraction, and of a MicroTime always six digits.
_FORMATS = {"time": "%Y-%m-%dT%H:%M:%SZ", "micro-time": "%Y-%m-%dT%H:%M:%S.%fZ"}
_CANONICAL = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII),
    "micro-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII),
}
_INSTANT = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


def canonical_time(text: str, format_: str) -> str | None:
    """The one spelling of an instant (`format_` is `time` or `micro-time`); None if it is none."""
    try:
        instant = _instant(text)
    except ValueError:
        return None
    if instant is None:
        return None
    return text if _CANONICAL[format_].fullmatch(text) else _written(instant, format_)


def _instant(text: str) -> datetime | None:
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    micros = (match["fraction"] or ".0")[1:7].ljust(6, "0")
    zone = match["zone"].replace("Z", "+00:00")
    return datetime.fromisoformat(f"{match['seconds']}.{micros}{zone}")


def _written(instant: datetime, format_: str) -> str | None:
    try:
        in_utc = instant.astimezone(UTC)
    except OverflowError:  # before year 1 or after year 9999
        return None
    return in_utc.strftime(_FORMATS[format_]).rjust(len("0001-01-01T00:00:00Z"), "0")
