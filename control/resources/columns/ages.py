"""How long ago, in few characters: `45s`, `5m3s`, `2d4h`, `3y12d`.

Pure: the time comes as an argument. Two units while the first is small, then one.
Source: k8s.io/apimachinery/pkg/util/duration, HumanDuration.
"""

from datetime import UTC, datetime

from cluster.client.interface import Document

UNKNOWN, INVALID = "<unknown>", "<invalid>"
MINUTE, HOUR, DAY, YEAR = 60, 3_600, 86_400, 31_536_000

# Up to how many seconds, in which units: the greater, and the lesser that is told beside it.
STEPS = (
    (10 * MINUTE, (MINUTE, "m"), (1, "s")),
    (3 * HOUR, (MINUTE, "m"), None),
    (8 * HOUR, (HOUR, "h"), (MINUTE, "m")),
    (2 * DAY, (HOUR, "h"), None),
    (8 * DAY, (DAY, "d"), (HOUR, "h")),
    (2 * YEAR, (DAY, "d"), None),
    (8 * YEAR, (YEAR, "y"), (DAY, "d")),
)


def human_duration(seconds: float) -> str:
    """A duration in words; clocks that differ by less than two seconds are taken as equal."""
    whole = int(seconds)
    if whole < -1:
        return INVALID
    if whole < 2 * MINUTE:
        return f"{max(whole, 0)}s"
    for limit, (unit, sign), lesser in STEPS:
        if whole < limit:
            many, rest = divmod(whole, unit)
            if lesser is None or rest < lesser[0]:
                return f"{many}{sign}"
            return f"{many}{sign}{rest // lesser[0]}{lesser[1]}"
    return f"{whole // YEAR}y"


def instant(text: str | None) -> datetime | None:
    """A timestamp of a document; None where there is none that can be read."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def since(text: str | None, now: datetime) -> str:
    """How long ago a timestamp was."""
    moment = instant(text)
    return UNKNOWN if moment is None else human_duration((now - moment).total_seconds())


def age(document: Document, now: datetime) -> str:
    """How long ago an object was created."""
    return since(document["metadata"].get("creationTimestamp"), now)
