"""Points in time as the API spells them.

Pure: seconds since 1970 in, text out, and back.
"""

from datetime import UTC, datetime


def seconds_text(at: float) -> str:
    """metav1.Time: "2026-01-02T03:04:05Z"."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_text(at: float) -> str:
    """metav1.MicroTime, as leases have it: "2026-01-02T03:04:05.000006Z"."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nano_text(at: float) -> str:
    """RFC 3339 with nanoseconds, as log lines have it (a float holds microseconds of them)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def parse(text: str) -> float:
    """Seconds since 1970 of any RFC 3339 text; ValueError if it is none."""
    whole, dot, rest = text.partition(".")
    if dot:  # keep six digits: datetime knows no nanoseconds
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{whole}.{rest[:digits][:6]:0<6}{rest[digits:]}"
    return datetime.fromisoformat(text).timestamp()
