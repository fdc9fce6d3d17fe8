"""Which Events are written: equal ones counted together, the rest bounded in rate.

Pure: what happened and when in; create, update or nothing out.
Source: client-go's EventCorrelator: 25 Events at once per object, then one every five minutes.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import NamedTuple

from cluster.dataclass import dataclass

BURST_MAX = 25
REFILL_SECONDS = 300.0
KEYS_MAX = 4096


class EventKey(NamedTuple):
    """Events that are equal in all of this are one Event with a count."""

    uid: str
    kind: str  # Normal or Warning
    reason: str
    message: str
    field_path: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An Event as it stands: its name in the API, how often, first and last."""

    name: str
    count: int
    first: float
    last: float
    written: bool = False  # the API has it: a later count is a patch


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventLog:
    """Remembers what was written lately."""

    def __init__(self) -> None:
        self._seen: OrderedDict[EventKey, Occurrence] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def observe(self, key: EventKey, name: str, now: float) -> Occurrence | None:
        """What to write: a new Event has count 1 and `name`; None means it is one too many."""
        if not self._take(key.uid, now):
            return None
        before = self._seen.pop(key, None)
        seen = (
            Occurrence(name, 1, now, now)
            if before is None
            else replace(before, count=before.count + 1, last=now)
        )
        self._seen[key] = seen
        while len(self._seen) > KEYS_MAX:
            self._seen.popitem(last=False)
        return seen

    def written(self, key: EventKey) -> bool:
        """Whether the API has this Event already."""
        return key in self._seen and self._seen[key].written

    def wrote(self, key: EventKey) -> None:
        """The API has taken the Event."""
        if key in self._seen:
            self._seen[key] = replace(self._seen[key], written=True)

    def forget(self, key: EventKey) -> None:
        """The Event is gone from the API: the next one is a new one."""
        self._seen.pop(key, None)

    def _take(self, uid: str, now: float) -> bool:
        bucket = self._buckets.pop(uid, None) or _Bucket(BURST_MAX, now)
        bucket.tokens = min(BURST_MAX, bucket.tokens + (now - bucket.at) / REFILL_SECONDS)
        bucket.at = now
        self._buckets[uid] = bucket
        while len(self._buckets) > KEYS_MAX:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
