"""Instants as Kubernetes spells them: RFC 3339 in UTC, whole seconds or six digits.

Pure: text in, text out. Source: k8s.io/apimachinery/pkg/apis/meta/v1, Time and MicroTime.
"""

import re
from datetime import UTC, datetime

# Go writes of a Time no fraction, and of a MicroTime always six digits.
PRECISION = {"time": "seconds", "micro-time": "microseconds"}

# RFC 3339 is narrower than ISO 8601, which Python reads.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def canonical_time(text: str, format_: str) -> str | None:
    """The one spelling of an instant (`format_` is `time` or `micro-time`); None if it is none."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or hour; before year 1 or after 9999
        return None
    return instant.replace(tzinfo=None).isoformat(timespec=PRECISION[format_]) + "Z"
