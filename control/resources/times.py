"""Instants as Kubernetes spells them: RFC 3339 in UTC, whole seconds or six digits.

Pure: text in, text out. Source: k8s.io/apimachinery/pkg/apis/meta/v1, Time and MicroTime.
"""

import re
from datetime import UTC, datetime

# Go writes of a Time no fraction, and of a MicroTime always six digits.
PRECISION = {"time": "seconds", "micro-time": "microseconds"}

_INSTANT = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


def canonical_time(text: str, format_: str) -> str | None:
    """The one spelling of an instant (`format_` is `time` or `micro-time`); None if it is none."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    micros = (match["fraction"] or ".")[1:7].ljust(6, "0")
    zone = match["zone"].replace("Z", "+00:00")
    try:
        instant = datetime.fromisoformat(f"{match['seconds']}.{micros}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or hour; before year 1 or after 9999
        return None
    return instant.replace(tzinfo=None).isoformat(timespec=PRECISION[format_]) + "Z"
