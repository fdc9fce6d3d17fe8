"""Timestamps as Kubernetes writes them: RFC 3339 in UTC, in whole seconds.

Pure: no clock; the time is passed in.
"""

from datetime import UTC, datetime


def timestamp(now: float) -> str:
    """`metav1.Time`: "2026-01-31T10:00:00Z"."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str | None) -> float | None:
    """The seconds since 1970 that a timestamp names; None for none."""
    if not text:
        return None
    return datetime.fromisoformat(text).timestamp()
