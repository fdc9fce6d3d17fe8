"""Instants as Kubernetes spells them: RFC 3339 in UTC, whole seconds or six digits.

Pure: text in, text out. Source: k8s.io/apimachinery/pkg/apis/meta/v1, Time and MicroTime.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

# Go writes of a Time no fraction, and of a MicroTime always six digits.
PRECISION = {"time": "seconds", "micro-time": "microseconds"}

# Every write looks at an object's times again; longer ones are not kept.
CACHED_LENGTH_MAX = 40
CACHED_MAX = 1024

# RFC 3339 is narrower than ISO 8601, which Python reads.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def canonical_time(text: str, format_: str) -> str | None:
    """The one spelling of an instant (`format_` is `time` or `micro-time`); None if it is none."""
    return _spelled(text, format_) if len(text) <= CACHED_LENGTH_MAX else _spell(text, format_)


def _spell(text: str, format_: str) -> str | None:
    if not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or hour; before year 1 or after 9999
        return None
    return instant.replace(tzinfo=None).isoformat(timespec=PRECISION[format_]) + "Z"


_spelled = lru_cache(maxsize=CACHED_MAX)(_spell)
